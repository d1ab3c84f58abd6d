"""Draws the pictures in examples/: python -m mlx_gemma.demo.examples FOLDER"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from mlx_gemma.demo import unlike
from mlx_gemma.demo.drawing import draw
from mlx_gemma.demo.film import Film, Finding

WIDTH = 512

FILMS = {
    "normal": Film(seed=11, noise=0.015),
    "effusion_left": Film((Finding("effusion", "left"),), seed=12, noise=0.015, tilt=0.02),
    "opacity_right": Film((Finding("opacity", "right"),), seed=13, noise=0.02, gamma=0.9),
    "pneumothorax_right": Film((Finding("pneumothorax", "right"),), seed=14, noise=0.015),
    "nodule_left": Film((Finding("nodule", "left"),), seed=15, noise=0.015, tilt=-0.03),
    "pacemaker_large_heart": Film(
        (Finding("pacemaker", "left"), Finding("large heart")), seed=16, noise=0.015, heart=0.64
    ),
}


def pictures() -> dict[str, Image.Image]:
    """Every example by its name."""
    films = {name: draw(film, WIDTH).image for name, film in FILMS.items()}
    return {**films, "not_a_chest": unlike.make(np.random.default_rng(4), WIDTH, "landscape")}


def main() -> None:
    """Write them all as PNG."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    folder: Path = options.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in pictures().items():
        image.save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
