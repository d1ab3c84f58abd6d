"""Linux without a GPU: hand MLX a fast BLAS, which has to happen before MLX is first imported.

MLX's CPU wheel for Linux carries the reference BLAS. Its calls (cblas_sgemm and friends) are bound by name, so a
library that is already loaded with its symbols global is found first. On macOS (Accelerate, Metal) nothing is done.
"""

import ctypes
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

# Debian's OpenBLAS, then MKL, the system's or PyPI's (which lies below the environment's own lib).
CANDIDATES = (
    "libopenblas.so.0",
    "libopenblas.so",
    "libmkl_rt.so.2",
    str(Path(sys.prefix) / "lib" / "libmkl_rt.so.2"),
)

HOW_TO_GET = "apt-get install libopenblas0-pthread (Debian, Ubuntu) or dnf install openblas (Fedora)"


@dataclass(frozen=True)
class Blas:
    """Which BLAS multiplies matrices here.

    library: the shared library found, or None.
    too_late: MLX was imported before us, so that the library found is not used.
    needed: False where MLX brings a fast one itself (macOS, CUDA).
    """

    library: str | None
    too_late: bool
    needed: bool

    @property
    def fast(self) -> bool:
        return not self.needed or (self.library is not None and not self.too_late)


def load_blas() -> Blas:
    """Load the system's BLAS with its names global, if this machine wants one. `MLX_GEMMA_BLAS=off` leaves it out."""
    if sys.platform != "linux" or importlib.util.find_spec("mlx_cuda") is not None:
        return Blas(library=None, too_late=False, needed=False)
    too_late = "mlx.core" in sys.modules
    if os.environ.get("MLX_GEMMA_BLAS") == "off":
        return Blas(library=None, too_late=too_late, needed=True)
    for name in CANDIDATES:
        try:
            ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
        except OSError:
            continue
        return Blas(library=Path(name).name, too_late=too_late, needed=True)
    return Blas(library=None, too_late=too_late, needed=True)
