"""What this machine computes with: device, library versions, BLAS and memory."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version

import mlx.core as mx

from vision.backend import HOW_TO_GET, Blas


@dataclass(frozen=True)
class Machine:
    """memory_bytes: all that is built in; on Apple silicon the GPU shares it."""

    system: str
    python: str
    mlx: str
    device: str
    memory_bytes: int
    blas: str
    blas_fast: bool


def this_machine(blas: Blas) -> Machine:
    """Look, without computing anything."""
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        mlx=version("mlx"),
        device=device(),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        blas=blas_in_words(blas),
        blas_fast=blas.fast,
    )


def device() -> str:
    """The kind of device that MLX computes on by default, and its name."""
    name = mx.device_info().get("device_name", "")
    if mx.default_device() == mx.Device(mx.cpu, 0):
        return f"CPU ({name})"
    return f"{'Metal' if mx.metal.is_available() else 'CUDA'} ({name})"


def blas_in_words(blas: Blas) -> str:
    """Which library multiplies matrices, and what to do if it is the slow one."""
    if not blas.needed:
        return "MLX's own"
    if blas.library is None:
        return f"MLX's reference BLAS, which is slow; {HOW_TO_GET}"
    if blas.too_late:
        return f"MLX's reference BLAS, which is slow: {blas.library} came too late; import vision before mlx"
    return blas.library
