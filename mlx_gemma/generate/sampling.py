"""Logits to the next token: what may never be said, what was said too often, and the throw of the dice."""

from collections.abc import Callable
from dataclasses import dataclass

import mlx.core as mx

from vision.errors import OptionError

Logits = mx.array  # (1, vocabulary)
Choose = Callable[[Logits, mx.array], mx.array]  # logits and the tokens so far (n,) to the next token (1,)


@dataclass(frozen=True)
class Sampler:
    """How a token is drawn. A temperature of 0 takes the likeliest; 0 switches top_p, top_k and min_p off.

    top_p: the smallest set of tokens whose probability reaches it (Holtzman et al. 2020).
    top_k: so many of the likeliest. min_p: at least this share of the likeliest one's probability.
    repetition_penalty: divides the logits of the last `repetition_window` tokens (Keskar et al. 2019); 1 is none.

    The filters see the untempered distribution, in the order top_p, min_p, top_k, as mlx-lm's do.
    """

    temperature: float = 0.0
    top_p: float = 0.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    repetition_window: int = 64

    def __post_init__(self) -> None:
        for name, ok, need in (
            ("temperature", self.temperature >= 0, "0 or more"),
            ("top_p", 0 <= self.top_p <= 1, "between 0 and 1"),
            ("min_p", 0 <= self.min_p <= 1, "between 0 and 1"),
            ("top_k", self.top_k >= 0, "0 or more"),
            ("repetition_penalty", self.repetition_penalty > 0, "more than 0"),
            ("repetition_window", self.repetition_window >= 1, "1 or more"),
        ):
            if not ok:
                raise OptionError(f"{name} is {getattr(self, name)}; it must be {need}")

    def __call__(self, logits: Logits, recent: mx.array, key: mx.array) -> mx.array:
        """Logits (1, V), recent tokens (n,), a random key; returns the token (1,)."""
        if self.repetition_penalty != 1.0 and recent.size:
            logits = penalised(logits, recent[-self.repetition_window :], self.repetition_penalty)
        if self.temperature == 0:
            return mx.argmax(logits, axis=-1)
        logits = self.filtered(logits.astype(mx.float32))
        return mx.random.categorical(logits * (1 / self.temperature), key=key)

    def filtered(self, logits: Logits) -> Logits:
        """Log-probabilities with minus infinity for what the filters exclude."""
        logits = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
        if 0 < self.top_p < 1:
            logits = keep_top_p(logits, self.top_p)
        if self.min_p > 0:
            least = logits.max(axis=-1, keepdims=True) + mx.log(mx.array(self.min_p))
            logits = mx.where(logits < least, -mx.inf, logits)
        if 0 < self.top_k < logits.shape[-1]:
            least = mx.topk(logits, self.top_k, axis=-1).min(axis=-1, keepdims=True)
            logits = mx.where(logits < least, -mx.inf, logits)
        return logits


def keep_top_p(logits: Logits, top_p: float) -> Logits:
    """Keep the likeliest tokens until their probabilities sum to top_p; always at least one."""
    order = mx.argsort(-logits, axis=-1)
    ordered = mx.take_along_axis(logits, order, axis=-1)
    before = mx.cumsum(mx.exp(ordered), axis=-1, inclusive=False)
    kept = mx.where(before < top_p, ordered, -mx.inf)
    return mx.put_along_axis(mx.full(logits.shape, -mx.inf), order, kept, axis=-1)


def penalised(logits: Logits, recent: mx.array, penalty: float) -> Logits:
    """Make what was said lately less likely: positive logits are divided, negative ones multiplied."""
    said = logits[:, recent]
    logits[:, recent] = mx.where(said < 0, said * penalty, said / penalty)
    return logits


def forbid(logits: Logits, ids: mx.array) -> Logits:
    """Tokens that an answer may never hold: image marks and soft tokens."""
    logits[:, ids] = -mx.inf
    return logits
