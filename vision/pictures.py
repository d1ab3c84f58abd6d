"""A picture file to upright RGB pixels, in bounded memory, or a clear refusal."""

import struct
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from vision.errors import PictureError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
# What Pillow's decoders raise on bytes that are not what they should be.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)
MAX_PIXELS = 100_000_000  # 0.3 GB as RGB; a large chest film has 16 million

Facts = MappingProxyType[str, Any]


def _no_facts() -> Facts:
    return MappingProxyType({})


@dataclass(frozen=True)
class Picture:
    """An upright picture in RGB and what is known of it: format, original size and what was done to read it."""

    image: Image.Image
    facts: Facts = field(default_factory=_no_facts)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.size


def open_picture(path: str | Path) -> Picture:
    """Read a PNG, JPEG, TIFF, BMP or WebP file.

    Turned upright by its EXIF orientation; 16-bit grey is stretched from its least to its greatest value; transparency
    is dropped, as the reference processor does. A file of several frames gives its first.

    Raises PictureError: no such file, not a picture, damaged or truncated, or over 100 million pixels.
    """
    path = Path(path)
    if not path.is_file():
        raise PictureError(f"{path}: no such picture file" if not path.exists() else f"{path}: not a file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on damaged tags and large sizes; the checks are below
            with Image.open(path, formats=FORMATS) as image:
                return _read(image, path)
    except Image.UnidentifiedImageError:
        kinds = "PNG, JPEG, TIFF, BMP or WebP"
        raise PictureError(f"{path}: not a picture that can be read here (need {kinds})") from None
    except Image.DecompressionBombError:
        raise _too_large(path, None) from None
    except DAMAGE as error:
        raise PictureError(f"{path}: the picture is damaged or cut short ({error})") from None


def _read(image: Image.Image, path: Path) -> Picture:
    width, height = image.size
    facts: dict[str, Any] = {"format": image.format, "width": width, "height": height}
    if width * height > MAX_PIXELS:
        raise _too_large(path, image.size)
    if getattr(image, "n_frames", 1) > 1:
        facts["frames"] = image.n_frames  # type: ignore[attr-defined]
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        facts["stretched"] = True
        upright = _stretched(upright)
    return Picture(upright.convert("RGB"), MappingProxyType(facts))


def _stretched(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    return Image.fromarray(np.round((values - low) * (255.0 / max(high - low, 1e-6))).astype(np.uint8))


def _too_large(path: Path, size: tuple[int, int] | None) -> PictureError:
    shape = (
        f"{size[0]} x {size[1]} = {size[0] * size[1] / 1e6:.0f} million pixels"
        if size
        else "far too many pixels"
    )
    limit = f"{MAX_PIXELS / 1e6:.0f} million"
    return PictureError(f"{path}: {shape}, more than {limit}; scale it down or cut out the part that matters")
