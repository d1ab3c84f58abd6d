"""Draws a film: a schematic chest radiograph in shades of grey, bright where the body absorbs.

All anatomy is written in chest coordinates: u runs from -1 to 1 across the rib cage (u < 0 is the left edge of
the picture, the patient's right), v from 0 at the tips of the lungs to 1 at their bases; w is the distance
from the midline. Arrays are (H, W) float32.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mlx_gemma.demo import anatomy
from mlx_gemma.demo.film import Film, Finding, Kind

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Drawing:
    """The picture (PIL "L"), and for each finding a plane of 0..1 that says where in the picture it lies."""

    image: Image.Image
    where: dict[Finding, Plane]


@dataclass
class Canvas:
    """What the findings draw on: chest coordinates, the lungs, and the brightness so far."""

    film: Film
    rng: np.random.Generator
    u: Plane
    v: Plane
    lungs: dict[int, Plane]  # by side: -1 left half of the picture, +1 right half
    heart: Plane
    light: Plane
    texture: Plane
    where: dict[Finding, Plane] = field(default_factory=dict[Finding, Plane])


def draw(film: Film, width: int) -> Drawing:
    """Draw a film `width` pixels wide; the same film at another width is the same picture, finer or coarser.

    Noise is per pixel and so the one thing that differs.
    """
    height = max(8, round(width * film.aspect))
    u, v = chest_coordinates(film, width, height)
    rng = np.random.default_rng(film.seed)
    lungs = {side: anatomy.lung(side * u, v) for side in (-1, 1)}
    heart = anatomy.heart(u, v, film.heart)
    canvas = Canvas(
        film, rng, u, v, lungs, heart, np.empty(0, np.float32), anatomy.texture(rng, height, width)
    )
    canvas.light = anatomy.light(canvas.u, canvas.v, lungs, heart, canvas.texture, rng)
    for finding in film.findings:
        canvas.where[finding] = PAINT[finding.kind](canvas, 1 if finding.side == "left" else -1)
    light = expose(canvas.light, film, np.random.default_rng((film.seed, 1)))
    where = canvas.where
    if film.flipped:
        light = light[:, ::-1]
        where = {f.mirrored(): p[:, ::-1] for f, p in where.items()}
    image = Image.fromarray(np.round(light * 255).astype(np.uint8), "L")
    if film.blur > 0:
        image = image.filter(ImageFilter.GaussianBlur(film.blur * width))
    return Drawing(image, where)


def chest_coordinates(film: Film, width: int, height: int) -> tuple[Plane, Plane]:
    """(u, v) of every pixel's centre."""
    x = (np.arange(width, dtype=np.float32) + 0.5) / width - np.float32(film.centre[0])
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - np.float32(film.centre[1])) * film.aspect
    cos, sin = np.float32(np.cos(film.tilt)), np.float32(np.sin(film.tilt))
    across = (cos * x[None, :] + sin * y[:, None]) / np.float32(film.scale)
    down = (cos * y[:, None] - sin * x[None, :]) / np.float32(film.scale * film.stretch * film.aspect**0.5)
    return across.astype(np.float32, copy=False), (down / np.float32(1.9) + np.float32(0.5)).astype(
        np.float32, copy=False
    )


def expose(light: Plane, film: Film, rng: np.random.Generator) -> Plane:
    """Gain, gamma, black border and grain, as a plane of 0..1."""
    height, width = light.shape
    light = np.clip(light * np.float32(film.gain) + np.float32(film.offset), 0, 1) ** np.float32(film.gamma)
    edge = round(film.collimation * width)
    if edge > 0:
        light[:edge], light[-edge:], light[:, :edge], light[:, -edge:] = 0, 0, 0, 0
    grain = rng.standard_normal((height, width), dtype=np.float32)
    return np.clip(light + np.float32(film.noise) * grain, 0, 1).astype(np.float32, copy=False)


def effusion(canvas: Canvas, side: int) -> Plane:
    """Fluid at the base: white up to a level that climbs towards the ribs."""
    w, size = side * canvas.u, np.float32(canvas.rng.uniform(0.22, 0.5))
    level = np.float32(1.0) - size - 0.18 * np.clip(w, 0, 1) ** 3
    room = anatomy.soft(anatomy.outer(canvas.v) - w) * anatomy.soft(w - 0.12, 0.1)
    fluid = room * anatomy.soft(canvas.v - level, 0.03) * anatomy.soft(1.0 - canvas.v, 0.1)
    canvas.light += fluid * (np.float32(0.70) + 0.1 * canvas.texture - canvas.light)
    return fluid


