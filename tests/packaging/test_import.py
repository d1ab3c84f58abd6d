"""What an import costs."""

import statistics
import subprocess
import sys

PAIRS = 9
ALLOWED = 0.050  # seconds that mlx_gemma may add

TIMED = "import time; begun = time.process_time(); import {module}; print(time.process_time() - begun)"


def seconds(module: str) -> float:
    """Processor time of one import in a new process; other work on this machine does not count."""
    return float(subprocess.check_output([sys.executable, "-c", TIMED.format(module=module)]))


def test_import_is_cheap() -> None:
    """`import mlx_gemma` costs at most 50 ms more than `import mlx.core`: the median of paired, alternating runs."""
    seconds("mlx.core"), seconds("mlx_gemma")  # warm the file cache
    extra = [seconds("mlx_gemma") - seconds("mlx.core") for _ in range(PAIRS)]
    assert statistics.median(extra) <= ALLOWED


def test_import_reads_no_heavy_library() -> None:
    """Importing ours imports neither transformers, textual, mlx_lm nor torch, whatever is installed."""
    code = (
        "import sys, mlx_gemma; print(sorted({'transformers','textual','mlx_lm','torch'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
