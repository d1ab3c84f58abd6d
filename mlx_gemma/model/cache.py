"""Keys and values kept between calls: all of them for a global layer, the last window's for a local one.

Both keep them in the order of the text in one buffer, and speak mlx-lm's cache protocol. `offset` counts the tokens
seen. A local layer's buffer is a window and some slack: when it is full its last window moves to the front, once in
`slack` tokens, so nothing ever wraps, what is fetched is a plain slice, and up to `slack` tokens can be taken back.
"""

from collections.abc import Sequence
from typing import Any

import mlx.core as mx

from mlx_gemma.model.config import DecoderConfig
from mlx_gemma.model.masks import Mask, causal_mask

STEP = 256  # a buffer grows by so many tokens, and a local one has so much slack

Pair = tuple[mx.array, mx.array]


class KeyValueCache:
    """A global layer's keys and values, (B, K, tokens, C) each; everything is kept."""

    def __init__(self) -> None:
        self.keys: mx.array | None = None
        self.values: mx.array | None = None
        self.end = 0  # tokens in the buffer; what lies behind is room
        self.offset = 0

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> Pair:
        """Append the new tokens' keys and values; return all that the new tokens may look at, in order."""
        first, end = self.first, self.end + keys.shape[2]
        self.keys = _written(self.keys, keys, self.end, self.room(end))
        self.values = _written(self.values, values, self.end, self.room(end))
        self.offset += end - self.end
        self.end = end
        return self.keys[:, :, first:end], self.values[:, :, first:end]

    @property
    def first(self) -> int:
        """Where in the buffer the oldest key lies that the next token may see."""
        return 0

    def room(self, end: int) -> int:
        """The size of a buffer for `end` tokens."""
        return -(-end // STEP) * STEP

    def make_mask(self, N: int, window_size: int | None = None, return_array: bool = False) -> Mask:  # noqa: N803
        """The mask for N new tokens (mlx-lm's protocol; so its argument names)."""
        return causal_mask(N, self.visible(N), window_size, as_array=return_array)

    def visible(self, new: int) -> int:
        """How many keys `new` further tokens will be shown, their own included."""
        return self.end - self.first + new

    @property
    def state(self) -> tuple[Any, ...]:
        """What makes another cache of the kind equal to this one. It stays as it is when this cache goes on."""
        kept = None if self.keys is None else self.keys[:, :, : self.end]
        values = None if self.values is None else self.values[:, :, : self.end]
        return kept, values, self.end, self.offset

    @state.setter
    def state(self, value: Sequence[Any]) -> None:
        self.keys, self.values, self.end, self.offset = value

    def is_trimmable(self) -> bool:
        return True

    def trim(self, n: int) -> int:
        """Take back the last n tokens, or as many as can be; returns how many."""
        n = min(n, self.takeable)
        self.end -= n
        self.offset -= n
        return n

    @property
    def takeable(self) -> int:
        """How many tokens can be taken back."""
        return self.offset

    def size(self) -> int:
        return self.end

    def empty(self) -> bool:
        return self.keys is None

    @property
    def nbytes(self) -> int:
        return 0 if self.keys is None or self.values is None else self.keys.nbytes + self.values.nbytes


class WindowCache(KeyValueCache):
    """A local layer's keys and values: the last window, and slack behind it."""

    def __init__(self, window: int, slack: int = STEP) -> None:
        super().__init__()
        self.window = window
        self.slack = slack

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> Pair:
        """Append; return the new tokens' keys behind those of the window - 1 tokens before them."""
        if self.end + keys.shape[2] > self.capacity:
            self._keep(self.window - 1)
        fetched = super().update_and_fetch(keys, values)
        if self.end > self.capacity:  # a long chunk: its queries are served, its old keys can go
            self._keep(self.window)
        return fetched

    def _keep(self, tokens: int) -> None:
        """Move the last tokens to the front of a fresh buffer, and forget the others."""
        if self.keys is None or self.values is None:
            return
        kept = slice(max(0, self.end - tokens), self.end)
        self.keys = _written(None, self.keys[:, :, kept], 0, self.capacity)
        self.values = _written(None, self.values[:, :, kept], 0, self.capacity)
        self.end = kept.stop - kept.start

    @property
    def capacity(self) -> int:
        return self.window + self.slack

    @property
    def first(self) -> int:
        return max(0, self.end - (self.window - 1))

    def room(self, end: int) -> int:
        return max(end, min(super().room(end), self.capacity))

    @property
    def takeable(self) -> int:
        """All while nothing was dropped; then what leaves a whole window to the tokens before it."""
        return self.offset if self.end == self.offset else self.first


def _written(held: mx.array | None, new: mx.array, at: int, room: int) -> mx.array:
    """The buffer with `new` written at token `at`, made or grown to `room` tokens when it is too small."""
    batch, heads, length, width = new.shape
    if held is None or held.shape[2] < at + length:
        empty = mx.zeros((batch, heads, room - at, width), new.dtype)
        held = empty if held is None else mx.concatenate([held[:, :, :at], empty], axis=2)
    held[:, :, at : at + length] = new
    return held


def make_cache(config: DecoderConfig) -> list[KeyValueCache]:
    """An empty cache for each layer."""
    return [
        KeyValueCache() if layer in config.global_layers else WindowCache(config.window)
        for layer in range(config.layers)
    ]
