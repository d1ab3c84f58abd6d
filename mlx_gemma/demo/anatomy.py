"""The healthy chest as brightness over chest coordinates (see drawing.py): lungs, heart, bones, vessels, body."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane = NDArray[np.float32]


def soft(distance: Any, width: float = 0.04) -> Any:
    """0 well outside, 1 well inside, smooth over +-width around distance 0."""
    t = np.clip(distance * np.float32(0.5 / width) + np.float32(0.5), 0, 1)
    return t * t * (3 - 2 * t)


def outer(v: Any) -> Any:
    """How far from the midline the rib cage reaches at height v."""
    t = np.clip(1 - v / 0.8, 0, 1)
    return np.float32(0.95) * np.sqrt(np.clip(1 - t * t, 0, 1))


def lung(w: Plane, v: Plane) -> Plane:
    """One lung, 0..1: ribs outside, mediastinum inside, the dome of the diaphragm below."""
    dome = np.float32(0.99) - 0.17 * np.clip(1 - ((w - 0.42) / 0.55) ** 2, 0, 1)
    return soft(outer(v) - w) * soft(w - 0.14) * soft(dome - v, 0.025) * (v > 0)


def heart(u: Plane, v: Plane, half: float) -> Plane:
    """The heart's shadow, 0..1: an ellipse leaning to the patient's left, `half` its half-width."""
    x, y = u - np.float32(0.12 + 0.12 * half), (v - np.float32(0.90 - 0.45 * half)) * np.float32(1.9)
    a, b = 0.94 * x + 0.34 * y, 0.94 * y - 0.34 * x
    far = np.sqrt((a / np.float32(half)) ** 2 + (b / np.float32(0.8 * half + 0.05)) ** 2)
    return soft(1 - far, 0.08) * soft(1.0 - v, 0.05)


def texture(rng: np.random.Generator, height: int, width: int) -> Plane:
    """Smooth random mottle of mean 0 and order 1, the same at any size for the same generator."""
    out = np.zeros((height, width), np.float32)
    for cells_across, weight in ((6, 0.6), (14, 0.4)):
        grid = Image.fromarray(rng.standard_normal((cells_across, cells_across)).astype(np.float32))
        out += weight * np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC))
    return out


def light(
    u: Plane, v: Plane, lungs: dict[int, Plane], heart: Plane, texture: Plane, rng: np.random.Generator
) -> Plane:
    """Brightness 0..1 of a chest without findings."""
    w = np.abs(u)
    neck = 0.34 + 0.95 * np.clip((v + 0.16) / 0.16, 0, 1)
    body = soft(np.where(v < 0, neck, 1.22 + 0.06 * v) - w, 0.06)
    air = lungs[-1] + lungs[1]
    out = body * (np.float32(0.50) + 0.03 * texture) + 0.02
    out += 0.10 * soft(v - 0.9, 0.1) * body  # the belly
    out -= air * (np.float32(0.36) + 0.03 * texture)
    out += 0.13 * np.exp(-((u / 0.13) ** 2)) * (1 + 0.35 * np.cos(v * 50)) * body  # the spine
    out += 0.10 * soft(0.30 - w, 0.1) * soft(v - 0.05, 0.1) * soft(0.75 - v, 0.1)  # the great vessels
    out += (0.30 * heart) * np.clip(air + 0.35, 0, 1)
    out += ribs(w, v, float(rng.uniform(0.7, 1.1))) * soft(outer(v) + 0.06 - w, 0.03) * soft(0.97 - v)
    out += clavicles(w, v, float(rng.uniform(-0.03, 0.03)))
    out += vessels(u, v, air, rng)
    return out.astype(np.float32)


def ribs(w: Plane, v: Plane, strength: float) -> Plane:
    """Back ribs that slope down and outwards, and fainter front ribs that slope the other way."""
    back = np.cos((v - 0.20 * w * w + 0.10 * w) * 56)
    front = np.cos((v + 0.30 * w) * 47 + 1)
    return strength * (
        0.085 * np.clip(back - 0.1, 0, 1) + 0.04 * np.clip(front - 0.3, 0, 1) * soft(w - 0.45, 0.2)
    )


def clavicles(w: Plane, v: Plane, raise_by: float) -> Plane:
    """The two collar bones."""
    path = 0.10 - 0.13 * np.clip(w, 0, 1.1) + 0.03 * np.sin(5 * w) - raise_by
    return 0.22 * np.exp(-(((v - path) / 0.022) ** 2)) * soft(w - 0.14, 0.04) * soft(1.1 - w, 0.05)


def vessels(u: Plane, v: Plane, air: Plane, rng: np.random.Generator) -> Plane:
    """Branches that fan out from the root of each lung and fade outwards."""
    size = 384
    sheet = Image.new("L", (size, size))  # u in -1..1, v in 0..1
    pen = ImageDraw.Draw(sheet)
    for side in (-1, 1):
        for angle in np.linspace(-1.2, 1.3, 8) + rng.normal(0, 0.1, 8):
            x, y, turn = side * 0.2, 0.44, float(angle)
            for width, shade in ((8, 210), (6, 165), (4, 130), (3, 90)):
                turn += float(rng.normal(0, 0.25))
                step = float(rng.uniform(0.10, 0.17))
                x2, y2 = x + side * step * np.cos(turn), y + 0.5 * step * np.sin(turn) * 1.6
                pen.line(
                    [((x + 1) * size / 2, y * size), ((x2 + 1) * size / 2, y2 * size)],
                    fill=shade,
                    width=width,
                )
                x, y = x2, y2
    plane = np.asarray(sheet.filter(ImageFilter.BoxBlur(1)))
    row = np.clip((v * size).astype(np.int32), 0, size - 1)
    column = np.clip(((u + 1) * size / 2).astype(np.int32), 0, size - 1)
    return plane[row, column].astype(np.float32) * np.float32(0.14 / 255) * air
