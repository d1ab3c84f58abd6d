"""A picture as the tower wants it: squares of normalised pixels, the whole first, then its crops."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.errors import OptionError, PictureError
from vision.pictures import Picture

Fit = Literal["squash", "pad"]
Box = tuple[int, int, int, int]  # left, upper, right, lower, in pixels


@dataclass(frozen=True)
class PanAndScan:
    """Crops of a long picture beside the whole (Gemma 3 report, section 2.1); the defaults are the checkpoints' own.

    min_crop: pixels a crop's shorter side must have, or there are none.
    max_crops: at most so many.
    min_ratio: the longer side over the shorter from which a picture is cut.
    """

    min_crop: int = 256
    max_crops: int = 4
    min_ratio: float = 1.2

    def crops(self, width: int, height: int) -> list[Box]:
        """The crops of a picture of this size, along its longer side; empty when it is square enough or small."""
        longer, shorter = max(width, height), min(width, height)
        if shorter < 1 or longer / shorter < self.min_ratio:
            return []
        wanted = min(math.floor(longer / shorter + 0.5), math.floor(longer / self.min_crop))
        count = min(max(2, wanted), self.max_crops)
        step = math.ceil(longer / count)
        if min(step, shorter) < self.min_crop:
            return []
        if width >= height:
            return [(at, 0, min(at + step, width), height) for at in range(0, count * step, step)]
        return [(0, at, width, min(at + step, height)) for at in range(0, count * step, step)]


def prepare(
    picture: Picture | Image.Image, size: int, *, fit: Fit = "squash", pan_and_scan: PanAndScan | None = None
) -> NDArray[np.float32]:
    """Pixels for the tower: (1 + crops, size, size, 3) float32 in [-1, 1].

    Bilinear with Pillow's antialiasing, then (x - 127.5) / 127.5, as transformers' PIL processor of Gemma 3 does.
    fit: "squash" scales both sides to the square (the reference); "pad" puts black around it first,
    so that nothing is stretched.

    Raises OptionError for a fit that there is not, PictureError for an empty picture.
    """
    return normalised(squares(picture, size, fit=fit, pan_and_scan=pan_and_scan))


def squares(
    picture: Picture | Image.Image, size: int, *, fit: Fit = "squash", pan_and_scan: PanAndScan | None = None
) -> NDArray[np.uint8]:
    """The whole picture and its crops before they are normalised: (1 + crops, size, size, 3) in 0..255."""
    if fit not in ("squash", "pad"):
        raise OptionError(f"fit is 'squash' or 'pad', not {fit!r}")
    image = (picture.image if isinstance(picture, Picture) else picture).convert("RGB")
    if min(image.size) < 1:
        raise PictureError("the picture has no pixels")
    boxes = pan_and_scan.crops(*image.size) if pan_and_scan else []
    views = [image, *(image.crop(box) for box in boxes)]
    return np.stack([_square(view, size, fit) for view in views])


def normalised(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """0..255 to [-1, 1]."""
    return (values.astype(np.float32) - 127.5) / 127.5


def _square(image: Image.Image, size: int, fit: Fit) -> NDArray[np.uint8]:
    if fit == "pad":
        side = max(image.size)
        padded = Image.new("RGB", (side, side))
        padded.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        image = padded
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
