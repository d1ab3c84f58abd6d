"""A GGUF file becomes the checkpoint folder it was made from, whole, or an error and no folder."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from convert.gguf import dequantise
from mlx_gemma.model.config import GEMMA3_270M, GemmaConfig
from mlx_gemma.text.tokenizer import Tokenizer
from tests.convert import ggufs
from vision.errors import WeightsError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole tiny file; its first gate is stored as Q8_0, all else as float32."""
    gate = frozenset({"blk.0.ffn_gate.weight"})
    return ggufs.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", ggufs.weights(), quantised=gate)


def _tensors(folder: Path) -> dict[str, np.ndarray]:
    with safe_open(folder / "model.safetensors", "np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)


def test_weights_come_back(whole: Path, tmp_path: Path) -> None:
    """Every matrix under its Hugging Face name and value, every norm less the 1 that GGUF adds; nothing else."""
    made = _tensors(dequantise(whole, tmp_path / "made"))
    given = ggufs.weights()
    assert len(made) == len(given)
    assert np.array_equal(made["model.embed_tokens.weight"], given["token_embd.weight"])
    assert np.array_equal(made["model.layers.1.self_attn.o_proj.weight"], given["blk.1.attn_output.weight"])
    assert np.array_equal(made["model.layers.1.mlp.down_proj.weight"], given["blk.1.ffn_down.weight"])
    assert np.array_equal(made["model.norm.weight"], given["output_norm.weight"] - 1)
    pairs = {
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "post_attention_norm",
        "pre_feedforward_layernorm": "ffn_norm",
        "post_feedforward_layernorm": "post_ffw_norm",
        "self_attn.q_norm": "attn_q_norm",
        "self_attn.k_norm": "attn_k_norm",
    }
    for name, source in pairs.items():
        assert np.array_equal(made[f"model.layers.0.{name}.weight"], given[f"blk.0.{source}.weight"] - 1)


def test_quantised_weights_are_dequantised(whole: Path, tmp_path: Path) -> None:
    """Q8_0 comes back within half a step; a step is the largest magnitude of its block of 32, over 127."""
    made = _tensors(dequantise(whole, tmp_path / "made"))["model.layers.0.mlp.gate_proj.weight"]
    given = ggufs.weights()["blk.0.ffn_gate.weight"]
    steps = np.abs(given.reshape(-1, 32)).max(axis=1, keepdims=True) / 127
    error = np.abs(made - given).reshape(-1, 32)
    assert made.dtype == np.float32
    assert error.max() > 0
    assert np.all(error <= steps * (0.5 + 127 / 2**11))  # the step is stored in half precision


def test_config_is_what_the_file_says(whole: Path, tmp_path: Path) -> None:
    """config.json reads as the decoder that the metadata describes, long-context scaling included."""
    decoder = GemmaConfig.from_folder(dequantise(whole, tmp_path / "made")).decoder
    assert (decoder.vocab, decoder.hidden, decoder.mlp) == (len(ggufs.PIECES), ggufs.HIDDEN, ggufs.MLP)
    assert (decoder.heads, decoder.kv_heads, decoder.head_dim) == (ggufs.HEADS, ggufs.KV_HEADS, ggufs.HEAD)
    assert (decoder.layers, decoder.window, decoder.context) == (ggufs.LAYERS, 16, 131_072)
    assert (decoder.global_rope.theta, decoder.global_rope.factor) == (1_000_000.0, 8.0)
    assert (decoder.local_rope.theta, decoder.local_rope.factor) == (10_000.0, 1.0)
    assert decoder.norm_eps == 1e-6


def test_stop_ids(whole: Path, tmp_path: Path) -> None:
    """The end of text and the end of a turn both stop generation."""
    assert GemmaConfig.from_folder(dequantise(whole, tmp_path / "made")).stop_ids == {1, 5}


def test_tokenizer_comes_back(whole: Path, tmp_path: Path) -> None:
    """The vocabulary opens as a SentencePiece model with every piece at its id, and no text makes an image mark."""
    opened = Tokenizer.from_folder(dequantise(whole, tmp_path / "made"))
    ids = {piece: i for i, piece in enumerate(ggufs.PIECES)}
    assert opened.vocab_size == len(ggufs.PIECES)
    assert opened.encode("ab   <b>\n") == [ids["ab"], ids["   "], ids["<b>"], ids["\n"]]
    assert opened.encode("é") == [ids["<0xC3>"], ids["<0xA9>"]]
    assert opened.special["<start_of_image>"] == ids["<start_of_image>"]
    assert opened.control_ids.isdisjoint(opened.encode("<start_of_image><unused94><end_of_turn>"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrower_dtypes(whole: Path, tmp_path: Path, dtype: str) -> None:
    """A narrower folder holds the float32 values rounded to nearest, as MLX rounds them, and says so in its config."""
    import mlx.core as mx

    folder = dequantise(whole, tmp_path / "made", dtype)  # pyright: ignore[reportArgumentType]
    made = mx.load(str(folder / "model.safetensors"))
    wide = mx.load(str(dequantise(whole, tmp_path / "wide") / "model.safetensors"))
    assert GemmaConfig.from_folder(folder).dtype == dtype
    for name, array in wide.items():
        assert mx.array_equal(made[name], array.astype(getattr(mx, dtype)))


@pytest.mark.parametrize("keep", [0, 3, 20, 200, 0.3, 0.9, 0.999])
def test_truncated_file(whole: Path, tmp_path: Path, keep: float) -> None:
    """A file cut anywhere, in its header or its tensors, is an error that names it, and leaves no folder."""
    content = whole.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(content[: keep if isinstance(keep, int) else int(len(content) * keep)])
    with pytest.raises(WeightsError, match=r"cut\.gguf: wanted a whole GGUF"):
        dequantise(cut, tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.gguf"]


def test_file_of_another_kind(tmp_path: Path) -> None:
    """A file that is no GGUF, and one that is not there, are errors that name it."""
    (tmp_path / "picture.gguf").write_bytes(b"\x89PNG" * 100)
    with pytest.raises(WeightsError, match=r"picture\.gguf"):
        dequantise(tmp_path / "picture.gguf", tmp_path / "made")
    with pytest.raises(WeightsError, match=r"none\.gguf"):
        dequantise(tmp_path / "none.gguf", tmp_path / "made")


def test_other_architecture(tmp_path: Path) -> None:
    """A model that is not Gemma 3 is refused by the name of what it is."""
    path = ggufs.write(tmp_path / "other.gguf", ggufs.weights(), architecture="llama")
    with pytest.raises(WeightsError, match="wanted the architecture gemma3, got llama"):
        dequantise(path, tmp_path / "made")


def test_missing_and_unknown_tensors(tmp_path: Path) -> None:
    """Tensors that are missing or left over are one error that names them all."""
    tensors = ggufs.weights()
    del tensors["blk.1.attn_k.weight"]
    tensors["blk.0.extra.weight"] = np.zeros((4, 32), np.float32)
    path = ggufs.write(tmp_path / "odd.gguf", tensors)
    with pytest.raises(
        WeightsError, match=r"missing: \['blk\.1\.attn_k\.weight'\].*\['blk\.0\.extra\.weight'\]"
    ):
        dequantise(path, tmp_path / "made")


def test_tensors_left_over(tmp_path: Path) -> None:
    """A file that has all it needs and one tensor more, such as an untied head, is refused: it would not be used."""
    path = ggufs.write(
        tmp_path / "untied.gguf", ggufs.weights() | {"output.weight": np.zeros((4, 32), np.float32)}
    )
    with pytest.raises(WeightsError, match=r"missing: \[\]; not known: \['output\.weight'\]"):
        dequantise(path, tmp_path / "made")


def test_existing_folder_is_kept(whole: Path, tmp_path: Path) -> None:
    """A folder that exists is never written over."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine").write_text("kept")
    with pytest.raises(WeightsError, match="exists"):
        dequantise(whole, tmp_path / "made")
    assert (tmp_path / "made" / "mine").read_text() == "kept"


def test_command(whole: Path, tmp_path: Path) -> None:
    """`python -m convert.gguf` makes the folder; on failure it says one line and exits 2."""
    run = [sys.executable, "-m", "convert.gguf"]
    done = subprocess.run([*run, str(whole), str(tmp_path / "made")], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {p.name for p in (tmp_path / "made").iterdir()} > {
        "config.json",
        "model.safetensors",
        "tokenizer.model",
    }
    failed = subprocess.run(
        [*run, str(tmp_path / "none"), str(tmp_path / "b")], capture_output=True, text=True
    )
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1


@pytest.mark.real_weights
def test_real_270m(real_270m: Path) -> None:
    """The real file's config is the 270M of Gemma 3's report; its tensors are all there, and finite."""
    config = GemmaConfig.from_folder(real_270m)
    assert config.decoder == GEMMA3_270M
    assert json.loads((real_270m / "config.json").read_text())["model_type"] == "gemma3_text"
    with safe_open(real_270m / "model.safetensors", "np") as file:
        assert len(file.keys()) == 2 + 13 * 18
        q_norm = file.get_tensor("model.layers.0.self_attn.q_norm.weight")
        embedding = file.get_slice("model.embed_tokens.weight")
        assert embedding.get_shape() == [262_144, 640]
        assert np.isfinite(embedding[1000:1100]).all()
        assert np.isfinite(q_norm).all()
