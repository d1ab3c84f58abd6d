"""The engine's thread: whose work it does, what becomes of errors, and how a program that used it ends."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import pytest

import mlx_gemma
from mlx_gemma.engine import Engine
from mlx_gemma.gemma import Gemma
from tests.model.folders import case_named, drawn, save

COMPUTE_AND_END = """
import vision
import mlx.core as mx
from mlx_gemma.engine import Engine
Engine().run(lambda: mx.eval(mx.random.normal((64, 64)) @ mx.random.normal((64, 64))))
engine = Engine()
engine.run(lambda: mx.eval(mx.random.normal((64, 64)) @ mx.random.normal((64, 64))))
"""


def in_another_thread(work: Callable[[], object]) -> object:
    """What `work` returns, from a thread made for it."""
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    thread.join()
    return answers[0]


def test_any_thread_may_ask(tmp_path: Path) -> None:
    """Load, a first and a second answer from three threads: MLX's binding of arrays to threads is not felt."""
    case = case_named("text only")
    folder = save(tmp_path, case.config, drawn(case))
    gemma = in_another_thread(lambda: mlx_gemma.load(folder))
    assert isinstance(gemma, Gemma)
    first = in_another_thread(lambda: list(gemma.stream_ids(case.ids, max_tokens=8)))
    second = in_another_thread(lambda: list(gemma.stream_ids(case.ids, max_tokens=8)))
    assert first == second == list(gemma.stream_ids(case.ids, max_tokens=8))


def test_errors_come_back() -> None:
    """An exception in the engine's work is raised where the work was asked for, and the engine goes on."""
    engine = Engine()
    with pytest.raises(ZeroDivisionError):
        engine.run(lambda: 1 // 0)
    assert engine.run(lambda: mx.array(2).item()) == 2


def test_a_stream_is_pulled_and_closed() -> None:
    """Nothing is made before it is asked for, and giving up a stream ends its work."""
    made: list[int | str] = []

    def numbers():
        try:
            for n in range(10):
                made.append(n)
                yield n
        finally:
            made.append("closed")

    engine = Engine()
    stream = engine.stream(numbers())
    assert next(stream) == 0 and made == [0]
    stream.close()
    engine.run(lambda: None)
    assert made == [0, "closed"]


def test_a_program_ends_well() -> None:
    """Programs that computed on an engine exit with 0: MLX aborts one in ten whose thread leaves streams behind."""
    for _ in range(20):
        ended = subprocess.run(
            [sys.executable, "-c", COMPUTE_AND_END], capture_output=True, text=True, timeout=60
        )
        assert ended.returncode == 0, ended.stderr
