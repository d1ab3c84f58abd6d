"""The Gemma 3 decoder, in the order of the paper: norm, rope, attention, mlp, block, decoder, language model.

Gemma 3 Technical Report (2025), section 2; where it is silent, transformers' float32 forward is the reference.

    B batch  L new tokens  T tokens seen  D width  H heads  K key heads  C head size
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from mlx_gemma.model.cache import KeyValueCache, make_cache
from mlx_gemma.model.config import DecoderConfig, Rope
from mlx_gemma.model.masks import Mask, causal_mask, open_blocks


class LayerCache(Protocol):
    """What a layer asks of its cache: ours and mlx-lm's both do it."""

    offset: int

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]: ...
    def make_mask(self, N: int, window_size: int | None = None, return_array: bool = False) -> Mask: ...  # noqa: N803


class Norm(nn.RMSNorm):
    """Root mean square norm in float32, rounded once. `weight` is float32 and holds Gemma's 1 + w."""

    def __call__(self, x: mx.array) -> mx.array:
        return mx.fast.rms_norm(x, self["weight"], self.eps).astype(x.dtype)


def wavelengths(rope: Rope, head_dim: int) -> mx.array:
    """The C/2 divisors of a position, in tokens a radian; rounded as the reference rounds them."""
    exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    inverse = np.float32(1) / np.power(rope.theta, exponents, dtype=np.float64).astype(np.float32)
    return mx.array(np.float32(1) / (inverse / np.float32(rope.factor)))


def rotate(x: mx.array, lengths: mx.array, offset: int) -> mx.array:
    """Turn the halves of each head by their position. x: (B, H, L, C), its first row at position `offset`."""
    return mx.fast.rope(x, x.shape[-1], traditional=False, base=None, scale=1.0, offset=offset, freqs=lengths)


class Part(nn.Module):
    """A module that calls its own as items, `self["q_proj"](x)`, as MLX's layers do.

    nn.Module is a dict; its attributes go a long way round, which took a tenth of the host's time for a token.
    """

    if TYPE_CHECKING:

        def __getitem__(self, name: str) -> Callable[..., mx.array]: ...


class Attention(Part):
    def __init__(self, config: DecoderConfig, rope: Rope) -> None:
        super().__init__()
        self.heads, self.kv_heads = config.heads, config.kv_heads
        self.scale = config.query_scalar**-0.5
        self.q_proj = nn.Linear(config.hidden, config.heads * config.head_dim, bias=False)
        self.k_proj = nn.Linear(config.hidden, config.kv_heads * config.head_dim, bias=False)
        self.v_proj = nn.Linear(config.hidden, config.kv_heads * config.head_dim, bias=False)
        self.o_proj = nn.Linear(config.heads * config.head_dim, config.hidden, bias=False)
        self.q_norm = Norm(config.head_dim, config.norm_eps)
        self.k_norm = Norm(config.head_dim, config.norm_eps)
        self._wavelengths = wavelengths(rope, config.head_dim)

    def __call__(self, x: mx.array, mask: Mask, cache: LayerCache | None) -> mx.array:
        batch, length, _ = x.shape
        q = self["q_proj"](x).reshape(batch, length, self.heads, -1)  # B L H C
        k = self["k_proj"](x).reshape(batch, length, self.kv_heads, -1)  # B L K C
        v = self["v_proj"](x).reshape(batch, length, self.kv_heads, -1).swapaxes(1, 2)  # B K L C
        lengths, offset = self._wavelengths, cache.offset if cache is not None else 0
        q = rotate(self["q_norm"](q).swapaxes(1, 2), lengths, offset)
        k = rotate(self["k_norm"](k).swapaxes(1, 2), lengths, offset)
        if cache is not None:
            k, v = cache.update_and_fetch(k, v)  # B K T C
        out = mx.fast.scaled_dot_product_attention(q, k, v, scale=self.scale, mask=mask)
        return self["o_proj"](out.swapaxes(1, 2).reshape(batch, length, -1))


