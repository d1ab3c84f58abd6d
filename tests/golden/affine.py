"""MLX's affine groups, unpacked by their definition alone: value = scale * code + bias, low codes first."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file

Floats = NDArray[np.float32]


def read_dequantized(folder: Path) -> dict[str, Floats]:
    """Every tensor of an MLX folder in float32, under its published name, with the convolution as published."""
    index = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))["weight_map"]
    stored = {
        name: tensor for file in set(index.values()) for name, tensor in load_file(folder / file).items()
    }
    assert stored.keys() == index.keys()
    weights: dict[str, Floats] = {}
    for name, tensor in stored.items():
        module = name.rpartition(".")[0]
        if f"{module}.scales" not in stored:
            weights[name] = tensor.float().numpy()
        elif name.endswith(".weight"):
            scales, biases = (stored[f"{module}.{part}"].float().numpy() for part in ("scales", "biases"))
            weights[name] = unpacked(tensor.numpy(), scales, biases)
    patches = "vision_tower.vision_model.embeddings.patch_embedding.weight"
    return {**weights, patches: weights[patches].transpose(0, 3, 1, 2).copy()}


def unpacked(words: NDArray[np.uint32], scales: Floats, biases: Floats, group: int = 64) -> Floats:
    """Words (out, in * bits / 32), scales and biases (out, in / group), to values (out, in). Bits divide 32."""
    width = scales.shape[-1] * group
    bits = 32 * words.shape[-1] // width
    shifts = np.arange(0, 32, bits, dtype=np.uint32)
    codes = (words[..., None] >> shifts) & np.uint32(2**bits - 1)
    codes = codes.reshape(len(words), -1, group).astype(np.float32)
    return (scales[..., None] * codes + biases[..., None]).reshape(len(words), width)
