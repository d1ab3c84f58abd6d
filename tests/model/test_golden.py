"""Every golden case against transformers in float32: at once, in pieces, token by token."""

import mlx.core as mx
import numpy as np
import pytest

import mlx_gemma
from mlx_gemma.gemma import Gemma
from mlx_gemma.selftest.cases import CASES, Case, draw_past, draw_pixels
from mlx_gemma.selftest.tiny import IMAGE_SOFT
from tests.model.folders import EXACT, case_named, drawn, error, golden, save

FROM_THE_START = [case for case in CASES if not case.past]
SEEN = [case for case in CASES if case.pictures]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Gemma]:
    """Every case's model, loaded from a folder like any other."""
    root = tmp_path_factory.mktemp("golden")
    return {case.name: mlx_gemma.load(save(root / case.name, case.config, drawn(case))) for case in CASES}


def stepwise(gemma: Gemma, case: Case, step: int) -> mx.array:
    """Logits by the decoder and its cache alone, `step` tokens at a time, from where the case stands in its text."""
    language_model = gemma.model.language_model

    def work() -> mx.array:
        cache = language_model.make_cache()
        if case.past:
            keys, values = (mx.array(each)[None] for each in draw_past(case))
            for layer in cache:
                layer.update_and_fetch(keys, values)
        ids = mx.array([case.ids])
        steps = [language_model(ids[:, at : at + step], cache) for at in range(0, ids.shape[1], step)]
        logits = mx.concatenate(steps, axis=1)[0]
        mx.eval(logits)
        assert cache[0].offset == case.past + len(case.ids)
        return logits

    return gemma.engine.run(work)


@pytest.mark.parametrize("chunk", [None, 1, 7, 64])
@pytest.mark.parametrize("case", FROM_THE_START, ids=lambda case: case.name)
def test_logits(loaded: dict[str, Gemma], case: Case, chunk: int | None) -> None:
    """Logits are the reference's, whole and in chunks of 1, 7 and 64, whatever an edge would have cut."""
    logits = loaded[case.name].logits(list(case.ids), draw_pixels(case), chunk)
    assert logits.dtype == mx.float32
    assert error(logits, case) < EXACT


@pytest.mark.parametrize("step", [1, 7, 64])
@pytest.mark.parametrize("case", [case for case in CASES if not case.pictures], ids=lambda case: case.name)
def test_cached(loaded: dict[str, Gemma], case: Case, step: int) -> None:
    """The decoder with its cache, one token at a time or several, is the reference; up to position 131,071 too."""
    assert error(stepwise(loaded[case.name], case, step), case) < EXACT


def test_far_positions_end_where_the_context_does() -> None:
    """The far case's last token stands at the last position that Gemma 3 has, with global angles scaled by 8."""
    case = case_named("positions up to 131071")
    assert case.past + len(case.ids) - 1 == 131_071
    assert case.config["rope_parameters"]["full_attention"]["factor"] == 8.0


@pytest.mark.parametrize("case", FROM_THE_START, ids=lambda case: case.name)
def test_without_cache(loaded: dict[str, Gemma], case: Case) -> None:
    """The model called as training calls it, without a cache, is the reference as well."""
    model, pixels = loaded[case.name].model, draw_pixels(case)

    def work() -> mx.array:
        logits = model(np.array([case.ids], dtype=np.int32), None if pixels is None else mx.array(pixels))[0]
        mx.eval(logits)
        return logits

    assert error(loaded[case.name].engine.run(work), case) < EXACT


def test_rows_do_not_meet(loaded: dict[str, Gemma]) -> None:
    """Two conversations in one batch, their pictures in other places, answer as each alone."""
    case = case_named("two images adjacent")
    gemma, pixels = loaded[case.name], draw_pixels(case)
    assert pixels is not None
    other = [*case.ids[:1], *case.ids[-9:], *case.ids[1:-9]]  # the same ids, pictures later
    pictures = np.concatenate([pixels, pixels[::-1]])

    def work() -> mx.array:
        logits = gemma.model(np.array([case.ids, other], dtype=np.int32), mx.array(pictures))
        mx.eval(logits)
        return logits

    first, second = gemma.engine.run(work)
    assert error(first, case) < EXACT
    alone = gemma.logits(other, pixels[::-1])
    assert np.abs(np.array(second) - np.array(alone)).max() < EXACT


@pytest.mark.parametrize("case", SEEN, ids=lambda case: case.name)
def test_image_features(loaded: dict[str, Gemma], case: Case) -> None:
    """What the decoder gets of a picture is what the reference's tower, pooling and projection give, unscaled."""
    pixels = draw_pixels(case)
    assert pixels is not None
    features = np.array(loaded[case.name].image_features(pixels))
    assert np.abs(features - golden()[f"{case.name}/features"]).max() < 1e-5


def test_cases_are_the_ones_that_matter() -> None:
    """Among the cases: a text of over three windows; a picture first, across the window's edge, longer than it."""
    text = case_named("text")
    decoder = text.config["text_config"]
    assert len(text.ids) > 3 * decoder["sliding_window"]
    assert decoder["head_dim"] * decoder["num_attention_heads"] != decoder["hidden_size"]
    assert decoder["query_pre_attn_scalar"] != decoder["head_dim"]
    assert decoder["layer_types"][-1] == "sliding_attention"
    assert soft_places("image first")[0] == 2
    assert soft_places("image straddles the window") == [6, 7, 8, 9] and decoder["sliding_window"] == 8
    longer = case_named("image longer than the window").config
    assert longer["mm_tokens_per_image"] > longer["text_config"]["sliding_window"]


def soft_places(name: str) -> list[int]:
    """Where a case has picture tokens."""
    return [at for at, index in enumerate(case_named(name).ids) if index == IMAGE_SOFT]