class MLP(Part):
    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden, config.mlp, bias=False)
        self.up_proj = nn.Linear(config.hidden, config.mlp, bias=False)
        self.down_proj = nn.Linear(config.mlp, config.hidden, bias=False)

    def __call__(self, x: mx.array) -> mx.array:
        return self["down_proj"](nn.gelu_approx(self["gate_proj"](x)) * self["up_proj"](x))


class Block(Part):
    def __init__(self, config: DecoderConfig, rope: Rope) -> None:
        super().__init__()
        self.self_attn = Attention(config, rope)
        self.mlp = MLP(config)
        self.input_layernorm = Norm(config.hidden, config.norm_eps)
        self.post_attention_layernorm = Norm(config.hidden, config.norm_eps)
        self.pre_feedforward_layernorm = Norm(config.hidden, config.norm_eps)
        self.post_feedforward_layernorm = Norm(config.hidden, config.norm_eps)

    def __call__(self, x: mx.array, mask: Mask, cache: LayerCache | None) -> mx.array:
        x = x + self["post_attention_layernorm"](self["self_attn"](self["input_layernorm"](x), mask, cache))
        return x + self["post_feedforward_layernorm"](self["mlp"](self["pre_feedforward_layernorm"](x)))


class Decoder(nn.Module):
    """Token ids to the last block's normed output. Global and local layers share one mask each."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self._config = config
        self.embed_tokens = nn.Embedding(config.vocab, config.hidden)
        self.layers = [
            Block(config, config.global_rope if i in config.global_layers else config.local_rope)
            for i in range(config.layers)
        ]
        self.norm = Norm(config.hidden, config.norm_eps)

    def embed(self, ids: mx.array) -> mx.array:
        """Ids (B, L) to (B, L, D), times the square root of D rounded to the weights' own type."""
        x = self.embed_tokens(ids)
        return x * mx.array(self._config.hidden**0.5, x.dtype)

    def __call__(
        self, x: mx.array, cache: Sequence[LayerCache] | None = None, blocks: mx.array | None = None
    ) -> mx.array:
        """x: (B, L, D) embeddings, as `embed` gives them. blocks: (B, L) the picture a place belongs to, 0 for none."""
        masks: dict[bool, Mask] = {
            kind: self._mask(kind, x.shape[1], cache, blocks) for kind in (True, False)
        }
        for i, layer in enumerate(self.layers):
            x = layer(x, masks[i in self._config.global_layers], cache[i] if cache is not None else None)
        return self.norm(x)

    def _mask(
        self, is_global: bool, length: int, cache: Sequence[LayerCache] | None, blocks: mx.array | None
    ) -> Mask:
        """The mask of all layers of one kind, from the first of them."""
        config = self._config
        like = [i for i in range(config.layers) if (i in config.global_layers) == is_global][:1]
        if not like:
            return None
        window = None if is_global else config.window
        as_array = blocks is not None
        if cache is None:
            mask = causal_mask(length, length, window, as_array=as_array)
        else:
            mask = cache[like[0]].make_mask(length, window_size=window, return_array=as_array)
        return mask if blocks is None else open_blocks(mask, blocks)


class LanguageModel(nn.Module):
    """A decoder and its tied head, in mlx-lm's protocol: `model(ids, cache=...)`, `layers`, `make_cache()`."""

    model_type = "gemma3_text"

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.model = Decoder(config)

    def __call__(
        self,
        inputs: mx.array,
        cache: Sequence[LayerCache] | None = None,
        input_embeddings: mx.array | None = None,
        blocks: mx.array | None = None,
    ) -> mx.array:
        """Ids (B, L), or embeddings (B, L, D) in their place, to logits (B, L, vocabulary)."""
        x = self.model.embed(inputs) if input_embeddings is None else input_embeddings
        return self.head(self.model(x, cache, blocks))

    def head(self, x: mx.array) -> mx.array:
        """Normed output (..., D) to logits: the embedding once more, quantised or not."""
        return self.model.embed_tokens.as_linear(x)

    @property
    def layers(self) -> list[Block]:
        return self.model.layers

    def make_cache(self) -> list[KeyValueCache]:
        return make_cache(self.config)
