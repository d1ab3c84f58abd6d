"""One thread that owns a model: it loads, evaluates and generates, whichever thread asks.

MLX binds an unevaluated array to the thread that made it, so nothing unevaluated may leave the engine, and caches and
look-ahead never leave it at all. A stream is pulled: each item is one piece of work, nothing runs when nobody asks.
"""

import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

import mlx.core as mx

T = TypeVar("T")

Inbox = SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]


class Engine:
    """Runs work on its own thread, one piece after another, until it is forgotten or the program ends."""

    def __init__(self) -> None:
        self._inbox: Inbox = SimpleQueue()
        thread = threading.Thread(target=_serve, args=(self._inbox,), name="mlx_gemma", daemon=True)
        thread.start()
        weakref.finalize(self, _stop, self._inbox, thread)  # at the program's end too

    def run(self, work: Callable[[], T]) -> T:
        """Do `work` on the engine's thread and wait for what it returns or raises."""
        return self._submit(work).result()

    def stream(self, work: Iterator[T]) -> Iterator[T]:
        """The items of `work`, each made on the engine's thread. Closing this closes `work` there."""
        end = object()
        try:
            while (item := self.run(lambda: next(work, end))) is not end:
                yield item  # type: ignore[misc]
        finally:
            close = getattr(work, "close", None)
            if close is not None:
                self._submit(close)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self._inbox.put((work, future))
        return future


def _serve(inbox: Inbox) -> None:
    """Work off what is asked for. An exception is the asker's, whatever it is; the thread outlives it."""
    while (task := inbox.get()) is not None:
        work, future = task
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001
            future.set_exception(error)
        del task, work, future  # or the last of them would be kept until the next comes
    # MLX aborts the program ("terminate called without an active exception") in about one exit of ten
    # when a thread that computed ends without this.
    mx.synchronize()
    mx.clear_streams()


def _stop(inbox: Inbox, thread: threading.Thread) -> None:
    inbox.put(None)
    if thread is not threading.current_thread():
        thread.join()
