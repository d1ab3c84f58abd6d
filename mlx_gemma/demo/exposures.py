"""Pictures to learn from: drawn films and unlike pictures, with what lies where in them.

N pictures  P patches  S side of a picture  K kinds of finding and "unlike"  F findings with their sides and "unlike"
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
from mlx_gemma.demo.film import KINDS, SIDED, Finding, choose_film, crowd_findings
from mlx_gemma.demo.words import Truth

SEEN: tuple[Finding, ...] = (
    *(Finding(kind, "left") for kind in SIDED),
    *(Finding(kind, "right") for kind in SIDED),
    Finding("large heart"),
)


@dataclass(frozen=True)
class Eye:
    """The tower that pictures are for: its picture's side in pixels, its patches along that side."""

    size: int
    grid: int
    unlike_share: float = 0.2


@dataclass(frozen=True)
class Shown:
    """One picture, what it is, and what lies where on the grid of patches (G, G, K)."""

    image: Image.Image
    truth: Truth
    patches: NDArray[np.bool_]

    def findings(self) -> list[bool]:
        """(F) which findings the picture has, or that it is unlike."""
        return [self.truth is not None and f in self.truth for f in SEEN] + [self.truth is None]


@dataclass(frozen=True)
class Pictures:
    """pixels (N, S, S, 3); patches (N, P, K): 1 where something lies; findings (N, F): 1 for what is there. float32"""

    pixels: NDArray[np.float32]
    patches: NDArray[np.float32]
    findings: NDArray[np.float32]


def show(rng: np.random.Generator, eye: Eye, *, crowded: bool = False) -> Shown:
    """Draw a picture, a chest or not; `crowded` with more findings than films have."""
    width = int(rng.integers(112, 225))
    if rng.random() < eye.unlike_share:
        everywhere = np.zeros((eye.grid, eye.grid, len(KINDS) + 1), bool)
        everywhere[..., -1] = True
        return Shown(unlike.make(rng, width), None, everywhere)
    film = choose_film(rng, crowd_findings(rng) if crowded else None)
    drawing = draw(film, width)
    patches = np.pad(cells(drawing, KINDS, eye.grid), ((0, 0), (0, 0), (0, 1)))
    return Shown(drawing.image, film.truth, patches)


def stack(shown: Sequence[Shown], eye: Eye) -> Pictures:
    """Pictures of one step, prepared as the library prepares a user's."""
    pixels = np.stack([vision.prepare(each.image, eye.size)[0] for each in shown])
    patches = np.stack([each.patches for each in shown]).reshape(len(shown), -1, len(KINDS) + 1)
    findings = np.array([each.findings() for each in shown], np.float32)
    return Pictures(pixels, patches.astype(np.float32), findings)


def make_pictures(seed: Sequence[int], eye: Eye, count: int) -> Pictures:
    """Crowded pictures; the same for the same seed."""
    rng = np.random.default_rng(tuple(seed))
    return stack([show(rng, eye, crowded=True) for _ in range(count)], eye)
