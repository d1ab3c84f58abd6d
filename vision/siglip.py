"""The SigLIP vision transformer: patches, positions, attention, mlp, block, tower.

Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training"; sizes as in the Gemma 3 report, section 2.1.

    N pictures  S side in pixels  G patches a side  P = G*G patches  D width  H heads  C head size
"""

import mlx.core as mx
import mlx.nn as nn

from vision.config import VisionConfig

# Queries attended at once. Head size 72 has no fused kernel, so the scores exist: 16 heads x 512 x 4096 floats are
# 0.13 GB where 4096 x 4096 would be 1.1 GB.
QUERY_BLOCK = 512


def to_patches(pixels: mx.array, patch: int) -> mx.array:
    """Cut pictures (N, S, S, 3) into rows of patches (N, G*G, patch*patch*3), left to right, top to bottom."""
    count, side = pixels.shape[:2]
    grid = side // patch
    pixels = pixels[:, : grid * patch, : grid * patch]
    cells = pixels.reshape(count, grid, patch, grid, patch, 3).transpose(0, 1, 3, 2, 4, 5)
    return cells.reshape(count, grid * grid, patch * patch * 3)  # N P patch*patch*3


def attend_in_blocks(q: mx.array, k: mx.array, v: mx.array, scale: float) -> mx.array:
    """Attention without a mask, QUERY_BLOCK queries at a time. q, k, v: (N, H, P, C).

    Each of several blocks is evaluated before the next is asked for: MLX allocates what it queues, so that a graph of
    all blocks would hold all of their scores.
    """
    if q.shape[2] <= QUERY_BLOCK:
        return mx.fast.scaled_dot_product_attention(q, k, v, scale=scale)
    blocks: list[mx.array] = []
    for at in range(0, q.shape[2], QUERY_BLOCK):
        queries = q[:, :, at : at + QUERY_BLOCK]
        blocks.append(mx.fast.scaled_dot_product_attention(queries, k, v, scale=scale))
        mx.eval(blocks[-1])
    return mx.concatenate(blocks, axis=2)


class PatchEmbedding(nn.Module):
    """The strided convolution of the paper as the matrix product it is. weight: (D, patch, patch, 3)."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.patch = config.patch_size
        self.weight = mx.zeros((config.hidden, self.patch, self.patch, 3))
        self.bias = mx.zeros((config.hidden,))

    def __call__(self, pixels: mx.array) -> mx.array:
        rows = to_patches(pixels.astype(self.weight.dtype), self.patch)
        return mx.addmm(self.bias, rows, self.weight.reshape(len(self.weight), -1).T)  # N P D


class Embeddings(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.patch_embedding = PatchEmbedding(config)
        self.position_embedding = nn.Embedding(config.patches, config.hidden)

    def __call__(self, pixels: mx.array) -> mx.array:
        x = self.patch_embedding(pixels)
        return x + self.position_embedding(mx.arange(x.shape[1]))  # by index: the table may be quantised


class Attention(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.scale = (config.hidden // config.heads) ** -0.5
        self.q_proj = nn.Linear(config.hidden, config.hidden)
        self.k_proj = nn.Linear(config.hidden, config.hidden)
        self.v_proj = nn.Linear(config.hidden, config.hidden)
        self.out_proj = nn.Linear(config.hidden, config.hidden)

    def __call__(self, x: mx.array) -> mx.array:
        count, patches, width = x.shape
        q = self.q_proj(x).reshape(count, patches, self.heads, -1).swapaxes(1, 2)  # N H P C
        k = self.k_proj(x).reshape(count, patches, self.heads, -1).swapaxes(1, 2)
        v = self.v_proj(x).reshape(count, patches, self.heads, -1).swapaxes(1, 2)
        out = attend_in_blocks(q, k, v, self.scale)
        return self.out_proj(out.swapaxes(1, 2).reshape(count, patches, width))


class MLP(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden, config.mlp)
        self.fc2 = nn.Linear(config.mlp, config.hidden)

    def __call__(self, x: mx.array) -> mx.array:
        return self.fc2(nn.gelu_approx(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = MLP(config)
        self.layer_norm1 = nn.LayerNorm(config.hidden, eps=config.norm_eps)
        self.layer_norm2 = nn.LayerNorm(config.hidden, eps=config.norm_eps)

    def __call__(self, x: mx.array) -> mx.array:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Encoder(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.layers = [Block(config) for _ in range(config.layers)]

    def __call__(self, x: mx.array) -> mx.array:
        for layer in self.layers:
            x = layer(x)
        return x


class VisionModel(nn.Module):
    """Pixels (N, S, S, 3), normalised to [-1, 1], to features (N, P, D)."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.post_layernorm = nn.LayerNorm(config.hidden, eps=config.norm_eps)

    def __call__(self, pixels: mx.array) -> mx.array:
        return self.post_layernorm(self.encoder(self.embeddings(pixels)))


class VisionTower(nn.Module):
    """The vision model under the name that checkpoints give it inside a larger one (`vision_tower.vision_model`)."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.vision_model = VisionModel(config)

    def __call__(self, pixels: mx.array) -> mx.array:
        return self.vision_model(pixels)
