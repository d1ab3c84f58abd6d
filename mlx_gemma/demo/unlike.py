"""Pictures that are not drawn chests, of many kinds, so that the demo learns to decline what it does not know.

Every picture is made from random numbers; no photograph is needed to train. Real photographs and scans are for
the tests. Each maker takes (rng, width, height) and gives an (H, W, 3) or (H, W) float array of 0..1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from mlx_gemma.demo.drawing import draw
from mlx_gemma.demo.film import choose_film

Field = NDArray[Any]
Maker = Callable[[np.random.Generator, int, int], Field]


def colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """A random colour, grey a third of the time."""
    r, g, b = (int(c) for c in rng.integers(0, 256, 3))
    return (r, r, r) if rng.random() < 0.35 else (r, g, b)


def as_field(image: Image.Image) -> Field:
    """Pixels as floats of 0..1."""
    return np.asarray(image, np.float32) / 255


def blank(rng: np.random.Generator, width: int, height: int) -> Field:
    """One colour, perhaps with a little grain."""
    return as_field(Image.new("RGB", (width, height), colour(rng)))


def clouds(rng: np.random.Generator, width: int, height: int) -> Field:
    """Noise of any spectrum, from white to fog, grey or coloured: the power law of natural pictures."""
    channels = 1 if rng.random() < 0.5 else 3
    steep = rng.uniform(0, 2.2)
    wave = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    wave[0, 0] = 1
    layers: list[Field] = []
    for _ in range(channels):
        spectrum = np.fft.fft2(rng.standard_normal((height, width))) / wave**steep
        layer = np.real(np.fft.ifft2(spectrum))
        layers.append((layer - layer.mean()) / (layer.std() + 1e-6))
    field = np.stack(layers, -1)
    if channels == 3:
        field = field * 0.6 + field.mean(-1, keepdims=True) * 0.7
    return np.clip(rng.uniform(0.2, 0.8) + rng.uniform(0.05, 0.3) * field.squeeze(), 0, 1)


def gradient(rng: np.random.Generator, width: int, height: int) -> Field:
    """A smooth ramp or a spotlight between two colours."""
    x, y = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
    angle = rng.uniform(0, 6.3)
    t = (x * np.cos(angle) + y * np.sin(angle)) / 2 + 0.5
    if rng.random() < 0.5:
        t = np.hypot(x - rng.uniform(-1, 1), y - rng.uniform(-1, 1)) / rng.uniform(0.5, 2)
    t = np.clip(t, 0, 1)[..., None]
    return (np.array(colour(rng)) * t + np.array(colour(rng)) * (1 - t)) / 255


def leaves(rng: np.random.Generator, width: int, height: int) -> Field:
    """Overlapping shapes of all sizes, near ones over far ones: a simple model of a photograph."""
    image = Image.new("RGB", (width, height), colour(rng))
    pen = ImageDraw.Draw(image)
    base, grey = np.array(colour(rng)), rng.random() < 0.4
    for _ in range(int(rng.integers(2, 160))):
        r = min(width, height) * 0.5 * float(rng.power(0.6)) + 2
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        mix = (0.6 * np.array(colour(rng)) + 0.4 * base).astype(int)
        fill = (int(mix[0]),) * 3 if grey else (int(mix[0]), int(mix[1]), int(mix[2]))
        kind = int(rng.integers(4))
        rx, ry = r, r * rng.uniform(0.3, 1)
        if kind == 0:
            pen.ellipse((x - rx, y - ry, x + rx, y + ry), fill=fill)
        elif kind == 1:
            pen.rectangle((x - rx, y - ry, x + rx, y + ry), fill=fill)
        elif kind == 2:
            turns = np.sort(rng.uniform(0, 6.3, int(rng.integers(3, 8))))
            pen.polygon([(x + rx * np.cos(t), y + rx * np.sin(t)) for t in turns], fill=fill)
        else:
            x2, y2 = rng.uniform(0, width), rng.uniform(0, height)
            pen.line((x, y, x2, y2), fill=fill, width=int(rng.integers(1, 9)))
    if rng.random() < 0.6:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.03) * width))
    field = as_field(image)
    return np.clip(field + rng.uniform(0, 0.5) * (grain(rng, width, height)[..., None] - 0.5), 0, 1)


def grain(rng: np.random.Generator, width: int, height: int) -> Field:
    """A grey layer of clouds."""
    field = clouds(rng, width, height)
    return field if field.ndim == 2 else field.mean(-1)


def landscape(rng: np.random.Generator, width: int, height: int) -> Field:
    """Sky over ground with textured hills, or the same with another orientation."""
    field = np.empty((height, width, 3))
    field[:] = gradient(rng, width, height)
    for _ in range(int(rng.integers(1, 5))):
        line = rng.uniform(0.1, 1) * height + np.cumsum(rng.normal(0, rng.uniform(0.2, 3), width))
        ground = np.arange(height)[:, None] > line[None, :]
        paint = np.array(colour(rng)) / 255 * (0.4 + 1.0 * grain(rng, width, height)[..., None])
        field = np.where(ground[..., None], paint, field)
    return np.clip(np.rot90(field) if width == height and rng.random() < 0.3 else field, 0, 1)


def page(rng: np.random.Generator, width: int, height: int) -> Field:
    """Lines of writing, paragraphs and rules: dark on light or light on dark."""
    ink, paper = (0, 255) if rng.random() < 0.7 else (255, 0)
    image = Image.new("L", (width, height), paper)
    pen = ImageDraw.Draw(image)
    size = float(rng.uniform(6, 26))
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz     ABCDEFGHIJ0123456789.,-"))
    y, left = rng.uniform(0, 20), rng.uniform(0, 20)
    while y < height:
        if rng.random() < 0.85:
            line = "".join(rng.choice(letters, int(rng.integers(5, 60))))
            pen.text((left, y), line, fill=ink, font_size=size)
        y += size * rng.uniform(1.0, 1.6)
    return as_field(image)


def pattern(rng: np.random.Generator, width: int, height: int) -> Field:
    """Stripes, checks, rings and plaids."""
    x, y = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
    f, angle, kind = rng.uniform(3, 50), rng.uniform(0, 6.3), int(rng.integers(4))
    a, b = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    wave = [
        np.sin(f * a),
        np.sin(f * a) * np.sin(f * b),
        np.sin(f * np.hypot(a, b)),
        np.sin(f * a) + np.sin(f * b),
    ]
    t = wave[kind] * 0.5 + 0.5
    t = (t > 0.5).astype(float) if rng.random() < 0.5 else np.clip(t, 0, 1)
    return (np.array(colour(rng)) * t[..., None] + np.array(colour(rng)) * (1 - t[..., None])) / 255


def chart(rng: np.random.Generator, width: int, height: int) -> Field:
    """Bars, curves and axes, or the boxes of a program's window."""
    image = Image.new("RGB", (width, height), (255, 255, 255) if rng.random() < 0.7 else colour(rng))
    pen = ImageDraw.Draw(image)
    n = int(rng.integers(3, 14))
    if rng.random() < 0.5:
        for i, h in enumerate(rng.uniform(0, 0.9, n)):
            pen.rectangle(
                (i * width / n + 2, height * (1 - h), (i + 0.8) * width / n + 2, height), fill=colour(rng)
            )
    else:
        for _ in range(int(rng.integers(1, 5))):
            ys = np.clip(0.5 + np.cumsum(rng.normal(0, 0.12, n)), 0, 1) * height
            pen.line([(i * width / n, float(h)) for i, h in enumerate(ys)], fill=colour(rng), width=2)
    pen.line((4, 0, 4, height - 4, width, height - 4), fill=colour(rng), width=2)
    return as_field(image)


