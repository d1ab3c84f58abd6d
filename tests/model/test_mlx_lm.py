"""Our decoder in mlx-lm's hands: its generation, with its caches or ours, gives the tokens that ours gives."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest

import mlx_gemma
from mlx_gemma.gemma import Gemma
from mlx_gemma.model.decoder import LanguageModel
from mlx_gemma.selftest.cases import Case
from tests.model.folders import Tensors, case_named, drawn, save

NAMES = ("text only", "layer types of its own", "no scaling, pattern of two")
PROMPT = [2, *range(20, 45)]  # more than three windows
TOKENS = 24

Caches = Callable[[LanguageModel], list[Any]]


@pytest.fixture(scope="module", params=NAMES)
def gemma(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Gemma:
    """A tiny text model that never stops."""
    case = case_named(request.param)
    config = {**case.config, "eos_token_id": []}
    return mlx_gemma.load(save(tmp_path_factory.mktemp("tiny"), config, talkative(case)), dtype="float32")


def talkative(case: Case) -> Tensors:
    """A case's weights, but its last norm turns signs and its attention is sharper: else it would repeat one word."""
    changed = drawn(case)
    changed["model.norm.weight"] = mx.array([0.0, -2.0] * 32)
    return {
        name: each + 1 if name.endswith(("q_norm.weight", "k_norm.weight")) else each
        for name, each in changed.items()
    }


def tokenizer() -> Any:
    """A vocabulary of the numbers 0 to 319, which is all that mlx-lm needs to count."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(WordLevel({str(n): n for n in range(320)}, unk_token="0"))  # noqa: S106  (no password)
    return PreTrainedTokenizerFast(tokenizer_object=words)


def its_own(model: LanguageModel) -> list[Any]:
    """The caches that mlx-lm's Gemma 3 makes."""
    from mlx_lm.models.cache import KVCache, RotatingKVCache

    config = model.config
    return [
        KVCache() if layer in config.global_layers else RotatingKVCache(max_size=config.window, keep=0)
        for layer in range(config.layers)
    ]


def ours(model: LanguageModel) -> list[Any]:
    """The caches that our decoder offers."""
    return list(model.make_cache())


def streamed(gemma: Gemma, caches: Caches, **options: Any) -> list[int]:
    """What mlx-lm's stream_generate says, greedily."""
    from mlx_lm import stream_generate

    model = gemma.model.language_model

    def work() -> list[int]:
        made = stream_generate(
            model, tokenizer(), PROMPT, max_tokens=TOKENS, prompt_cache=caches(model), **options
        )
        return [int(response.token) for response in made]

    return gemma.engine.run(work)[:TOKENS]


@pytest.mark.parametrize("step", [7, 2048])
@pytest.mark.parametrize("caches", [its_own, ours])
def test_stream_generate(gemma: Gemma, caches: Caches, step: int) -> None:
    """stream_generate on our decoder, whole prompt or in steps of 7, says what stream_ids says."""
    expected = list(gemma.stream_ids(PROMPT, max_tokens=TOKENS))
    assert len(expected) == TOKENS and len(set(expected)) > 3
    assert streamed(gemma, caches, prefill_step_size=step) == expected


def test_it_makes_our_caches_itself(gemma: Gemma) -> None:
    """Left to itself mlx-lm asks the decoder for its caches."""
    from mlx_lm.models.cache import make_prompt_cache

    expected = list(gemma.stream_ids(PROMPT, max_tokens=TOKENS))
    assert streamed(gemma, make_prompt_cache) == expected


def test_speculation_takes_tokens_back(gemma: Gemma) -> None:
    """mlx-lm's speculative generation, which takes drafted tokens back from our caches, changes nothing."""
    from mlx_lm import stream_generate

    model = gemma.model.language_model

    def work() -> list[int]:
        draft = LanguageModel(model.config)
        mx.eval(draft.parameters())
        made = stream_generate(
            model,
            tokenizer(),
            PROMPT,
            max_tokens=TOKENS,
            draft_model=draft,
            num_draft_tokens=3,
            prompt_cache=[*model.make_cache(), *draft.make_cache()],
        )
        return [int(response.token) for response in made]

    assert gemma.engine.run(work)[:TOKENS] == list(gemma.stream_ids(PROMPT, max_tokens=TOKENS))


def test_states_travel(gemma: Gemma, tmp_path: Path) -> None:
    """A cache's state, taken and given to another, continues as the first would have."""
    model = gemma.model.language_model

    def work() -> tuple[list[float], list[float]]:
        first, second = model.make_cache(), model.make_cache()
        mx.eval(model(mx.array([PROMPT]), first))
        for there, here in zip(second, first, strict=True):
            there.state = here.state
        after = [model(mx.array([[50]]), cache)[0, -1].tolist() for cache in (first, second)]
        return after[0], after[1]

    here, there = gemma.engine.run(work)
    assert here == there


def test_one_answer_from_both_engines(tmp_path: Path) -> None:
    """mlx-lm's own Gemma 3, loading the same folder in the spelling it can read, says the same tokens."""
    from mlx_lm.models.gemma3_text import Model, ModelArgs

    from tests.model.dialects import spell

    case = case_named("shaped like 270M")
    config = spell({**case.config, "eos_token_id": []}, "b")
    gemma = mlx_gemma.load(save(tmp_path, config, talkative(case)), dtype="float32")

    def work() -> list[int]:
        theirs = Model(
            ModelArgs.from_dict(json.loads((tmp_path / "config.json").read_text(encoding="utf-8")))
        )
        theirs.load_weights(list(theirs.sanitize(talkative(case)).items()))
        theirs.eval()
        ids, cache = list(PROMPT), theirs.make_cache()
        logits = theirs(mx.array([ids]), cache=cache)[:, -1]
        for _ in range(TOKENS):
            ids.append(int(logits.argmax(-1).item()))
            logits = theirs(mx.array([ids[-1:]]), cache=cache)[:, -1]
        return ids[len(PROMPT) :]

    assert gemma.engine.run(work) == list(gemma.stream_ids(PROMPT, max_tokens=TOKENS))
