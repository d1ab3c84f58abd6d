"""Pictures to pixels: the reference's own values, and the fits and crops that are to choose from."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

import vision
from tests.golden.waves import MAX_CROPS, MIN_CROP, MIN_RATIO, SIDE, SIZES, drawn
from vision.errors import OptionError

GOLDEN = load_file(Path(__file__).parents[1] / "golden" / "pixels.safetensors")
PAN = vision.PanAndScan(min_crop=MIN_CROP, max_crops=MAX_CROPS, min_ratio=MIN_RATIO)
CROPS = {"square": 0, "wide": 3, "tall": 4, "small": 0, "long": 4, "near": 0}


@pytest.mark.parametrize("name", SIZES)
def test_pixels_are_the_references(name: str) -> None:
    """Squashed, antialiased and normalised to within float32's rounding of transformers' PIL processor."""
    pixels = vision.prepare(drawn(name), SIDE)
    assert (pixels.dtype, pixels.shape) == (np.float32, (1, SIDE, SIDE, 3))
    np.testing.assert_allclose(pixels, GOLDEN[name], atol=1e-6)


@pytest.mark.parametrize("name", SIZES)
def test_crops_are_the_references(name: str) -> None:
    """The whole first, then each crop in order, as many as the rule says."""
    pixels = vision.prepare(drawn(name), SIDE, pan_and_scan=PAN)
    assert len(pixels) == 1 + CROPS[name]
    np.testing.assert_allclose(pixels, GOLDEN[f"{name}/crops"], atol=1e-6)


def test_padding_keeps_proportions() -> None:
    """A wide white picture becomes a white band between black ones; squashed it fills the square."""
    white = Image.new("RGB", (80, 40), "white")
    padded = vision.prepare(white, 40, fit="pad")[0, :, 20, 0]
    assert (padded[:9] == -1).all()
    assert (padded[11:29] == 1).all()
    assert (padded[31:] == -1).all()
    assert (vision.prepare(white, 40) == 1).all()


def test_an_unknown_fit_is_refused() -> None:
    """It names what there is."""
    with pytest.raises(OptionError, match="'squash' or 'pad'"):
        vision.prepare(drawn("square"), SIDE, fit="stretch")  # type: ignore[arg-type]
