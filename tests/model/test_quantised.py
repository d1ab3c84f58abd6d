"""Folders in MLX's packed format, the kind the community publishes: exact when unpacked, faithful when kept packed."""

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import mlx_gemma
from mlx_gemma.selftest.cases import PEER, draw_pixels
from mlx_gemma.selftest.replay import TOLERANCE
from mlx_gemma.selftest.tiny import Config
from tests.model.folders import EXACT, Tensors, case_named, drawn, error, save
from vision.errors import WeightsError

HERE = Path(__file__).parents[1] / "golden"
PEER_FOLDER, PEER_GOLDEN = HERE / "mlx_vlm", HERE / "mlx_vlm.safetensors"

SEEN = case_named("two images adjacent")
READ = case_named("text only")
EIGHT_BIT = "language_model.model.layers.2.mlp.up_proj"


def packed(tensors: Tensors, *, group: int = 64, bits: int = 4) -> Tensors:
    """Every matrix that fits packed, the tower's and its positions too; lossless, as the weights lie on the grid."""
    made: Tensors = {}
    for name, tensor in tensors.items():
        module = name.removesuffix(".weight")
        if tensor.ndim != 2 or tensor.shape[1] % group or module == name:
            made[name] = tensor
            continue
        words, scales, biases = mx.quantize(tensor, group_size=group, bits=4)
        if bits == 8:
            words = in_bytes(words)
        made |= {name: words, f"{module}.scales": scales, f"{module}.biases": biases}
    return made


def in_bytes(words: mx.array) -> mx.array:
    """The same codes with eight bits each: with the same scales and biases, the same numbers."""
    nibbles = (np.array(words)[..., None] >> np.arange(0, 32, 4, dtype=np.uint32)) & 15
    return mx.array(nibbles.reshape(len(nibbles), -1).astype(np.uint8).view(np.uint32))


def quantization(config: Config, **spec: object) -> Config:
    """The config with MLX's setting, under the two names that mlx-lm writes it."""
    return {**config, "quantization": spec, "quantization_config": spec}


def answered(folder: Path, *, dtype: str = "float32", widen: bool) -> float:
    """How far off the reference the two pictures' case is when loaded from there."""
    gemma = mlx_gemma.load(folder, dtype=dtype, widen=widen)
    return error(gemma.logits(SEEN.ids, draw_pixels(SEEN)), SEEN)


@pytest.mark.parametrize("widen", [True, False], ids=["unpacked", "packed"])
def test_what_mlx_vlm_writes(widen: bool) -> None:
    """A folder that mlx-vlm itself quantised (mixed bits, three shards, a needless head) answers as the reference does
    with its dequantised weights, whether unpacked at load or run on quantised kernels.
    """
    gemma = mlx_gemma.load(PEER_FOLDER, dtype="float32", widen=widen)
    assert error(gemma.logits(PEER.ids, draw_pixels(PEER)), PEER, PEER_GOLDEN) < EXACT


def test_what_mlx_vlm_writes_as_it_ships() -> None:
    """The same folder in bfloat16 on quantised kernels stays within the stated tolerance."""
    gemma = mlx_gemma.load(PEER_FOLDER, dtype="bfloat16", widen=False)
    assert error(gemma.logits(PEER.ids, draw_pixels(PEER)), PEER, PEER_GOLDEN) < TOLERANCE["4-bit"]


@pytest.mark.parametrize("widen", [True, False], ids=["unpacked", "packed"])
def test_the_needless_head_is_not_held(widen: bool) -> None:
    """The folder's second copy of the embedding takes no memory: what is held is the embedding once."""
    gemma = mlx_gemma.load(PEER_FOLDER, dtype="float32", widen=widen)
    names = [name for name, _ in tree_flatten(gemma.model.parameters())]
    assert not [name for name in names if "lm_head" in name]
    rows = gemma.config.decoder.vocab
    held = [name for name, value in tree_flatten(gemma.model.parameters()) if value.shape[:1] == (rows,)]
    embedding = "language_model.model.embed_tokens."
    parts = ["weight"] if widen else ["biases", "scales", "weight"]
    assert sorted(held) == [embedding + part for part in parts]


