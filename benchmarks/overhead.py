"""Host time for a decoded token: a 34-layer model of the 4B's pattern, so narrow that arithmetic hardly counts.

"graph": from a token to the unevaluated logits, caches included, in processor time of the one thread that does it;
nothing is evaluated. A figure is the mean of 256 steps, so that what a cache does now and then is in it. "step": the
same with the choice of the next token and its evaluation, by the clock, the mean of 64. Both sides in one process, on
random weights of the same shapes.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx

from benchmarks import rival
from benchmarks.narrow import NARROW, narrow
from benchmarks.paired import Result, Target, paired, report

BUILT = 256
TAKEN = 64
FILLS = {"window not yet full": 128, "window full": NARROW.window + 64}


class Decoding(Protocol):
    """What mlx-lm's models and ours have in common."""

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array: ...
    def make_cache(self) -> list[Any]: ...


def filled(model: Decoding, tokens: int) -> list[Any]:
    """Caches that hold so many tokens; what they hold does not matter."""
    cache = model.make_cache()
    held = mx.zeros((1, NARROW.kv_heads, tokens, NARROW.head_dim))
    for layer in cache:
        layer.update_and_fetch(held, held)
    mx.eval([layer.state for layer in cache])
    return cache


def graph(model: Decoding, tokens: int) -> float:
    """Microseconds of this thread's own time to build one step's graph."""
    cache, token = filled(model, tokens), mx.array([1])
    began = time.thread_time()
    for _ in range(BUILT):
        model(token[None], cache=cache)
    return (time.thread_time() - began) / BUILT * 1e6


def step(model: Decoding, tokens: int) -> float:
    """Microseconds of everybody's time from one token to the next."""
    cache, token = filled(model, tokens), mx.array([1])
    began = time.perf_counter()
    for _ in range(TAKEN):
        token = mx.argmax(model(token[None], cache=cache)[:, -1], axis=-1)
        mx.eval(token)
    return (time.perf_counter() - began) / TAKEN * 1e6


def compare(pairs: int) -> list[Result]:
    ours: Any = narrow()
    theirs: Any = rival.of_shape(NARROW)
    measured: dict[str, tuple[Callable[[Decoding, int], float], Target | None]] = {
        "graph": (graph, Target("at most", 0.85)),
        "step": (step, None),
    }
    return [
        paired(
            f"{what}, {fill}",
            "us",
            partial(measure, ours, tokens),
            partial(measure, theirs, tokens),
            pairs=pairs,
            target=target,
        )
        for what, (measure, target) in measured.items()
        for fill, tokens in FILLS.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--json", type=Path, dest="json_file")
    options = parser.parse_args()
    report("Host overhead of a token", __doc__ or "", compare(options.pairs), options.json_file)


if __name__ == "__main__":
    main()
