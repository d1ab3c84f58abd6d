"""The system's BLAS on Linux: found before mlx, and known to be too late after it."""

import json
import os
import subprocess
import sys

LINUX = sys.platform == "linux"
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "MLX_GEMMA_BLAS"}


def blas(code: str, **environment: str) -> dict[str, object]:
    """What a fresh interpreter finds after running `code`."""
    shown = "b.library, b.too_late, b.needed, b.fast"
    report = f"{code}\nimport json, vision; b = vision.BLAS; print(json.dumps([{shown}]))"
    done = subprocess.run(
        [sys.executable, "-c", report],
        capture_output=True,
        text=True,
        check=True,
        env={**ENVIRONMENT, **environment},
    )
    return dict(zip(("library", "too_late", "needed", "fast"), json.loads(done.stdout), strict=True))


def test_after_mlx_it_is_too_late() -> None:
    """What was bound at MLX's import stays; the report says so instead of promising speed."""
    late = blas("import mlx.core")
    assert late["too_late"] == late["needed"] == LINUX
    assert late["fast"] == (not LINUX)


def test_it_can_be_left_out() -> None:
    """MLX_GEMMA_BLAS=off runs on what MLX carries; where that is fast anyway, nothing changes."""
    off = blas("", MLX_GEMMA_BLAS="off")
    assert (off["library"], off["fast"]) == (None, not LINUX)


def test_importing_it_starts_no_mlx() -> None:
    """Asking which BLAS there is costs no import of MLX."""
    assert blas("import sys, vision; assert 'mlx.core' not in sys.modules")["too_late"] is False
