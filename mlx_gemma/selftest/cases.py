"""The golden cases: for each a tiny model, what it is given, and how far into a text it stands."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mlx_gemma.selftest.chance import Chance
from mlx_gemma.selftest.draw import Floats
from mlx_gemma.selftest.tiny import (
    BOS,
    FIRST_WORD,
    IMAGE_END,
    IMAGE_SOFT,
    IMAGE_START,
    LAST_WORD,
    Config,
    decoder,
    text_only,
    with_eyes,
)

KEPT_COLUMNS = slice(
    None, None, 5
)  # the golden file keeps every fifth column of the logits: 64 for 64 features


@dataclass(frozen=True)
class Case:
    """`past` positions stand in the cache before `ids`, with drawn keys and values (see `draw_past`)."""

    name: str
    config: Config
    ids: tuple[int, ...]
    pictures: int = 0
    past: int = 0
    seed: int = 0


def draw_pixels(case: Case) -> Floats | None:
    """(N, S, S, 3) in -1..1, smooth enough to be a picture and different for each; None for text."""
    if not case.pictures:
        return None
    chance, size = Chance(1000 + case.seed), case.config["vision_config"]["image_size"]
    coarse = chance.uniform(-1, 1, (case.pictures, 4, 4, 3)).repeat(size // 4, 1).repeat(size // 4, 2)
    return np.clip(coarse + 0.1 * chance.normal(coarse.shape), -1, 1).astype(np.float32)


def draw_past(case: Case) -> tuple[Floats, Floats]:
    """Keys (already turned to their positions) and values, each (kv heads, past, head size), for every layer alike.

    Small keys: a hundred thousand of them must not drown the few that the case itself adds.
    """
    chance, text = Chance(2000 + case.seed), case.config
    shape = (text["num_key_value_heads"], case.past, text["head_dim"])
    return (0.1 * chance.normal(shape)).astype(np.float32), chance.normal(shape).astype(np.float32)


def words(count: int, seed: int) -> list[int]:
    """So many ids that mean nothing special."""
    return (FIRST_WORD + Chance(3000 + seed).below(LAST_WORD - FIRST_WORD, (count,))).tolist()


def image(tokens: int) -> list[int]:
    """One picture's place in a text."""
    return [IMAGE_START, *[IMAGE_SOFT] * tokens, IMAGE_END]


def seen(name: str, parts: Iterable[int | list[int]], *, seed: int, tokens: int = 4, size: int = 28) -> Case:
    """A multimodal case with a window of 8: numbers in `parts` are counts of words, lists are ids."""
    ids = [BOS]
    for n, part in enumerate(parts):
        ids += part if isinstance(part, list) else words(part, 100 * seed + n)
    config = with_eyes(decoder(), image_size=size, tokens=tokens)
    return Case(name, config, tuple(ids), pictures=ids.count(IMAGE_SOFT) // tokens, seed=seed)


def read(name: str, config: Config, length: int, *, seed: int, past: int = 0) -> Case:
    """A text-only case of `length` ids."""
    return Case(name, text_only(config), (BOS, *words(length - 1, seed)), past=past, seed=seed)


def like(
    heads: int, kv_heads: int, layers: int, *, size: int, query_scalar: int, scale: float = 8.0
) -> Config:
    """The depth and the head ratios of a real model, with heads of `size` and a width of 64."""
    return decoder(
        layers=layers, heads=heads, kv_heads=kv_heads, head_dim=size, query_scalar=query_scalar, scale=scale
    )


_FAR = decoder(layers=3, pattern=2, heads=4, kv_heads=1, head_dim=16, query_scalar=2)
_CUSTOM = decoder(
    layer_types=[
        f"{kind}_attention" for kind in ("full", "sliding", "sliding", "full", "full", "sliding", "sliding")
    ],
    window=5,
    theta=500_000.0,
    local_theta=20_000.0,
    scale=4.0,
)

# Seeds are chosen for models that do not amplify rounding much: a tight tolerance in bfloat16 tells more.
CASES: tuple[Case, ...] = (
    seen("text", [40], seed=1),
    seen("image first", [image(4), 20], seed=122),
    seen("image late", [26, image(4), 3], seed=3),
    seen("image straddles the window", [4, image(4), 14], seed=4),
    seen("two images apart", [3, image(4), 14, image(4), 9], seed=5),
    seen("two images adjacent", [5, image(4), image(4), 9], seed=6),
    seen("three images, two of them touching", [2, image(8), 6, image(4), 4], seed=7),
    seen("image longer than the window", [6, image(16), 12], tokens=16, size=56, seed=8),
    seen("two images longer than the window", [2, image(16), 3, image(16), 5], tokens=16, size=56, seed=49),
    read("text only", decoder(kv_heads=1), 30, seed=10),
    read("layer types of its own", _CUSTOM, 30, seed=91),
    read("no scaling, pattern of two", decoder(layers=5, pattern=2, scale=1.0), 30, seed=12),
    read("positions up to 131071", _FAR, 12, past=131_060, seed=13),
    read("shaped like 270M", like(4, 1, 18, size=16, query_scalar=16, scale=1.0), 12, seed=14),
    read("shaped like 1B", like(4, 1, 26, size=16, query_scalar=16, scale=1.0), 12, seed=135),
    read("shaped like 4B", like(8, 4, 34, size=16, query_scalar=16), 12, seed=96),
    read("shaped like 12B", like(16, 8, 48, size=8, query_scalar=8), 12, seed=17),
    read("shaped like 27B", like(32, 16, 62, size=8, query_scalar=10), 12, seed=18),
)

# Not among CASES: its weights are those that mlx-vlm made of the drawn ones (tests/golden/make_mlx_vlm.py).
PEER = Case(
    "written by mlx-vlm",
    with_eyes(decoder(layers=3, pattern=2), image_size=112),  # smaller pictures mlx-vlm cannot pool
    (BOS, *words(3, 50), *image(4), *words(9, 51), *image(4), *words(3, 52)),
    pictures=2,
    seed=19,
)
