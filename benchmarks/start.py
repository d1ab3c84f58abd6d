"""From the start of the process to the first token on stdout: `mlx_gemma chat -p` beside `mlx_lm generate`.

Both read the same folder with the real 270M in float32, the same question in the same turns, and have stdout as a pipe.
The clock starts before the process and stops at the first byte of the answer; mlx-lm's line of "=" before it does not
count. Then the process is left to end. Both must say the same.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks import rival
from benchmarks.paired import Result, Target, paired, report

PROMPT = "Write one sentence about the heart."
RULE = b"==========\n"


def first_token(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, bytes]:
    """Seconds to the first byte of the answer, and the answer."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        said, answered = b"", 0.0
        while read := os.read(process.stdout.fileno(), 65536):
            said += read
            if not answered and said.removeprefix(RULE) and not RULE.startswith(said):
                answered = time.perf_counter() - began
    if process.returncode or not answered:
        raise RuntimeError(f"{' '.join(command)}: ended with {process.returncode} after {said!r}")
    return answered, said.removeprefix(RULE).partition(b"\n")[0]


def compare(pairs: int) -> list[Result]:
    folder = rival.folder_for_both()
    ours = [
        sys.executable,
        "-m",
        "mlx_gemma",
        "chat",
        "--model",
        str(folder),
        "-p",
        PROMPT,
        "--max-tokens",
        "1",
    ]
    theirs = rival.command(folder, PROMPT, 1)
    without = {**os.environ, "MLX_GEMMA_BLAS": "off"}
    said = {first_token(command, os.environ)[1] for command in (ours, theirs)}
    if len(said) != 1:
        raise RuntimeError(f"the two do not say the same: {said}")

    def seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
        return first_token(command, environment)[0]

    measured = partial(paired, unit="s", pairs=pairs, ours=partial(seconds, ours, os.environ))
    return [
        measured(
            "start to first token, the same BLAS",
            theirs=partial(seconds, theirs, rival.with_our_blas()),
            target=Target("at most", 0.6),
        ),
        measured("start to first token, both as installed", theirs=partial(seconds, theirs, os.environ)),
        paired(
            "start to first token, both without the system's BLAS",
            "s",
            partial(seconds, ours, without),
            partial(seconds, theirs, os.environ),
            pairs=pairs,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--json", type=Path, dest="json_file")
    options = parser.parse_args()
    report("Start to first token", __doc__ or "", compare(options.pairs), options.json_file)


if __name__ == "__main__":
    main()
