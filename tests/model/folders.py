"""Checkpoint folders to load from, written the ways they are found, and how far an answer is from the reference's."""

import json
from functools import cache
from pathlib import Path

import mlx.core as mx
import numpy as np

from mlx_gemma.selftest.cases import CASES, KEPT_COLUMNS, Case
from mlx_gemma.selftest.draw import Floats, draw_weights
from mlx_gemma.selftest.tiny import Config

Tensors = dict[str, mx.array]

GOLDEN = Path(__file__).parents[2] / "mlx_gemma" / "selftest" / "golden.safetensors"
EXACT = 1e-4  # what a float32 logit, of order 1, may be off


def case_named(name: str) -> Case:
    """One of the golden cases."""
    (case,) = (case for case in CASES if case.name == name)
    return case


def drawn(case: Case) -> Tensors:
    """A case's weights as MLX arrays, under the names of dialect A or D."""
    return {name: mx.array(weight) for name, weight in draw_weights(case.config, case.seed).items()}


def save(folder: Path, config: Config, tensors: Tensors, *, layout: str = "pt", shards: int = 1) -> Path:
    """Write a folder; `layout` is what the files say wrote them. Several shards come with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if shards == 1:
        mx.save_safetensors(str(folder / "model.safetensors"), tensors, metadata={"format": layout})
        return folder
    weight_map: dict[str, str] = {}
    for n in range(shards):
        file = f"model-{n + 1:05}-of-{shards:05}.safetensors"
        part = {name: tensors[name] for name in sorted(tensors)[n::shards]}
        mx.save_safetensors(str(folder / file), part, metadata={"format": layout})
        weight_map |= dict.fromkeys(part, file)
    index = {
        "metadata": {"total_size": sum(each.nbytes for each in tensors.values())},
        "weight_map": weight_map,
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


@cache
def golden(path: Path = GOLDEN) -> dict[str, Floats]:
    """What transformers answers, by `case/logits` and `case/features`."""
    held = mx.load(str(path))
    assert isinstance(held, dict)
    return {name: np.array(tensor) for name, tensor in held.items()}


def error(logits: object, case: Case, path: Path = GOLDEN) -> float:
    """The largest distance of (L, vocabulary) logits from the reference's."""
    kept = np.asarray(logits)[:, KEPT_COLUMNS]
    wanted = golden(path)[f"{case.name}/logits"]
    assert kept.shape == wanted.shape
    return float(np.abs(kept - wanted).max())
