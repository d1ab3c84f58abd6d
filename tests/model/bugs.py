"""The bugs of other programs, each a function that breaks ours the same way until the test is over."""

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from mlx_gemma.generate import session as sessions
from mlx_gemma.generate.eyes import Eyes
from mlx_gemma.model import cache, config, decoder, masks, multimodal, names, weights

Patch = pytest.MonkeyPatch
Breaks = Callable[[Patch], None]


def images_attend_causally(patch: Patch) -> None:
    """No image blocks at all: the plainest of the peers' faults."""
    patch.setattr(multimodal.Gemma3, "blocks", lambda *_: None)


def images_escape_the_window(patch: Patch) -> None:
    """`(causal and window) or same picture`."""

    def opened(mask: mx.array, blocks: mx.array) -> mx.array:
        length = blocks.shape[1]
        same = ((blocks[:, :, None] == blocks[:, None, :]) & (blocks[:, :, None] > 0))[:, None]
        unseen = mx.zeros((*same.shape[:3], mask.shape[-1] - length), dtype=mx.bool_)
        return mask | mx.concatenate([unseen, same], axis=-1)

    patch.setattr(decoder, "open_blocks", opened)


def all_images_are_one_block(patch: Patch) -> None:
    """Neighbouring pictures see each other."""
    patch.setattr(multimodal, "image_blocks", lambda ids, token: (ids == token).astype(np.int32))


def features_are_scaled(patch: Patch) -> None:
    """By the square root of hidden / 2048."""
    exact = multimodal.Projector.__call__
    patch.setattr(multimodal.Projector, "__call__", lambda self, x: exact(self, x) * (64 / 2048) ** 0.5)


def features_are_scaled_as_on_the_4b(patch: Patch) -> None:
    """The least that peers are off by."""
    exact = multimodal.Projector.__call__
    patch.setattr(multimodal.Projector, "__call__", lambda self, x: exact(self, x) * 1.118)


def images_are_ignored(patch: Patch) -> None:
    """The picture's places are there, the picture is not."""
    patch.setattr(
        Eyes, "features", lambda self, pictures: mx.zeros((len(pictures), self.tokens_per_image, 64))
    )


def only_the_first_image_counts(patch: Patch) -> None:
    """Every place shows the first picture."""
    exact = Eyes.features
    patch.setattr(Eyes, "features", lambda self, pictures: exact(self, [pictures[0]] * len(pictures)))


def images_change_places(patch: Patch) -> None:
    """The last picture comes first."""
    exact = Eyes.features
    patch.setattr(Eyes, "features", lambda self, pictures: exact(self, pictures[::-1]))


def rope_parameters_are_not_read(patch: Patch) -> None:
    """Dialect d ignored: global angles unscaled."""
    ropes = config.Rope(10_000.0), config.Rope(1_000_000.0)
    patch.setattr(config, "_ropes", lambda text: (text.take("rope_parameters"), ropes)[1])


def local_layers_have_the_global_base(patch: Patch) -> None:
    """One base for both kinds of layer."""
    ropes = config.Rope(1_000_000.0), config.Rope(1_000_000.0, 8.0)
    patch.setattr(config, "_ropes", lambda text: (text.take("rope_parameters"), ropes)[1])


def rope_is_rounded_otherwise(patch: Patch) -> None:
    """Angles from powers of two: off by less than a thousandth of a radian at 131,071, and not the reference's."""

    def turned(x: mx.array, _: mx.array, offset: int) -> mx.array:
        return mx.fast.rope(x, x.shape[-1], traditional=False, base=1e6, scale=1 / 8, offset=offset)

    patch.setattr(decoder, "rotate", turned)


def windows_are_one_wider(patch: Patch) -> None:
    """A window that counts the query out."""
    exact = masks.causal_mask
    for module in (cache, decoder):
        patch.setattr(
            module,
            "causal_mask",
            lambda queries, keys, window=None, **rest: exact(queries, keys, window and window + 1, **rest),
        )


def every_layer_is_global(patch: Patch) -> None:
    """No windows."""
    patch.setattr(
        config, "_global_layers", lambda text, layers: (text.take("layer_types"), frozenset(range(layers)))[1]
    )


def scores_are_scaled_by_the_head_size(patch: Patch) -> None:
    """`query_pre_attn_scalar` not read."""
    exact = decoder.Attention.__init__

    def init(self: decoder.Attention, *given: Any) -> None:
        exact(self, *given)
        self.scale = given[0].head_dim ** -0.5

    patch.setattr(decoder.Attention, "__init__", init)


def norms_lack_their_one(patch: Patch) -> None:
    """w for 1 + w."""
    patch.setattr(weights, "_is_gemma_norm", lambda _: False)


def chunks_part_images(patch: Patch) -> None:
    """Prefill cut without regard to pictures."""
    patch.setattr(
        sessions,
        "pieces",
        lambda blocks, start, chunk: (slice(at, at + chunk) for at in range(start, len(blocks), chunk)),
    )


def norms_add_their_one_in_bfloat16(patch: Patch) -> None:
    """1 + w rounded to eight bits."""
    exact = weights._Filler._converted

    def converted(self: Any, name: str) -> mx.array:
        value = exact(self, name)
        return value.astype(mx.bfloat16).astype(mx.float32) if weights._is_gemma_norm(name) else value

    patch.setattr(weights._Filler, "_converted", converted)


def float16_stays(patch: Patch) -> None:
    """A float16 checkpoint computes in float16."""
    patch.setattr(weights, "DTYPES", {**weights.DTYPES, "float16": mx.float16})


def heads_are_held(patch: Patch) -> None:
    """The needless copy of the embedding gets a place of its own."""
    exact = decoder.LanguageModel.__init__

    def init(self: decoder.LanguageModel, made: config.DecoderConfig) -> None:
        exact(self, made)
        self.lm_head = nn.Linear(made.hidden, made.vocab, bias=False)

    patch.setattr(decoder.LanguageModel, "__init__", init)
    kept = ("language_model.lm_head.", "language_model.lm_head.")
    patch.setattr(names, "PREFIXES", (kept, *names.PREFIXES))


def wrapped_windows_are_cut(patch: Patch) -> None:
    """Prefix reuse that takes back more than a window still holds."""
    patch.setattr(cache.WindowCache, "takeable", property(lambda self: self.offset))
    patch.setattr(cache.WindowCache, "trim", overtrim)


def overtrim(self: cache.WindowCache, n: int) -> int:
    """Take back n tokens, whatever was dropped."""
    self.end, self.offset = max(0, self.end - n), self.offset - n
    return n


def marks_are_never_dropped(patch: Patch) -> None:
    """A remembered point is returned to although its text was given up."""
    exact = sessions.Session.rewind

    def rewind(self: sessions.Session, prompt: sessions.Prompt) -> None:
        mark = self._mark
        exact(self, prompt)
        if mark is not None and mark.tokens < len(prompt.ids):
            for layer, state in zip(self.cache, mark.states, strict=True):
                layer.state = state

    patch.setattr(sessions.Session, "rewind", rewind)
