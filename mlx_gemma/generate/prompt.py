"""What is put to the model: ids and pictures that agree with each other and with it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlx_gemma.generate.eyes import Shown
from mlx_gemma.model.config import GemmaConfig
from vision.errors import PromptError


@dataclass(frozen=True)
class Prompt:
    """Ids with the soft tokens of pictures in place, and the pictures in that order."""

    ids: NDArray[np.int32]
    pictures: tuple[Shown, ...] = ()


def checked(prompt: Prompt, config: GemmaConfig) -> Prompt:
    """The same prompt, or PromptError: no ids, ids out of range, too long, or places and pictures that differ."""
    ids, vocab, context = prompt.ids, config.decoder.vocab, config.decoder.context
    if ids.ndim != 1 or not len(ids):
        raise PromptError(f"need a flat list of at least one id, got shape {ids.shape}")
    places = int((ids == config.image_token_id).sum()) if config.vision else 0
    if places != len(prompt.pictures) * config.tokens_per_image and (config.vision or not prompt.pictures):
        raise PromptError(
            f"the prompt has places for {places / config.tokens_per_image:g} pictures, got {len(prompt.pictures)}"
        )
    if not config.vision and prompt.pictures:
        raise PromptError("this model reads text only; use a multimodal checkpoint, or leave the picture out")
    if ids.min() < 0 or ids.max() >= vocab:
        raise PromptError(
            f"ids must lie in 0..{vocab - 1}, got {ids.min()}..{ids.max()}; is this the model's tokenizer?"
        )
    if len(ids) >= context:
        raise PromptError(f"the prompt has {len(ids):,} tokens, this model's context {context:,}; shorten it")
    return prompt


def shown(pixels: ArrayLike) -> tuple[Shown, ...]:
    """Normalised pixels (N, S, S, 3), or (S, S, 3) of one picture, as pictures."""
    values = np.asarray(pixels, dtype=np.float32)
    return tuple(Shown.of(each) for each in (values[None] if values.ndim == 3 else values))