def opacity(canvas: Canvas, side: int) -> Plane:
    """A white cloud without edges in the upper or middle of a lung."""
    rng, w = canvas.rng, side * canvas.u
    cx, cy = rng.uniform(0.42, 0.62), rng.uniform(0.24, 0.60)
    cloud = np.zeros_like(w)
    for _ in range(4):
        bx, by, r = cx + rng.normal(0, 0.09), cy + rng.normal(0, 0.06), rng.uniform(0.11, 0.20)
        cloud = np.maximum(cloud, np.exp(-(((w - bx) / r) ** 2 + ((canvas.v - by) / (0.6 * r)) ** 2)))
    cloud = (cloud * np.clip(1 + 0.6 * canvas.texture, 0.4, 1.3)).astype(np.float32) * canvas.lungs[side]
    canvas.light += np.float32(rng.uniform(0.32, 0.45)) * cloud
    return (cloud > 0.35).astype(np.float32)


def pneumothorax(canvas: Canvas, side: int) -> Plane:
    """Air outside the lung: black without vessels, and the thin white edge of the lung that fell inwards."""
    w, v, lung = side * canvas.u, canvas.v, canvas.lungs[side]
    fall = np.float32(canvas.rng.uniform(0.26, 0.45))
    edge = anatomy.outer(np.clip(v - 0.35 * fall, 0, 1)) - fall
    air = anatomy.soft(w - edge, 0.02) * lung
    line = np.exp(-(((w - edge) / 0.022) ** 2)) * lung
    canvas.light += air * (np.float32(0.03) + 0.35 * canvas.light - canvas.light)
    canvas.light += 0.30 * line + 0.07 * (lung - air)
    return air


def nodule(canvas: Canvas, side: int) -> Plane:
    """A small round white spot with a sharp edge, clear of the heart."""
    rng, w = canvas.rng, side * canvas.u
    y = rng.uniform(0.16, 0.52)
    x = rng.uniform(0.34, min(0.74, float(anatomy.outer(np.float32(y))) - 0.14))
    radius = rng.uniform(0.09, 0.125)
    far = np.hypot(w - np.float32(x), (canvas.v - np.float32(y)) * np.float32(1.9))
    spot = anatomy.soft(np.float32(radius) - far, 0.015)
    canvas.light += np.float32(rng.uniform(0.38, 0.48)) * spot
    return spot


def pacemaker(canvas: Canvas, side: int) -> Plane:
    """A metal box below the collar bone and its lead to the heart."""
    rng, w, v = canvas.rng, side * canvas.u, canvas.v
    x, y = rng.uniform(0.52, 0.72), rng.uniform(0.10, 0.20)
    a, b = rng.uniform(0.11, 0.16), rng.uniform(0.05, 0.075)
    box = anatomy.soft(1 - ((np.abs(w - x) / a) ** 4 + (np.abs(v - y) / b) ** 4), 0.15)
    t = np.clip((v - y) / (0.70 - y), 0, 1)  # the lead runs down and inwards, across the midline a little
    path = np.float32(x - a) * (1 - t) ** 2.2 - np.float32(0.12 * side) * t * np.sin(3.0 * t)
    lead = np.exp(-(((w - path) / 0.02) ** 2)) * ((v > y) & (v < 0.72))
    metal = np.maximum(box, np.float32(0.85) * lead).astype(np.float32)
    canvas.light += metal * (np.float32(0.98) - canvas.light)
    return box


def large_heart(canvas: Canvas, side: int) -> Plane:
    """Nothing to add: the film's heart is drawn wide from the start."""
    del side
    return canvas.heart


PAINT = {
    "effusion": effusion,
    "opacity": opacity,
    "pneumothorax": pneumothorax,
    "nodule": nodule,
    "pacemaker": pacemaker,
    "large heart": large_heart,
}


def cells(drawing: Drawing, kinds: tuple[Kind, ...], grid: int) -> NDArray[np.bool_]:
    """Which cells of a grid laid over the picture hold which finding: (grid, grid, kinds)."""
    out = np.zeros((grid, grid, len(kinds)), bool)
    for finding, plane in drawing.where.items():
        share = Image.fromarray(plane.astype(np.float32)).resize((grid, grid), Image.Resampling.BOX)
        amount = np.asarray(share)
        out[..., kinds.index(finding.kind)] |= amount > min(0.3, 0.5 * float(amount.max()))
    return out
