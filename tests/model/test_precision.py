"""What is held in which type: norms in float32 with their one added, never float16, the embedding once."""

from dataclasses import replace
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import mlx_gemma
from mlx_gemma.gemma import Gemma
from mlx_gemma.model.config import GEMMA3_4B
from mlx_gemma.model.decoder import Decoder
from tests.model.folders import case_named, drawn, error, save

READ = case_named("text only")
SEEN = case_named("two images adjacent")


def held(gemma: Gemma) -> dict[str, mx.array]:
    """The model's arrays by name."""
    return dict(tree_flatten(gemma.model.parameters()))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_norms_are_exact(tmp_path: Path, dtype: str) -> None:
    """Gemma's norms hold 1 + w in float32, with none of w's bits rounded: bfloat16 makes 1.0042 into 1.0078."""
    tensors = drawn(SEEN) | {"language_model.model.norm.weight": mx.full((64,), 0.0042)}
    stored = {name: tensor.astype(mx.bfloat16) for name, tensor in tensors.items()}
    gemma = mlx_gemma.load(save(tmp_path, SEEN.config, stored), dtype=dtype)
    norms = {name: value for name, value in held(gemma).items() if name.endswith("norm.weight")}
    gemmas = {name: value for name, value in norms.items() if "vision_tower" not in name}
    assert len(gemmas) == 7 * 6 + 2
    for name, value in gemmas.items():
        assert value.dtype == mx.float32
        np.testing.assert_array_equal(
            np.array(value), np.array(stored[name].astype(mx.float32)) + np.float32(1)
        )


def test_the_rest_is_of_the_type_asked_for(tmp_path: Path) -> None:
    """In bfloat16 everything but Gemma's norms is bfloat16, and so is what passes between the layers."""
    gemma = mlx_gemma.load(save(tmp_path, SEEN.config, drawn(SEEN)), dtype="bfloat16")
    kinds = {value.dtype for name, value in held(gemma).items() if not name.endswith("norm.weight")}
    assert kinds == {mx.bfloat16}
    through = gemma.engine.run(lambda: gemma.model.hidden(np.array([[2, 100]], dtype=np.int32)).dtype)
    assert through == mx.bfloat16


def test_norms_in_the_middle_do_not_widen(tmp_path: Path) -> None:
    """Float32 norm weights leave keys and values in bfloat16: the caches do not double."""
    gemma = mlx_gemma.load(save(tmp_path, READ.config, drawn(READ)), dtype="bfloat16")

    def work() -> set[mx.Dtype]:
        cache = gemma.model.language_model.make_cache()
        gemma.model.language_model(mx.array([READ.ids]), cache)
        return {each.dtype for layer in cache for each in (layer.keys, layer.values) if each is not None}

    assert gemma.engine.run(work) == {mx.bfloat16}


@pytest.mark.parametrize("asked", [None, "float16"])
def test_float16_never_overflows(tmp_path: Path, asked: str | None) -> None:
    """A float16 checkpoint whose residual stream passes 65,504, as Gemma 3's does, still answers as in float32."""
    loud = {
        name: mx.full(tensor.shape, 30_000.0) if "post_feedforward" in name else tensor
        for name, tensor in drawn(READ).items()
    }
    stored = {name: tensor.astype(mx.float16) for name, tensor in loud.items()}
    config = {**READ.config, "dtype": "float16"}
    gemma = mlx_gemma.load(save(tmp_path / "half", config, stored), dtype=asked)
    wide = mlx_gemma.load(save(tmp_path / "whole", READ.config, loud), dtype="float32")
    assert mx.float16 not in {value.dtype for value in held(gemma).values()}
    off = np.abs(np.array(gemma.logits(READ.ids)) - np.array(wide.logits(READ.ids)))
    assert off.max() < 0.5
    assert wide.engine.run(lambda: loudest(wide)) > 65_504


def loudest(gemma: Gemma) -> float:
    """The largest number between a model's layers."""
    decoder = gemma.model.language_model.model
    x = decoder.embed(mx.array([READ.ids]))
    for layer in decoder.layers:
        x = layer(x, "causal", None)
    return float(mx.abs(x).max().item())


@pytest.mark.parametrize(("dtype", "factor"), [(mx.bfloat16, 50.5), (mx.float32, np.float32(2560**0.5))])
def test_the_embedding_scale_is_rounded(dtype: mx.Dtype, factor: float) -> None:
    """The embedding's factor is rounded to the weights' type, as the reference's: on the 4B 50.5 for 50.596."""
    decoder = Decoder(replace(GEMMA3_4B, layers=1, vocab=2, mlp=8))
    decoder.embed_tokens.weight = mx.ones((2, 2560), dtype)
    assert decoder.embed(mx.array([[1]]))[0, 0, 0].item() == factor


def test_the_embedding_is_held_once(tmp_path: Path) -> None:
    """A folder with a copy of the embedding as head loads to the bytes of the folder without it."""
    tensors = drawn(READ)
    plain = mlx_gemma.load(save(tmp_path / "tied", READ.config, tensors))
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
    copied = mlx_gemma.load(save(tmp_path / "copied", READ.config, tensors))
    assert held(plain).keys() == held(copied).keys()
    assert error(copied.logits(READ.ids), READ) < 1e-4
