"""The tower's pieces from first principles; whole towers are compared with transformers in tests/model."""

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from vision import siglip
from vision.config import Fields, VisionConfig
from vision.errors import ConfigError


def test_patches_are_a_strided_convolution() -> None:
    """Cutting and multiplying equals MLX's convolution with the same weights, a remainder unseen."""
    config = VisionConfig(image_size=30, patch_size=7, hidden=8, layers=1, heads=2, mlp=8, norm_eps=1e-6)
    embedding = siglip.PatchEmbedding(config)
    embedding.weight = mx.random.normal(embedding.weight.shape)
    embedding.bias = mx.random.normal((8,))
    pixels = mx.random.normal((2, 30, 30, 3))
    wanted = mx.conv2d(pixels, embedding.weight, stride=7) + embedding.bias
    np.testing.assert_allclose(embedding(pixels), wanted.reshape(2, 16, 8), atol=1e-4)


def test_attention_in_blocks_is_attention() -> None:
    """Queries taken 512 at a time see the same keys as all at once."""
    q, k, v = (mx.random.normal((1, 2, 1200, 8)) for _ in range(3))
    wanted = mx.fast.scaled_dot_product_attention(q, k, v, scale=0.3)
    np.testing.assert_allclose(siglip.attend_in_blocks(q, k, v, 0.3), wanted, atol=1e-5)


def test_blocks_bound_the_memory() -> None:
    """2048 patches at 8 heads: scores of one block at a time, a fraction of what all would take."""
    q = mx.random.normal((1, 8, 2048, 16))
    mx.eval(q)

    def peak(block: int) -> int:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(siglip, "QUERY_BLOCK", block)
            mx.reset_peak_memory()
            mx.eval(siglip.attend_in_blocks(q, q, q, 0.25))
            return mx.get_peak_memory()

    assert peak(512) < 0.5 * peak(2048)


def test_gelu_is_the_tanh_approximation() -> None:
    """As the config must say: gelu_pytorch_tanh, not the exact one."""
    x = np.linspace(-4, 4, 101)
    wanted = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    np.testing.assert_allclose(nn.gelu_approx(mx.array(x, dtype=mx.float32)), wanted, atol=1e-6)


@pytest.mark.parametrize(
    "wrong", [{"hidden_act": "gelu"}, {"num_channels": 1}, {"image_size": [224, 448]}, {"rotary": True}]
)
def test_towers_that_are_not_computed_are_refused(wrong: dict[str, object]) -> None:
    """The error names the key."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        VisionConfig.from_fields(Fields(wrong, "vision_config"))
