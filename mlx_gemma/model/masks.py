"""Who may look at whom: causal, within the window, and freely inside one picture.

A mask is None (all keys are visible), "causal" (MLX's own), or booleans (..., L queries, T keys) where True is seen.
Keys are in the order of the text and end with the queries' own, so that query i stands at key T - L + i.

    global   a key is seen if it is not later, or belongs to the query's picture
    local    the same, and if it is fewer than W places before the query
"""

from typing import Literal

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

Mask = mx.array | Literal["causal"] | None


def causal_mask(queries: int, keys: int, window: int | None = None, *, as_array: bool = False) -> Mask:
    """The mask of text: `queries` new places that see `keys` keys, their own included, in a window or not."""
    cut = window is not None and keys > window
    if queries == 1 and not as_array and not cut:
        return None
    if not cut and not as_array:
        return "causal"
    key = mx.arange(keys)
    query = mx.arange(keys - queries, keys)[:, None]
    seen = key <= query
    return seen & (key > query - window) if window is not None else seen


def image_blocks(ids: NDArray[np.int32], image_token: int) -> NDArray[np.int32]:
    """Number the runs of picture tokens: 0 for text, 1, 2, ... for the first, second, ... picture. ids: (B, L)."""
    soft = ids == image_token
    starts = soft & ~np.pad(soft, ((0, 0), (1, 0)))[:, :-1]
    return np.where(soft, np.cumsum(starts, axis=1), 0).astype(np.int32)


def open_blocks(mask: Mask, blocks: mx.array) -> mx.array:
    """Let every place of a picture see that picture's later places too.

    mask: (..., L, T) booleans for text. blocks: (B, L), 0 for text. Returns (B, 1, L, T). What lies earlier is left to
    `mask`, since the window holds inside a picture as well.
    """
    assert isinstance(mask, mx.array), "a mask with pictures in it is an array"
    length, keys = mask.shape[-2:]
    same = (blocks[:, :, None] == blocks[:, None, :]) & (blocks[:, :, None] > 0)
    later = mx.arange(length)[None, :] > mx.arange(length)[:, None]
    ahead = (same & later)[:, None]  # B 1 L L
    before = mx.zeros((*ahead.shape[:3], keys - length), dtype=mx.bool_)
    return mask | mx.concatenate([before, ahead], axis=-1)
