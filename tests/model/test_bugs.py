"""What other programs get wrong, put in on purpose: each time a golden case or another test must notice.

The bugs, in bugs.py, are those seen in mlx-vlm, mlx-lm and their issue threads; one that no test noticed could come
back unseen. What has no arithmetic to break is tested straight, at the end.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import mlx_gemma
from mlx_gemma.gemma import Gemma
from mlx_gemma.generate import session as sessions
from mlx_gemma.model import decoder, multimodal, names
from mlx_gemma.selftest.cases import draw_pixels
from mlx_gemma.selftest.replay import replay
from tests.generate import test_session
from tests.model import bugs, test_precision, test_quantised
from tests.model.dialects import rename
from tests.model.folders import EXACT, case_named, drawn, error, save
from tests.tiny_chat import picture, talking_model
from vision.errors import WeightsError

WRONG_NUMBERS: list[tuple[bugs.Breaks, str]] = [
    (bugs.images_attend_causally, "image first"),
    (bugs.images_attend_causally, "image late"),
    (bugs.images_attend_causally, "image straddles the window"),
    (bugs.images_attend_causally, "image longer than the window"),
    (bugs.images_escape_the_window, "image longer than the window"),
    (bugs.all_images_are_one_block, "two images adjacent"),
    (bugs.features_are_scaled, "two images apart"),
    (bugs.features_are_scaled_as_on_the_4b, "two images apart"),
    (bugs.images_are_ignored, "image first"),
    (bugs.only_the_first_image_counts, "two images apart"),
    (bugs.only_the_first_image_counts, "three images, two of them touching"),
    (bugs.images_change_places, "two images adjacent"),
    (bugs.rope_parameters_are_not_read, "text"),
    (bugs.rope_parameters_are_not_read, "image longer than the window"),
    (bugs.local_layers_have_the_global_base, "text"),
    (bugs.windows_are_one_wider, "text"),
    (bugs.every_layer_is_global, "text"),
    (bugs.scores_are_scaled_by_the_head_size, "text"),
    (bugs.norms_lack_their_one, "text only"),
]


@pytest.mark.parametrize(
    ("bug", "name"), WRONG_NUMBERS, ids=[f"{bug.__name__}-{name}" for bug, name in WRONG_NUMBERS]
)
def test_a_golden_case_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bug: bugs.Breaks, name: str
) -> None:
    """With the bug put in, the case is off by a hundred times what is allowed and more."""
    case = case_named(name)
    folder = save(tmp_path, case.config, drawn(case))
    bug(monkeypatch)
    gemma = mlx_gemma.load(folder, dtype="float32")
    assert error(gemma.logits(case.ids, draw_pixels(case)), case) > 100 * EXACT


@pytest.mark.parametrize("bug", [bugs.rope_is_rounded_otherwise, bugs.rope_parameters_are_not_read])
def test_the_far_case_notices(monkeypatch: pytest.MonkeyPatch, bug: bugs.Breaks) -> None:
    """At position 131,071 even angles that are rounded in another order fail the self-test."""
    far = case_named("positions up to 131071")
    bug(monkeypatch)
    assert not [each for each in replay(["float32"], [far]) if each.passed]


def test_a_parted_image_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a chunk's edge fell inside a picture, the case would not run, let alone agree."""
    case = case_named("image longer than the window")
    gemma = mlx_gemma.load(save(tmp_path, case.config, drawn(case)))
    bugs.chunks_part_images(monkeypatch)
    with pytest.raises((AssertionError, mlx_gemma.GemmaError, ValueError)):
        assert error(gemma.logits(case.ids, draw_pixels(case), chunk=7), case) < EXACT


def test_new_names_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its lines in the table, a checkpoint under `model.language_model.*` fails to load."""
    case = case_named("two images adjacent")
    folder = save(tmp_path, case.config, rename(drawn(case), "B"))
    old = tuple(rule for rule in names.PREFIXES if not rule[0].startswith("model."))
    monkeypatch.setattr(names, "PREFIXES", old)
    with pytest.raises(WeightsError, match=r"model\.language_model"):
        mlx_gemma.load(folder)


def test_rounded_norms_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Norms that add one in bfloat16 fail the test that says they do not."""
    bugs.norms_add_their_one_in_bfloat16(monkeypatch)
    with pytest.raises(AssertionError):
        test_precision.test_norms_are_exact(tmp_path, "bfloat16")


def test_float16_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A float16 residual stream fails the test that says there is none."""
    bugs.float16_stays(monkeypatch)
    with pytest.raises(AssertionError):
        test_precision.test_float16_never_overflows(tmp_path, "float16")


def test_a_second_embedding_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A head held beside the embedding fails the test that says it is not."""
    bugs.heads_are_held(monkeypatch)
    with pytest.raises(AssertionError):
        test_quantised.test_the_needless_head_is_not_held(widen=True)


