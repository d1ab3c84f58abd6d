"""Does it ever hang? Generations one after another beside busy processes, each with a time limit.

OpenBLAS has threads, MLX has a thread for each stream, and we add one of our own; other programs keep every core busy
meanwhile. A generation that takes longer than the limit ends the run, which then shows where every thread stood.
"""

import argparse
import faulthandler
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from statistics import median

import mlx_gemma
from benchmarks.machine import Machine
from mlx_gemma.gemma import Gemma
from tests.real import gemma_270m

TOKENS = 8
QUESTION = "What does the heart do?"
BUSY = "while True: pass"


@contextmanager
def busy_processes(count: int) -> Generator[None]:
    """Programs that do nothing but take a core each."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def generations(gemma: Gemma, count: int, limit: float) -> list[float]:
    """Seconds of each generation: a fresh conversation each time, half of them from a thread of their own."""
    seconds: list[float] = []
    for number in range(count):
        faulthandler.dump_traceback_later(limit, exit=True)
        began = time.perf_counter()
        if number % 2:
            asking = threading.Thread(target=lambda: gemma.chat().ask(QUESTION, max_tokens=TOKENS))
            asking.start()
            asking.join()
        else:
            gemma.chat().ask(QUESTION, max_tokens=TOKENS)
        seconds.append(time.perf_counter() - began)
    faulthandler.cancel_dump_traceback_later()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hang", description=__doc__)
    parser.add_argument("--generations", type=int, default=200)
    parser.add_argument("--busy", type=int, default=os.cpu_count() or 1, help="how many busy processes")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds that one generation may take")
    parser.add_argument("--model", help="default: the real 270M")
    options = parser.parse_args()
    gemma = mlx_gemma.load(options.model or gemma_270m(), dtype="float32")
    print(f"## Hanging\n\n{Machine.this().line}\n\n{__doc__}", flush=True)
    with busy_processes(options.busy):
        seconds = generations(gemma, options.generations, options.limit)
    print(
        f"{len(seconds)} generations of {TOKENS} tokens with {gemma.name} beside {options.busy} busy processes: "
        f"none hung. Slowest {max(seconds):.1f} s, median {median(seconds):.1f} s, limit {options.limit:.0f} s.\n"
    )


if __name__ == "__main__":
    main()
