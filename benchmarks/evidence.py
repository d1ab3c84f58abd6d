"""Every figure once more, into docs/evidence/speed.md: what `make evidence` does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.rival import folder_for_both

PAGE = Path(__file__).parents[1] / "docs" / "evidence" / "speed.md"
HEAD = """# Speed

Made by `python -m benchmarks.evidence`; each section by the command that it names, which can be run alone. Figures are
pairs of alternating runs, ours and mlx-lm's, on whatever this machine did meanwhile; the ratio is ours / theirs.

"""
WITHOUT = {**os.environ, "MLX_GEMMA_BLAS": "off"}
RUNS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("start --pairs 3", os.environ),
    ("overhead --pairs 7", os.environ),
    ("speed --pairs 5", os.environ),
    ("hang --generations 160 --model demo", os.environ),
    ("hang --generations 40", os.environ),
    ("speed --pairs 3 --prefill 128", WITHOUT),
    ("installed --pairs 3", os.environ),
)


def output(command: str, environment: Mapping[str, str]) -> str:
    """What a benchmark prints; its own progress and warnings go where ours go."""
    arguments = [sys.executable, "-m", *f"benchmarks.{command}".split()]
    return subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout


def main() -> None:
    folder_for_both()
    sections: list[str] = []
    for command, environment in RUNS:
        print(f"python -m benchmarks.{command} ...", file=sys.stderr)
        sections.append(output(command, environment))
        PAGE.write_text(HEAD + "\n".join(sections))


if __name__ == "__main__":
    main()
