"""What one conversation has computed: the layers' caches, and the ids and pictures that they hold.

Ids are kept beside the caches, so a later prompt can be compared with them. What both begin with is not computed
again; the rest is taken back token by token where the caches can, or by returning to where the last prompt ended.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_gemma.generate.eyes import Eyes, Shown
from mlx_gemma.generate.prompt import Prompt
from mlx_gemma.model.config import DecoderConfig
from mlx_gemma.model.masks import image_blocks
from mlx_gemma.model.multimodal import Gemma3

CHUNK = 1024  # tokens computed at once in prefill
SCORE_BYTES = 1 << 30  # attention scores of one layer may take this much, where no fused kernel spares them


@dataclass(frozen=True)
class _Mark:
    """A point that can be returned to: how many tokens, and each layer's state there."""

    tokens: int
    states: list[Any]


class Session:
    """The caches of one conversation. Lives on the engine's thread."""

    def __init__(self, model: Gemma3, eyes: Eyes) -> None:
        self.model = model
        self.eyes = eyes
        self.clear()

    def clear(self) -> None:
        self.cache = self.model.language_model.make_cache()
        self.ids: list[int] = []
        self.pictures: tuple[Shown, ...] = ()
        self.reused = 0
        self._mark: _Mark | None = None

    @property
    def held(self) -> int:
        """Tokens whose keys and values the caches hold; `ids` may be one ahead of them."""
        return self.cache[0].offset

    def rewind(self, prompt: Prompt) -> None:
        """Keep what `prompt` begins with, never all of it, and forget the rest; `reused` says how much was kept."""
        common = self._common(prompt)
        surplus = self.held - common
        if self._mark is not None and self._mark.tokens > common:
            self._mark = None  # it stands in a text that is given up
        if surplus and surplus <= min(layer.takeable for layer in self.cache):
            for layer in self.cache:
                layer.trim(surplus)
        elif surplus and self._mark is not None:
            for layer, state in zip(self.cache, self._mark.states, strict=True):
                layer.state = state
        elif surplus:
            self.clear()
        self.ids = prompt.ids.tolist()
        self.pictures = prompt.pictures
        self.reused = self.held

    def _common(self, prompt: Prompt) -> int:
        """How many leading tokens are the same, pictures included; never within a picture, never the whole prompt."""
        length = min(self.held, len(prompt.ids) - 1)
        same = prompt.ids[:length] == np.array(self.ids[:length], dtype=np.int32)
        common = length if same.all() else int(same.argmin())
        soft = np.flatnonzero(prompt.ids == self.eyes.image_token)
        for number, (shown, places) in enumerate(zip(prompt.pictures, self._split(soft), strict=True)):
            known = number < len(self.pictures) and self.pictures[number].key == shown.key
            if places[0] < common and (places[-1] >= common or not known):
                blocks = self._blocks(prompt)
                return int(np.flatnonzero(blocks == blocks[places[0]])[0])  # where its block begins
        return common

    def _split(self, soft: NDArray[np.intp]) -> NDArray[np.intp]:
        """Places of picture tokens, a row for each picture."""
        return soft.reshape(-1, self.eyes.tokens_per_image)

    def _blocks(self, prompt: Prompt) -> NDArray[np.int32]:
        return image_blocks(prompt.ids[None], self.eyes.image_token)[0]

    def prefill(self, prompt: Prompt, chunk: int | None = None) -> Iterator[tuple[int, mx.array]]:
        """Compute what `rewind` did not keep, piece by piece; yields (tokens held, the piece's unevaluated output).

        The caches are evaluated piece by piece, so an output costs nothing unless it is used.
        """
        blocks = self._blocks(prompt)
        soft = np.cumsum(blocks > 0) // self.eyes.tokens_per_image  # pictures complete by each place
        seen = int(soft[self.held - 1]) if self.held else 0
        step = chunk or capped_chunk(self.model.language_model.config, len(prompt.ids))
        for piece in pieces(blocks, self.held, step):
            last = int(soft[piece.stop - 1])
            features = self.eyes.features(prompt.pictures[seen:last]) if last > seen else None
            seen = last
            try:
                out = self.model.hidden(prompt.ids[None, piece], features, self.cache)
                mx.eval([(layer.keys, layer.values) for layer in self.cache])
            except BaseException:
                self.clear()  # some layers may be ahead of others
                raise
            yield piece.stop, out
            mx.clear_cache()

    def mark(self) -> None:
        """Remember this point, so that a later prompt that shares it can start here."""
        self._mark = _Mark(self.held, [layer.state for layer in self.cache])


def pieces(blocks: Sequence[int] | NDArray[np.int32], start: int, chunk: int) -> Iterator[slice]:
    """Cut [start, end) into pieces of about `chunk` tokens whose edges never fall inside a picture."""
    end = len(blocks)
    while start < end:
        stop = min(start + chunk, end)
        while stop < end and blocks[stop] and blocks[stop] == blocks[stop - 1]:
            stop += 1
        yield slice(start, stop)
        start = stop


def capped_chunk(config: DecoderConfig, context: int) -> int:
    """A prefill step whose attention scores in float32 stay under SCORE_BYTES."""
    return max(32, min(CHUNK, SCORE_BYTES // (4 * config.heads * max(context, 1))))
