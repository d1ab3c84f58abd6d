"""What transformers' PIL processor of Gemma 3 makes of pictures: run where transformers is, commit pixels.safetensors.

    python -m tests.golden.make_pixels

Whole pictures of odd sizes, and the crops of long ones (transformers 5.23.0, Pillow 12 and 13 agree).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from tests.golden.waves import MAX_CROPS, MIN_CROP, MIN_RATIO, SIDE, SIZES, drawn

PAN = {
    "do_pan_and_scan": True,
    "pan_and_scan_min_crop_size": MIN_CROP,
    "pan_and_scan_max_num_crops": MAX_CROPS,
    "pan_and_scan_min_ratio_to_activate": MIN_RATIO,
}


def processed(image: Image.Image, **options: object) -> NDArray[np.float32]:
    """(1 + crops, S, S, 3), the reference's own."""
    processor = Gemma3ImageProcessorPil(size={"height": SIDE, "width": SIDE})
    pixels = processor(image, return_tensors="np", **options)["pixel_values"]
    return np.ascontiguousarray(np.asarray(pixels, dtype=np.float32).transpose(0, 2, 3, 1))


if __name__ == "__main__":
    golden = {name: processed(drawn(name)) for name in SIZES}
    golden |= {f"{name}/crops": processed(drawn(name), **PAN) for name in SIZES}
    save_file(golden, Path(__file__).with_name("pixels.safetensors"))