def test_wrong_reuse_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reuse of what a window has dropped fails one of the walks that say every answer is a fresh start's."""
    gemma = talking_model(tmp_path)
    bugs.wrapped_windows_are_cut(monkeypatch)
    failed = 0
    for seed in range(6):
        try:
            test_session.test_any_walk_equals_a_fresh_start(gemma, seed)
        except (AssertionError, ValueError):
            failed += 1
    assert failed


def returns_to_a_point_given_up(gemma: Gemma) -> float:
    """How far off the answer is when the picture before a remembered point has been exchanged."""
    session = test_session.session_of(gemma)
    ids = np.array([2, *test_session.image_ids(gemma), *range(100, 130)], dtype=np.int32)
    longer = np.concatenate([ids, np.arange(200, 240, dtype=np.int32)])
    first, second = (test_session.shown(1),), (test_session.shown(2),)
    test_session.last_logits(gemma, session, sessions.Prompt(ids, first))
    gemma.engine.run(session.mark)
    test_session.last_logits(gemma, session, sessions.Prompt(longer, first))
    exchanged = sessions.Prompt(longer, second)
    got = test_session.last_logits(gemma, session, exchanged)
    return float(np.abs(got - test_session.fresh_logits(gemma, exchanged)).max())


def test_a_point_given_up_is_not_returned_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another picture nothing computed with the old one is used; and if it were, it would show."""
    gemma = talking_model(tmp_path)
    assert returns_to_a_point_given_up(gemma) < EXACT
    bugs.marks_are_never_dropped(monkeypatch)
    assert returns_to_a_point_given_up(gemma) > 100 * EXACT


def test_only_the_last_place_meets_the_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While ids are streamed the head sees one row a token, the prompt's included: not 1 MiB for each of its tokens."""
    rows: list[int] = []
    exact = decoder.LanguageModel.head

    def head(self: decoder.LanguageModel, x: mx.array) -> mx.array:
        rows.append(x.size // x.shape[-1])
        return exact(self, x)

    case = case_named("two images adjacent")
    gemma = mlx_gemma.load(save(tmp_path, case.config, drawn(case)))
    monkeypatch.setattr(decoder.LanguageModel, "head", head)
    made = list(gemma.stream_ids(case.ids, pixels=draw_pixels(case), max_tokens=5))
    assert made and set(rows) == {1}


def test_stop_ids_of_every_file(tmp_path: Path) -> None:
    """Whatever of config.json (either section) and generation_config.json names a stop id, the stream ends there."""
    case = case_named("two images adjacent")
    stops = {
        "eos_token_id": {**case.config, "eos_token_id": [1, 70]},
        "text": {**case.config, "text_config": {**case.config["text_config"], "eos_token_id": [1, 70]}},
    }
    for name, made in stops.items():
        assert 70 in mlx_gemma.load(save(tmp_path / name, made, drawn(case))).config.stop_ids
    folder = save(tmp_path / "generation", case.config, drawn(case))
    whole = list(mlx_gemma.load(folder).stream_ids([2, 100, 101], max_tokens=12))
    assert len(whole) == 12
    (folder / "generation_config.json").write_text(
        json.dumps({"eos_token_id": [1, whole[6]]}), encoding="utf-8"
    )
    assert (
        list(mlx_gemma.load(folder).stream_ids([2, 100, 101], max_tokens=12))
        == whole[: whole.index(whole[6])]
    )


def test_a_picture_is_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over three turns the tower is asked once for each picture, however often it is shown or asked about."""
    encoded: list[int] = []
    exact = multimodal.Gemma3.image_features

    def features(self: multimodal.Gemma3, pixels: mx.array) -> mx.array:
        encoded.append(len(pixels))
        return exact(self, pixels)

    monkeypatch.setattr(multimodal.Gemma3, "image_features", features)
    chat = talking_model(tmp_path).chat()
    questions: list[tuple[str, Sequence[Any]]] = [
        ("look", [picture(1)]),
        ("again", []),
        ("and", [picture(1), picture(2)]),
    ]
    for text, shown in questions:
        chat.ask(text, shown, max_tokens=3)
    assert sum(encoded) == 2


def test_pictures_are_encoded_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pictures never pass the tower in one batch: here one at a time, by the limit on patches."""
    batches: list[int] = []
    exact = multimodal.Gemma3.image_features

    def features(self: multimodal.Gemma3, pixels: mx.array) -> mx.array:
        batches.append(len(pixels))
        return exact(self, pixels)

    monkeypatch.setattr(multimodal.Gemma3, "image_features", features)
    monkeypatch.setattr("mlx_gemma.generate.eyes.PATCHES_AT_ONCE", 16)
    case = case_named("three images, two of them touching")
    gemma = mlx_gemma.load(save(tmp_path, case.config, drawn(case)))
    assert error(gemma.logits(case.ids, draw_pixels(case)), case) < EXACT
    assert batches == [1, 1, 1]
