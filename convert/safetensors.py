"""Write a safetensors file tensor by tensor, never holding more than one.

The format is a header that says where each tensor will be, then the tensors (huggingface/safetensors, "Format");
so shapes must be known before the first tensor is made.
"""

import json
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

Dtype = Literal["float32", "float16", "bfloat16"]
_CODE = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Tensor:
    """A tensor to come: its name, its shape, and how to make it (float32) when its turn comes."""

    name: str
    shape: tuple[int, ...]
    make: Callable[[], Array]


def write(path: Path, tensors: Iterable[Tensor], dtype: Dtype) -> None:
    """Write all tensors to `path` in the order given, rounded to `dtype` (to nearest, ties to even)."""
    tensors = list(tensors)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor in tensors:
        start, end = end, end + _BYTES[dtype] * int(np.prod(tensor.shape))
        header[tensor.name] = {"dtype": _CODE[dtype], "shape": tensor.shape, "data_offsets": (start, end)}
    stored = json.dumps(header, separators=(",", ":")).encode()
    stored += b" " * (-len(stored) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(stored)) + stored)
        for tensor in tensors:
            array = tensor.make()
            if array.shape != tensor.shape:
                raise AssertionError(f"{tensor.name}: announced as {tensor.shape}, made as {array.shape}")
            file.write(_rounded(array, dtype).tobytes())


def _rounded(array: Array, dtype: Dtype) -> Array:
    if dtype != "bfloat16":
        return array.astype("<f2" if dtype == "float16" else "<f4", copy=False)
    bits = array.astype("<f4", copy=False).view("<u4")  # numpy has no bfloat16: the upper half of a float32
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
