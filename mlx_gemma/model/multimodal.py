"""The join of tower and decoder: pool, norm, project, and put a picture's features in the place of its tokens.

Gemma 3 Technical Report, section 2.1. Features enter the sequence unscaled; only text is scaled.

    N pictures  P patches  D width of the tower  M tokens a picture
"""

from collections.abc import Sequence

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.decoder import LanguageModel, LayerCache, Norm
from mlx_gemma.model.masks import image_blocks
from vision.config import VisionConfig
from vision.errors import PromptError
from vision.siglip import VisionTower


def pool(x: mx.array, side: int) -> mx.array:
    """Average squares of neighbouring patches: (N, P, D) to (N, side * side, D)."""
    count, patches, width = x.shape
    grid = round(patches**0.5)
    cell = grid // side
    return (
        x.reshape(count, side, cell, side, cell, width).mean(axis=(2, 4)).reshape(count, side * side, width)
    )


class Projector(nn.Module):
    """Tower features (N, P, D) to soft tokens (N, M, hidden)."""

    def __init__(self, vision: VisionConfig, tokens_per_image: int, hidden: int, norm_eps: float) -> None:
        super().__init__()
        self.side = round(tokens_per_image**0.5)
        self.mm_input_projection_weight = mx.zeros((vision.hidden, hidden))
        self.mm_soft_emb_norm = Norm(vision.hidden, norm_eps)

    def __call__(self, x: mx.array) -> mx.array:
        return self.mm_soft_emb_norm(pool(x, self.side)) @ self.mm_input_projection_weight


class Gemma3(nn.Module):
    """The whole model. `vision_tower` and `multi_modal_projector` are there when the config has a tower."""

    def __init__(self, config: GemmaConfig) -> None:
        super().__init__()
        self._config = config
        self.language_model = LanguageModel(config.decoder)
        if config.vision is not None:
            self.vision_tower = VisionTower(config.vision)
            self.multi_modal_projector = Projector(
                config.vision, config.tokens_per_image, config.decoder.hidden, config.vision.norm_eps
            )

    def image_features(self, pixels: mx.array) -> mx.array:
        """Pixels (N, S, S, 3) in [-1, 1] to features (N, M, hidden), all at once."""
        return self.multi_modal_projector(self.vision_tower(pixels))

    def embed(self, ids: NDArray[np.int32], features: mx.array | None) -> mx.array:
        """Ids (B, L) to embeddings, with `features` (N, M, hidden) in the places of the picture tokens, in order."""
        x = self.language_model.model.embed(mx.array(ids))
        places = np.flatnonzero(ids == self._config.image_token_id)
        given = 0 if features is None else features.shape[0] * features.shape[1]
        if len(places) != given:
            raise PromptError(
                f"the prompt has places for {len(places)} picture tokens, the pictures given have {given}; "
                f"each picture takes {self._config.tokens_per_image}"
            )
        if features is None or not given:
            return x
        rows = x.reshape(-1, x.shape[-1])
        rows[mx.array(places)] = features.reshape(given, -1).astype(x.dtype)
        return rows.reshape(x.shape)

    def blocks(self, ids: NDArray[np.int32]) -> mx.array | None:
        """(B, L) which picture each place belongs to, or None where there is only text."""
        if self._config.vision is None or not (ids == self._config.image_token_id).any():
            return None
        return mx.array(image_blocks(ids, self._config.image_token_id))

    def hidden(
        self,
        ids: NDArray[np.int32],
        features: mx.array | None = None,
        cache: Sequence[LayerCache] | None = None,
    ) -> mx.array:
        """The decoder's output (B, L, hidden) before the head. A picture's tokens must all be in `ids`."""
        return self.language_model.model(self.embed(ids, features), cache, self.blocks(ids))

    def __call__(
        self,
        ids: NDArray[np.int32] | mx.array,
        pixels: mx.array | None = None,
        cache: Sequence[LayerCache] | None = None,
    ) -> mx.array:
        """Ids (B, L) and pictures (N, S, S, 3) to logits (B, L, vocabulary) of every place."""
        features = None if pixels is None else self.image_features(pixels)
        return self.language_model.head(self.hidden(np.asarray(ids, dtype=np.int32), features, cache))
