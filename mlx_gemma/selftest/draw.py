"""Draw weights on a grid so coarse that float32, bfloat16 and 4-bit groups all hold the very same numbers.

Then one golden serves every precision: what differs is the arithmetic alone. A matrix is `step * code` with a whole
code in -8..7 and a step of four significant bits, so the product has the eight bits that bfloat16 has; each group of
32 spans the whole range of codes, so that a 4-bit affine quantiser finds exactly this grid again.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mlx_gemma.selftest.chance import Chance, Doubles, Shape
from mlx_gemma.selftest.tiny import Config

Floats = NDArray[np.float32]

GROUP = 32
CODE_SPREAD = 4.6  # standard deviation of a whole number drawn evenly from -8..7


def draw_weights(config: Config, seed: int) -> dict[str, Floats]:
    """Every tensor of a config.json, by its Hugging Face name (`language_model.model.*` or, text only, `model.*`)."""
    chance = Chance(seed)
    return {name: draw(chance, name, shape) for name, shape in shapes(config)}


def shapes(config: Config) -> Iterator[tuple[str, Shape]]:
    """Names and shapes as the checkpoints have them: linear weights (out, in), the convolution (out, 3, side, side)."""
    if config["model_type"] == "gemma3_text":
        yield from decoder_shapes("model.", config)
        return
    text, vision = config["text_config"], config["vision_config"]
    yield from decoder_shapes("language_model.model.", text)
    yield from tower_shapes("vision_tower.vision_model.", vision)
    yield "multi_modal_projector.mm_input_projection_weight", (vision["hidden_size"], text["hidden_size"])
    yield "multi_modal_projector.mm_soft_emb_norm.weight", (vision["hidden_size"],)


def decoder_shapes(prefix: str, text: Config) -> Iterator[tuple[str, Shape]]:
    """The decoder's tensors; the head is the embedding once more and has none."""
    hidden, mlp, size = text["hidden_size"], text["intermediate_size"], text["head_dim"]
    queries, keys = text["num_attention_heads"] * size, text["num_key_value_heads"] * size
    yield prefix + "embed_tokens.weight", (text["vocab_size"], hidden)
    yield prefix + "norm.weight", (hidden,)
    for i in range(text["num_hidden_layers"]):
        layer = f"{prefix}layers.{i}."
        for norm in ("input", "post_attention", "pre_feedforward", "post_feedforward"):
            yield f"{layer}{norm}_layernorm.weight", (hidden,)
        yield layer + "self_attn.q_norm.weight", (size,)
        yield layer + "self_attn.k_norm.weight", (size,)
        yield layer + "self_attn.q_proj.weight", (queries, hidden)
        yield layer + "self_attn.k_proj.weight", (keys, hidden)
        yield layer + "self_attn.v_proj.weight", (keys, hidden)
        yield layer + "self_attn.o_proj.weight", (hidden, queries)
        yield layer + "mlp.gate_proj.weight", (mlp, hidden)
        yield layer + "mlp.up_proj.weight", (mlp, hidden)
        yield layer + "mlp.down_proj.weight", (hidden, mlp)


def tower_shapes(prefix: str, vision: Config) -> Iterator[tuple[str, Shape]]:
    """The vision tower's tensors."""
    hidden, mlp, side = vision["hidden_size"], vision["intermediate_size"], vision["patch_size"]
    yield prefix + "embeddings.patch_embedding.weight", (hidden, 3, side, side)
    yield prefix + "embeddings.patch_embedding.bias", (hidden,)
    yield prefix + "embeddings.position_embedding.weight", ((vision["image_size"] // side) ** 2, hidden)
    yield from pair(prefix + "post_layernorm", (hidden,))
    for i in range(vision["num_hidden_layers"]):
        layer = f"{prefix}encoder.layers.{i}."
        yield from pair(layer + "layer_norm1", (hidden,))
        yield from pair(layer + "layer_norm2", (hidden,))
        for part in ("q", "k", "v", "out"):
            yield from pair(f"{layer}self_attn.{part}_proj", (hidden, hidden))
        yield from pair(layer + "mlp.fc1", (mlp, hidden))
        yield from pair(layer + "mlp.fc2", (hidden, mlp))


def pair(name: str, shape: Shape) -> Iterator[tuple[str, Shape]]:
    """A weight and the bias of its outputs."""
    yield name + ".weight", shape
    yield name + ".bias", shape[:1]


def draw(chance: Chance, name: str, shape: Shape) -> Floats:
    """Matrices keep the size of what passes through; query and key norms are large enough for sharp attention."""
    if name.endswith(("q_norm.weight", "k_norm.weight")):
        return bfloat16_grid(0.2 + 0.2 * chance.normal(shape))
    if name.endswith(("layer_norm1.weight", "layer_norm2.weight", "post_layernorm.weight")):
        return bfloat16_grid(1 + 0.2 * chance.normal(shape))
    if len(shape) == 1:
        return bfloat16_grid(0.2 * chance.normal(shape))
    spread = 1 / math.sqrt(math.prod(shape[1:]))
    if len(shape) == 2 and shape[1] % GROUP == 0:
        return four_bit_grid(chance, shape, spread)
    return bfloat16_grid(spread * chance.normal(shape))


def four_bit_grid(chance: Chance, shape: Shape, spread: float) -> Floats:
    """(out, in) numbers of standard deviation about `spread`; `in` is a multiple of 32."""
    out, groups = shape[0], shape[1] // GROUP
    codes = chance.below(16, (out, groups, GROUP)) - 8
    lowest = chance.below(GROUP, (out, groups, 1))
    highest = (lowest + 1 + chance.below(GROUP - 1, (out, groups, 1))) % GROUP
    np.put_along_axis(codes, lowest, -8, axis=-1)
    np.put_along_axis(codes, highest, 7, axis=-1)
    wide = 2 if groups % 2 == 0 else 1  # one step for each 64 where 64 divides, so groups of 64 fit too
    steps = four_bits(spread / CODE_SPREAD * chance.uniform(0.7, 1.3, (out, groups // wide, 1)))
    return (codes * np.repeat(steps, wide, axis=1)).reshape(shape).astype(np.float32)


def four_bits(x: Doubles) -> Doubles:
    """Round to four significant binary digits."""
    fraction, exponent = np.frexp(x)
    return np.ldexp(np.round(fraction * 16) / 16, exponent)


def bfloat16_grid(x: Doubles) -> Floats:
    """Round to eight significant binary digits: what bfloat16 holds exactly."""
    fraction, exponent = np.frexp(x)
    return np.ldexp(np.round(fraction * 256) / 256, exponent).astype(np.float32)
