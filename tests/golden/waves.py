"""The pictures whose pixels are compared with the reference's: waves, so that any shift or swap shows."""

import numpy as np
from PIL import Image

SIDE = 28
SIZES = {
    "square": (40, 40),
    "wide": (90, 30),
    "tall": (33, 120),
    "small": (7, 5),
    "long": (400, 30),
    "near": (35, 30),
}
MIN_CROP, MAX_CROPS, MIN_RATIO = 16, 4, 1.2


def drawn(name: str) -> Image.Image:
    """The same picture for the same name."""
    width, height = SIZES[name]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = [np.sin(x / 3 + y / 7), np.cos(x / 5), np.sin(y / 2) * np.cos(x / 11)]
    return Image.fromarray(np.stack([(127.5 + 127 * wave).astype(np.uint8) for wave in waves], axis=-1))
