"""A checkpoint's safetensors files: which they are, what they hold, and a tensor at a time on demand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import mlx.core as mx

from mlx_gemma.model.config import read_json
from vision.errors import ModelNotFoundError, WeightsError

INDEX = "model.safetensors.index.json"
UNREAD = (".bin", ".pt", ".pth", ".ckpt", ".gguf", ".npz")
HEADER_LIMIT = 100_000_000  # bytes; the same limit as the safetensors library's


@dataclass(frozen=True)
class Stored:
    """One tensor in a file. layout: "mlx" when the file says that MLX wrote it (convolutions are OHWI there)."""

    file: Path
    shape: tuple[int, ...]
    dtype: str
    layout: str
    nbytes: int


def stored_tensors(folder: Path) -> dict[str, Stored]:
    """Everything in a folder's safetensors files, by name, from their headers alone.

    Raises ModelNotFoundError where there are none, WeightsError for a missing, truncated or malformed shard, a tensor
    that two shards hold, or one that the index promises and no shard has.
    """
    found: dict[str, Stored] = {}
    shards, promised = _shards(folder)
    for shard in shards:
        for name, tensor in _header(shard).items():
            if name in found:
                raise WeightsError(f"{folder}: {name} is in both {found[name].file.name} and {shard.name}")
            found[name] = tensor
    if absent := sorted(promised - found.keys()):
        raise WeightsError(
            f"{folder}: {INDEX} promises {absent[0]} ({len(absent)} such), but no shard has it"
        )
    return found


def read_tensors(stored: Mapping[str, Stored]) -> dict[str, mx.array]:
    """Those tensors, not yet read: each comes from its file when it is evaluated, on the thread that asks."""
    lazy: dict[str, mx.array] = {}
    for file in {tensor.file for tensor in stored.values()}:
        held = cast("dict[str, mx.array]", mx.load(str(file)))
        lazy.update({name: held[name] for name, tensor in stored.items() if tensor.file == file})
    return lazy


def _shards(folder: Path) -> tuple[list[Path], set[str]]:
    """The files to read and the names an index promises."""
    if (folder / INDEX).is_file():
        weight_map = read_json(folder / INDEX).get("weight_map")
        if not isinstance(weight_map, dict):
            raise WeightsError(f"{folder / INDEX}: no weight_map in it; download the index again")
        weight_map = cast("dict[str, str]", weight_map)
        names = sorted(set(weight_map.values()))
        if lost := [name for name in names if not (folder / Path(name).name).is_file()]:
            raise WeightsError(
                f"{folder}: {len(lost)} of {len(names)} shards missing ({lost[0]}); download it again"
            )
        return [folder / Path(name).name for name in names], set(weight_map)
    files = sorted(folder.glob("model*.safetensors")) or sorted(
        file for file in folder.glob("*.safetensors") if not file.name.startswith("adapter")
    )
    if not files:
        others = sorted(file.name for file in folder.iterdir() if file.suffix in UNREAD)
        seen = f"; {others[0]} is there, but only safetensors is read" if others else ""
        raise ModelNotFoundError(f"{folder}: no .safetensors files there{seen}")
    return files, set()


def _header(file: Path) -> dict[str, Stored]:
    """A safetensors header, checked against the file: 8 bytes of length, then JSON, then the tensors' bytes."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(HEADER_LIMIT, size - 8):
            raise WeightsError(f"{file}: not a safetensors file, or cut short; download it again")
        try:
            header = json.loads(stream.read(length))
            metadata = cast(
                "dict[str, str]", header.pop("__metadata__", None) or {}
            )  # MLX writes null for none
            tensors = {
                name: _stored(file, entry, metadata.get("format", "pt")) for name, entry in header.items()
            }
            end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise WeightsError(f"{file}: its header cannot be read ({error}); download it again") from None
    if 8 + length + end > size:
        raise WeightsError(f"{file}: cut short at {size:,} of {8 + length + end:,} bytes; download it again")
    return tensors


def _stored(file: Path, entry: Mapping[str, Any], layout: str) -> Stored:
    begin, end = entry["data_offsets"]
    return Stored(file, tuple(entry["shape"]), entry["dtype"], layout, end - begin)
