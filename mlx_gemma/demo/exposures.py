"""Pictures to learn from: drawn films and unlike pictures, with what lies where in them.

N pictures  P patches  M tokens a picture  S side of a picture  K kinds of finding, and one more: unlike
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import vision
from mlx_gemma.demo import unlike
from mlx_gemma.demo.drawing import cells, draw
from mlx_gemma.demo.film import KINDS, choose_film, crowd_findings
from mlx_gemma.demo.words import Truth


@dataclass(frozen=True)
class Eye:
    """The tower that pictures are for: its picture's side in pixels, and its grids of patches and of tokens."""

    size: int
    patches: int
    tokens: int
    unlike_share: float = 0.2

    @property
    def grids(self) -> tuple[int, int]:
        """Cells a side: of patches, of tokens."""
        return round(self.patches**0.5), round(self.tokens**0.5)


@dataclass(frozen=True)
class Shown:
    """One picture, what it is, and what lies where on the grid of patches and on that of tokens."""

    image: Image.Image
    truth: Truth
    patches: NDArray[np.bool_]
    tokens: NDArray[np.bool_]


@dataclass(frozen=True)
class Pictures:
    """pixels (N, S, S, 3) float32; patches (N, P, K) and tokens (N, M, K) float32: 1 where something lies."""

    pixels: NDArray[np.float32]
    patches: NDArray[np.float32]
    tokens: NDArray[np.float32]


def show(rng: np.random.Generator, eye: Eye, *, crowded: bool = False) -> Shown:
    """Draw a picture, a chest or not; `crowded` with more findings than films have."""
    width = int(rng.integers(112, 225))
    if rng.random() < eye.unlike_share:
        fine, coarse = (np.zeros((grid, grid, len(KINDS) + 1), bool) for grid in eye.grids)
        fine[..., -1] = coarse[..., -1] = True
        return Shown(unlike.make(rng, width), None, fine, coarse)
    film = choose_film(rng, crowd_findings(rng) if crowded else None)
    drawing = draw(film, width)
    fine, coarse = (np.pad(cells(drawing, KINDS, grid), ((0, 0), (0, 0), (0, 1))) for grid in eye.grids)
    return Shown(drawing.image, film.truth, fine, coarse)


def stack(shown: Sequence[Shown], eye: Eye) -> Pictures:
    """Pictures of one step, prepared as the library prepares a user's."""
    pixels = np.stack([vision.prepare(each.image, eye.size)[0] for each in shown])
    shape = (len(shown), -1, len(KINDS) + 1)
    patches = np.stack([each.patches for each in shown]).reshape(shape)
    tokens = np.stack([each.tokens for each in shown]).reshape(shape)
    return Pictures(pixels, patches.astype(np.float32), tokens.astype(np.float32))


def make_pictures(seed: Sequence[int], eye: Eye, count: int) -> Pictures:
    """Crowded pictures; the same for the same seed."""
    rng = np.random.default_rng(tuple(seed))
    return stack([show(rng, eye, crowded=True) for _ in range(count)], eye)