def scan(rng: np.random.Generator, width: int, height: int) -> Field:
    """A body part on black, unlike a chest film: a slice, a skull, limbs; grey blobs inside brighter rims."""
    x, y = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
    field = np.full((height, width), rng.uniform(0, 0.1))
    for _ in range(int(rng.integers(1, 4))):
        cx, cy = rng.normal(0, 0.25, 2)
        a, b, turn = rng.uniform(0.25, 0.95), rng.uniform(0.2, 0.95), rng.uniform(0, 3.2)
        u, v = (
            (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn),
            (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn),
        )
        angle = np.arctan2(v, u)
        wobble = 1 + sum(rng.normal(0, 0.06) * np.cos(k * angle + rng.uniform(0, 6)) for k in range(2, 6))
        far = np.hypot(u / a, v / b) / wobble
        inside = rng.uniform(0.2, 0.7) + rng.uniform(0, 0.3) * (grain(rng, width, height) - 0.5)
        rim = rng.uniform(0, 0.5) * np.exp(-(((far - rng.uniform(0.85, 1)) / 0.05) ** 2))
        field = np.where(far < 1, inside + rim, field)
    for _ in range(int(rng.integers(0, 14))):
        cx, cy, r = rng.normal(0, 0.4), rng.normal(0, 0.4), rng.uniform(0.03, 0.35)
        blob = np.hypot(x - cx, (y - cy) * rng.uniform(0.6, 1.8)) < r
        field = np.where(blob & (field > 0.12), field + rng.normal(0, 0.2), field)
    return np.clip(field + rng.uniform(0, 0.08) * rng.standard_normal((height, width)), 0, 1)


