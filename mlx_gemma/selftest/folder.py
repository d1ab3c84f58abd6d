"""Write a tiny model as a checkpoint folder, in each precision that checkpoints ship in."""

import json
from pathlib import Path
from typing import Literal

import mlx.core as mx

from mlx_gemma.selftest.draw import Floats
from mlx_gemma.selftest.tiny import Config

Precision = Literal["float32", "bfloat16", "4-bit"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "4-bit")

GROUP_SIZE, BITS = 64, 4  # what the MLX community's 4-bit folders have


def write_folder(folder: Path, config: Config, weights: dict[str, Floats], precision: Precision) -> None:
    """Write config.json and model.safetensors. 4-bit: the decoder in groups of 64, everything else in bfloat16."""
    stored = mx.float32 if precision == "float32" else mx.bfloat16
    tensors = {name: mx.array(weight).astype(stored) for name, weight in weights.items()}
    config = {**config, "dtype": "float32" if precision == "float32" else "bfloat16"}
    if precision == "4-bit":
        tensors = quantized(tensors)
        config["quantization"] = {"group_size": GROUP_SIZE, "bits": BITS}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    mx.save_safetensors(str(folder / "model.safetensors"), tensors, metadata={"format": "pt"})


def quantized(tensors: dict[str, mx.array]) -> dict[str, mx.array]:
    """Pack the decoder's matrices, the embedding included: `.weight` in 32-bit words, `.scales` and `.biases`."""
    packed: dict[str, mx.array] = {}
    for name, tensor in tensors.items():
        if name.startswith(("vision_tower.", "multi_modal_projector.")) or tensor.ndim != 2:
            packed[name] = tensor
            continue
        module = name.removesuffix(".weight")
        weight, scales, biases = mx.quantize(tensor, group_size=GROUP_SIZE, bits=BITS)
        packed |= {name: weight, f"{module}.scales": scales, f"{module}.biases": biases}
    return packed
