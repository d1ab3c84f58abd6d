"""Pictures in, features out: reading pictures, preparing pixels, and the SigLIP tower."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vision.backend import load_blas

BLAS = load_blas()  # before anything below imports mlx

if TYPE_CHECKING:
    from vision.config import VisionConfig as VisionConfig
    from vision.errors import GemmaError as GemmaError
    from vision.errors import PictureError as PictureError
    from vision.pictures import Picture as Picture
    from vision.pictures import open_picture as open_picture
    from vision.pixels import PanAndScan as PanAndScan
    from vision.pixels import prepare as prepare
    from vision.siglip import VisionTower as VisionTower

_HOME = {
    "GemmaError": "vision.errors",
    "PanAndScan": "vision.pixels",
    "Picture": "vision.pictures",
    "PictureError": "vision.errors",
    "VisionConfig": "vision.config",
    "VisionTower": "vision.siglip",
    "open_picture": "vision.pictures",
    "prepare": "vision.pixels",
}

__all__ = [*_HOME, "BLAS"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vision' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
