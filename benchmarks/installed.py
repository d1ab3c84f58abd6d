"""The same figures as a user gets them: ours with the BLAS that it finds by itself, mlx-lm as pip installs it.

The two cannot be in one process, as a BLAS is chosen once; so each figure has a process of its own that loads the real
270M, generates once to warm up, and then measures. Where MLX brings a fast BLAS itself (macOS), the two are alike.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import mlx_gemma
from benchmarks import rival
from benchmarks.paired import Result, paired, report
from benchmarks.speed import Generate, decode, prefill, prompt

WITHOUT = {**os.environ, "MLX_GEMMA_BLAS": "off"}
MEASURES = {"decode": decode, "prefill": prefill}


def figure(side: str, what: str, length: int) -> float:
    """One measurement in this process, in tokens a second."""
    folder = rival.folder_for_both()
    gemma = mlx_gemma.load(folder, dtype="float32")
    generate: Generate = lambda ids, count: gemma.stream_ids(ids, max_tokens=count)  # noqa: E731
    if side == "theirs":
        generate = partial(rival.generate, rival.load(folder))
    ids = prompt(gemma)[:length]
    next(iter(generate(ids[:8], 1)))
    return MEASURES[what](generate, ids)


def alone(side: str, what: str, length: int, environment: Mapping[str, str]) -> float:
    """The same in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.installed", "--figure", side, what, str(length)]
    return float(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)


def compare(pairs: int) -> list[Result]:
    return [
        paired(
            name,
            "tokens/s",
            partial(alone, "ours", what, length, os.environ),
            partial(alone, "theirs", what, length, WITHOUT),
            pairs=pairs,
        )
        for name, what, length in (
            ("decode after 64 tokens", "decode", 64),
            ("prefill of 128 tokens", "prefill", 128),
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.installed", description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--json", type=Path, dest="json_file")
    parser.add_argument(
        "--figure", nargs=3, metavar=("SIDE", "WHAT", "LENGTH"), help="one measurement, alone"
    )
    options = parser.parse_args()
    if options.figure:
        side, what, length = options.figure
        print(figure(side, what, int(length)))
        return
    report("As installed", __doc__ or "", compare(options.pairs), options.json_file)


if __name__ == "__main__":
    main()
