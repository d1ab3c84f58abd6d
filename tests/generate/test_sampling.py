"""Drawing a token: what the filters leave, against mlx-lm's, and what chance does with it."""

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.sample_utils import apply_min_p, apply_top_k, apply_top_p, make_repetition_penalty

from mlx_gemma.generate.sampling import Sampler, forbid, penalised
from vision.errors import OptionError

KEY = mx.random.key(0)
NONE = mx.array([], dtype=mx.uint32)


def drawn_logits(seed: int) -> mx.array:
    """(1, 50), the likeliest far above the rest."""
    return mx.random.normal((1, 50), key=mx.random.key(seed)) * 3


def kept(logprobs: mx.array) -> set[int]:
    """The tokens that a filter left."""
    return set(np.flatnonzero(np.isfinite(np.array(logprobs)[0])).tolist())


def normalised(logits: mx.array) -> mx.array:
    """Log-probabilities, which mlx-lm's filters take."""
    return logits - mx.logsumexp(logits, axis=-1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("top_p", [0.1, 0.5, 0.9, 0.99])
def test_top_p_keeps_what_mlx_lm_keeps(seed: int, top_p: float) -> None:
    """The smallest likeliest set that reaches the probability."""
    logits = drawn_logits(seed)
    assert kept(Sampler(top_p=top_p).filtered(logits)) == kept(apply_top_p(normalised(logits), top_p))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("min_p", [0.01, 0.1, 0.5])
def test_min_p_keeps_what_mlx_lm_keeps(seed: int, min_p: float) -> None:
    """All that has that share of the likeliest one's probability."""
    logits = drawn_logits(seed)
    assert kept(Sampler(min_p=min_p).filtered(logits)) == kept(apply_min_p(normalised(logits), min_p))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("top_k", [1, 5, 49])
def test_top_k_keeps_what_mlx_lm_keeps(seed: int, top_k: int) -> None:
    """So many of the likeliest."""
    logits = drawn_logits(seed)
    assert kept(Sampler(top_k=top_k).filtered(logits)) == kept(apply_top_k(normalised(logits), top_k))


@pytest.mark.parametrize("penalty", [0.8, 1.3])
def test_the_penalty_is_mlx_lms(penalty: float) -> None:
    """Repeated tokens are divided where positive and multiplied where negative, each once."""
    logits, said = drawn_logits(3), mx.array([4, 7, 7, 20])
    wanted = make_repetition_penalty(penalty, context_size=4)(said, mx.array(logits))
    assert mx.array_equal(penalised(mx.array(logits), said, penalty), wanted)


def test_the_penalty_sees_only_its_window() -> None:
    """What was said longer ago than the window is free again."""
    logits = mx.zeros((1, 10)) + mx.array([0, 5.0, 4.9, 0, 0, 0, 0, 0, 0, 0])
    sampler = Sampler(repetition_penalty=2.0, repetition_window=2)
    assert sampler(mx.array(logits), mx.array([1, 3, 4]), KEY).item() == 1
    assert sampler(mx.array(logits), mx.array([3, 1, 4]), KEY).item() == 2


def test_zero_temperature_is_the_likeliest() -> None:
    """Greedy needs no chance, whatever the filters."""
    logits = drawn_logits(1)
    assert Sampler(top_p=0.5)(logits, NONE, KEY).item() == mx.argmax(logits).item()


def test_draws_follow_the_tempered_distribution() -> None:
    """20,000 draws at temperature 2 fall within five standard errors of softmax(logits / 2)."""
    logits = mx.array([[2.0, 1.0, 0.0, -1.0]])
    many = mx.broadcast_to(logits, (20_000, 4))
    draws = np.array(Sampler(temperature=2.0)(many, NONE, KEY))
    wanted = np.array(mx.softmax(logits / 2, axis=-1))[0]
    error = np.sqrt(wanted * (1 - wanted) / 20_000)
    assert (np.abs(np.bincount(draws, minlength=4) / 20_000 - wanted) < 5 * error).all()


def test_the_forbidden_is_never_drawn() -> None:
    """Not even when it is all but certain."""
    logits = forbid(mx.array([[0.0, 50.0, 1.0]]), mx.array([1]))
    assert Sampler()(logits, NONE, KEY).item() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1},
        {"top_p": 1.5},
        {"min_p": -0.1},
        {"top_k": -1},
        {"repetition_penalty": 0},
        {"repetition_window": 0},
    ],
)
def test_values_without_meaning_are_refused(wrong: dict[str, float]) -> None:
    """The error names the option."""
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Sampler(**wrong)  # type: ignore[arg-type]