@pytest.mark.parametrize("widen", [True, False], ids=["unpacked", "packed"])
@pytest.mark.parametrize("group", [32, 64])
def test_everything_packed(tmp_path: Path, group: int, widen: bool) -> None:
    """A folder with the tower packed as well, its positions among it, as early converters left them, is exact."""
    config = quantization(SEEN.config, group_size=group, bits=4)
    assert answered(save(tmp_path, config, packed(drawn(SEEN), group=group)), widen=widen) < EXACT


@pytest.mark.parametrize("widen", [True, False], ids=["unpacked", "packed"])
def test_bits_of_single_modules(tmp_path: Path, widen: bool) -> None:
    """A module with bits of its own is read with them, and the others with the folder's."""
    tensors = packed(drawn(SEEN))
    tensors[f"{EIGHT_BIT}.weight"] = in_bytes(tensors[f"{EIGHT_BIT}.weight"])
    spec: dict[str, object] = {"group_size": 64, "bits": 4, EIGHT_BIT: {"group_size": 64, "bits": 8}}
    assert answered(save(tmp_path, quantization(SEEN.config, **spec), tensors), widen=widen) < EXACT


def test_modules_that_are_not_packed(tmp_path: Path) -> None:
    """What has no scales is not packed, whatever the config says of the folder, or of the module itself."""
    tensors, plain = packed(drawn(SEEN)), drawn(SEEN)
    for part in ("scales", "biases"):
        del tensors[f"{EIGHT_BIT}.{part}"]
    tensors[f"{EIGHT_BIT}.weight"] = plain[f"{EIGHT_BIT}.weight"]
    spec: dict[str, object] = {"group_size": 64, "bits": 4, EIGHT_BIT: {"group_size": 64, "bits": 8}}
    assert answered(save(tmp_path, quantization(SEEN.config, **spec), tensors), widen=False) < EXACT
    spec[EIGHT_BIT] = False
    assert answered(save(tmp_path, quantization(SEEN.config, **spec), tensors), widen=False) < EXACT


@pytest.mark.parametrize("widen", [True, False], ids=["unpacked", "packed"])
def test_text_models_packed(tmp_path: Path, widen: bool) -> None:
    """A packed text model, names and all as mlx-lm writes them, is exact."""
    folder = save(
        tmp_path, quantization(READ.config, group_size=64, bits=4), packed(drawn(READ)), layout="mlx"
    )
    gemma = mlx_gemma.load(folder, dtype="float32", widen=widen)
    assert error(gemma.logits(READ.ids), READ) < EXACT


def test_eight_bits(tmp_path: Path) -> None:
    """A folder of 8 bits throughout is exact too."""
    folder = save(tmp_path, quantization(SEEN.config, group_size=64, bits=8), packed(drawn(SEEN), bits=8))
    assert answered(folder, widen=False) < EXACT


def test_packed_without_a_setting(tmp_path: Path) -> None:
    """Packed tensors under a config that does not say so are an error that names them."""
    with pytest.raises(WeightsError, match=r"layers\.0.*quantization"):
        mlx_gemma.load(save(tmp_path, SEEN.config, packed(drawn(SEEN))))


def test_packed_with_the_wrong_setting(tmp_path: Path) -> None:
    """Packed tensors whose shapes contradict the config's bits are an error that names them, not noise."""
    folder = save(tmp_path, quantization(SEEN.config, group_size=64, bits=8), packed(drawn(SEEN)))
    with pytest.raises(WeightsError, match=r"wrong shape language_model\.model\.embed_tokens"):
        mlx_gemma.load(folder)


def test_a_lost_part(tmp_path: Path) -> None:
    """A packed module whose biases are gone is an error that names them."""
    tensors = packed(drawn(SEEN))
    del tensors[f"{EIGHT_BIT}.biases"]
    with pytest.raises(WeightsError, match=rf"missing {EIGHT_BIT}\.biases"):
        mlx_gemma.load(save(tmp_path, quantization(SEEN.config, group_size=64, bits=4), tensors))


@pytest.mark.parametrize("bits", [0, 1, 7, 16])
def test_bits_that_there_are_not(tmp_path: Path, bits: int) -> None:
    """Bits that MLX does not pack are refused by their number."""
    with pytest.raises(WeightsError, match=f"{bits} bits"):
        mlx_gemma.load(
            save(tmp_path, quantization(SEEN.config, group_size=64, bits=bits), packed(drawn(SEEN)))
        )
