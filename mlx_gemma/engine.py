"""One thread that owns a model: it loads, evaluates and generates, whichever thread asks.

MLX binds an unevaluated array to the thread that made it, so nothing unevaluated may leave the engine, and caches and
look-ahead never leave it at all. A stream is pulled: each item is one piece of work, nothing runs when nobody asks.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Engine:
    """Runs work on its own thread, one piece after another."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mlx_gemma")

    def run(self, work: Callable[[], T]) -> T:
        """Do `work` on the engine's thread and wait for what it returns or raises."""
        return self._pool.submit(work).result()

    def stream(self, work: Iterator[T]) -> Iterator[T]:
        """The items of `work`, each made on the engine's thread. Closing this closes `work` there."""
        end = object()
        try:
            while (item := self.run(lambda: next(work, end))) is not end:
                yield item  # type: ignore[misc]
        finally:
            close = getattr(work, "close", None)
            if close is not None:
                self._pool.submit(close)
