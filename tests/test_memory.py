"""What a model is reckoned to need, against what it takes."""

import json
from dataclasses import replace
from pathlib import Path

import mlx.core as mx
import pytest

import mlx_gemma
from mlx_gemma import memory
from mlx_gemma.model.cache import make_cache
from mlx_gemma.model.config import (
    GEMMA3_1B,
    GEMMA3_4B,
    GEMMA3_12B,
    GEMMA3_27B,
    GEMMA3_270M,
    DecoderConfig,
    GemmaConfig,
)
from mlx_gemma.model.files import stored_tensors
from mlx_gemma.model.tree import named
from mlx_gemma.selftest.cases import CASES
from mlx_gemma.selftest.draw import draw_weights
from mlx_gemma.selftest.folder import PRECISIONS, Precision, write_folder
from vision.errors import MemoryLimitError

SIZES = {"270M": GEMMA3_270M, "1B": GEMMA3_1B, "4B": GEMMA3_4B, "12B": GEMMA3_12B, "27B": GEMMA3_27B}


@pytest.mark.parametrize(
    ("size", "windowed"), [("270M", 0.11), ("1B", 0.15), ("4B", 0.79), ("12B", 2.48), ("27B", 3.12)]
)
def test_the_cache_of_every_size(size: str, windowed: float) -> None:
    """Keys and values at 32k tokens in bfloat16, in GB, as the windows' arithmetic has it."""
    assert SIZES[size].cache_bytes(32_768) / 1e9 == pytest.approx(windowed, abs=0.005)


def test_what_a_cache_holds_is_what_was_reckoned() -> None:
    """After 3,000 tokens of a narrow 4B: the formula, plus at most the slack and one growing step a layer."""
    config: DecoderConfig = replace(GEMMA3_4B, head_dim=4, kv_heads=1)
    caches = make_cache(config)
    for _ in range(30):
        keys = mx.zeros((1, 1, 100, 4), mx.bfloat16)
        for layer in caches:
            layer.update_and_fetch(keys, keys)
    held, reckoned = sum(layer.nbytes for layer in caches), config.cache_bytes(3000)
    slack = 2 * 4 * 2 * 256 * config.layers
    assert reckoned <= held <= reckoned + slack


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("widen", [True, False])
def test_weights_take_what_was_reckoned(tmp_path: Path, precision: Precision, widen: bool) -> None:
    """Of a checkpoint in each precision, packed or unpacked: within 2% (norms are kept in float32)."""
    case = CASES[1]
    write_folder(tmp_path, case.config, draw_weights(case.config, case.seed), precision)
    config, stored = GemmaConfig.from_folder(tmp_path), stored_tensors(tmp_path)
    gemma = mlx_gemma.load(tmp_path, dtype="bfloat16", widen=widen)
    taken = sum(tensor.nbytes for tensor in named(gemma.model.parameters()).values())
    reckoned = memory.weight_bytes(config, stored, value_bytes=2, widen=widen)
    assert reckoned == pytest.approx(taken, rel=0.02)


def test_a_load_peaks_at_what_it_holds(tmp_path: Path) -> None:
    """Read tensor by tensor: 1.1 times the weights at most, whatever has to be converted."""
    case = CASES[1]
    write_folder(tmp_path, case.config, draw_weights(case.config, case.seed), "4-bit")
    for widen in (True, False):
        mx.clear_cache()
        before = mx.get_active_memory()
        mx.reset_peak_memory()
        gemma = mlx_gemma.load(tmp_path, dtype="float32", widen=widen)
        peak = mx.get_peak_memory() - before
        taken = sum(tensor.nbytes for tensor in named(gemma.model.parameters()).values())
        assert peak <= 1.1 * taken


def sparse_4b(folder: Path) -> Path:
    """A folder that claims to hold a 4B in one file of holes: 8 GB that take no room on the disk."""
    shape = [262_208, 2560]
    name = "model.embed_tokens.weight"
    body = {name: {"dtype": "BF16", "shape": shape, "data_offsets": [0, 2 * shape[0] * shape[1]]}}
    end = 2 * shape[0] * shape[1]
    for i in range(34):
        for part, rows in (("gate", 10_240), ("up", 10_240), ("down", 10_240)):
            size = 2 * rows * 2560
            entry = {"dtype": "BF16", "shape": [rows, 2560], "data_offsets": [end, end + size]}
            body[f"model.layers.{i}.mlp.{part}_proj.weight"] = entry
            end += size
    header = json.dumps(body).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + end)
    text = {"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34, "sliding_window": 1024}
    (folder / "config.json").write_text(json.dumps(text))
    return folder


def test_what_does_not_fit_is_refused_in_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any of it is read: what it needs, of which kind, and what is free."""
    monkeypatch.setenv("MLX_GEMMA_MEMORY", "2")
    with pytest.raises(MemoryLimitError, match=r"needs \d+\.\d GB \(weights 6\.7, .* but 2\.0 GB are free"):
        mlx_gemma.load(sparse_4b(tmp_path))


def test_the_cpu_widens_only_what_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU a bfloat16 checkpoint is held in float32 if that fits, else as it is stored."""
    case = CASES[1]
    write_folder(tmp_path, case.config, draw_weights(case.config, case.seed), "bfloat16")
    config, stored = GemmaConfig.from_folder(tmp_path), stored_tensors(tmp_path)
    narrow, wide = (memory.need(config, stored, value_bytes=n, widen=True).total for n in (2, 4))

    def held_as() -> mx.Dtype:
        return mlx_gemma.load(tmp_path).model.language_model.model.embed_tokens.weight.dtype

    if mx.default_device() == mx.Device(mx.cpu):
        assert held_as() == mx.float32
    monkeypatch.setenv("MLX_GEMMA_MEMORY", str((narrow + wide) / 2e9))
    assert held_as() == mx.bfloat16
