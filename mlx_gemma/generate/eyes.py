"""Pictures to features: each encoded once for its content, a few at a time, and kept under a byte limit."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.multimodal import Gemma3
from vision.errors import PictureError
from vision.pixels import normalised

PATCHES_AT_ONCE = 4096  # one picture of 896 px, four of 448
KEPT_BYTES = 256 << 20  # features of a hundred pictures on the 4B in float32


@dataclass(frozen=True)
class Shown:
    """One square picture as the model gets it: (S, S, 3), either 0..255 or normalised float32. key: its content."""

    values: NDArray[Any]
    key: bytes

    @classmethod
    def of(cls, values: NDArray[Any]) -> "Shown":
        values = np.ascontiguousarray(values)
        return cls(values, hashlib.sha256(values.dtype.str.encode() + values.tobytes()).digest())

    @property
    def pixels(self) -> NDArray[np.float32]:
        return normalised(self.values) if self.values.dtype == np.uint8 else self.values.astype(np.float32)


class Eyes:
    """The tower and projector of a model, with a memory. Lives on the engine's thread."""

    def __init__(self, model: Gemma3, config: GemmaConfig) -> None:
        self.model = model
        self.vision = config.vision
        self.image_token = config.image_token_id
        self.tokens_per_image = config.tokens_per_image
        self._kept: OrderedDict[bytes, mx.array] = OrderedDict()

    def features(self, pictures: Sequence[Shown]) -> mx.array:
        """(N, M, hidden) of these pictures, evaluated. Raises PictureError for a text-only model or a wrong size."""
        if self.vision is None:
            raise PictureError(
                "this model reads text only; use a multimodal checkpoint, or leave the picture out"
            )
        side = self.vision.image_size
        for shown in pictures:
            if shown.values.shape != (side, side, 3):
                raise PictureError(
                    f"need pixels of shape {(side, side, 3)}, got {shown.values.shape}; use vision.prepare"
                )
        new = {shown.key: shown for shown in pictures if shown.key not in self._kept}
        made = self._encoded(list(new.values()), max(1, PATCHES_AT_ONCE // self.vision.patches))
        self._kept.update(made)
        for shown in pictures:
            self._kept.move_to_end(shown.key)
        found = mx.stack([self._kept[shown.key] for shown in pictures])
        self._forget()
        return found

    def _encoded(self, pictures: list[Shown], at_once: int) -> dict[bytes, mx.array]:
        made: dict[bytes, mx.array] = {}
        for at in range(0, len(pictures), at_once):
            group = pictures[at : at + at_once]
            features = self.model.image_features(mx.array(np.stack([shown.pixels for shown in group])))
            mx.eval(features)
            made.update({shown.key: features[i] for i, shown in enumerate(group)})
        return made

    def _forget(self) -> None:
        """Let go of those that were not used for longest."""
        while len(self._kept) > 1 and sum(each.nbytes for each in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)