def spoiled(rng: np.random.Generator, width: int, height: int) -> Field:
    """A drawn chest that is no longer one: on its side or head, cut into shuffled tiles, or a small corner of it."""
    film = choose_film(rng)
    field = as_field(draw(film, max(width, height)).image)
    kind = int(rng.integers(4))
    if kind == 0:
        return np.rot90(field, int(rng.integers(1, 4)))
    if kind == 1:
        n = int(rng.integers(2, 6))
        side = min(field.shape) // n
        tiles = [
            field[i * side : (i + 1) * side, j * side : (j + 1) * side] for i in range(n) for j in range(n)
        ]
        order = np.roll(rng.permutation(n * n), 1) if n > 2 else np.array([3, 2, 1, 0])
        return np.block([[tiles[order[i * n + j]] for j in range(n)] for i in range(n)])
    if kind == 2:
        return 1 - field
    h, w = (int(s * rng.uniform(0.15, 0.35)) for s in field.shape)
    y, x = int(rng.integers(field.shape[0] - h)), int(rng.integers(field.shape[1] - w))
    return field[y : y + h, x : x + w]


MAKERS: dict[str, Maker] = {
    f.__name__: f for f in (blank, clouds, gradient, leaves, landscape, page, pattern, chart, scan, spoiled)
}
SHARES = np.array([0.05, 0.12, 0.06, 0.20, 0.11, 0.08, 0.07, 0.05, 0.18, 0.08])


def make(rng: np.random.Generator, width: int, kind: str | None = None) -> Image.Image:
    """A picture about `width` pixels wide that is no drawn chest; colour or grey."""
    kind = kind or str(rng.choice(list(MAKERS), p=SHARES))
    height = round(width * float(rng.choice((1.0, rng.uniform(0.6, 1.6)))))
    field = MAKERS[kind](rng, width, height)
    if rng.random() < 0.25 and field.ndim == 3:
        field = field.mean(-1)
    if rng.random() < 0.3:
        field = field + rng.uniform(0, 0.12) * rng.standard_normal(field.shape)
    if kind not in ("blank", "spoiled") and rng.random() < 0.4:
        field = (field - field.min()) / max(1e-6, float(field.max() - field.min()))
    data = np.round(np.clip(field, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(data).convert("RGB")
