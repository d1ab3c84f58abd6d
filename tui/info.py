"""`mlx_gemma info`: what a checkpoint is and what it will take, from its headers alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from mlx_gemma import memory
from mlx_gemma.library import resolve
from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.files import Stored, stored_tensors
from mlx_gemma.model.weights import computing_dtype
from tui.models import DEMO_NOTE
from vision.errors import OptionError

FLOAT32 = 4  # bytes


def info(
    model: Annotated[
        str | None, typer.Argument(help="A folder, a name from the hub's cache, or `demo`.")
    ] = None,
    context: Annotated[
        int, typer.Option(help="Tokens of conversation to reckon memory for.")
    ] = memory.CONTEXT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a checkpoint is: architecture, quantisation, bytes, and memory at a length of context."""
    if context < 1:
        raise OptionError(f"context is {context}; it must be 1 or more")
    choice = resolve(model)
    config = GemmaConfig.from_folder(choice.folder)
    facts = Facts(choice.name, choice.folder, config, stored_tensors(choice.folder), context)
    print(json.dumps(facts.as_object(), ensure_ascii=False) if as_json else "\n".join(facts.lines()))


@dataclass(frozen=True)
class Facts:
    """A checkpoint seen from outside. stored: its tensors' headers; context: tokens to reckon memory for."""

    name: str
    folder: Path
    config: GemmaConfig
    stored: dict[str, Stored]
    context: int

    @property
    def parameters(self) -> int:
        """Numbers in the checkpoint, counted as if each took a byte."""
        return memory.weight_bytes(self.config, self.stored, value_bytes=1, widen=True)

    @property
    def file_bytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.stored.values())

    @property
    def as_stored(self) -> memory.Need:
        """Memory where the checkpoint is used as it is: on a GPU."""
        size = computing_dtype(self.config.dtype).size
        return memory.need(self.config, self.stored, value_bytes=size, widen=False, context=self.context)

    @property
    def widened(self) -> memory.Need:
        """Memory where the weights are unpacked to float32: on Linux without a GPU."""
        return memory.need(self.config, self.stored, value_bytes=FLOAT32, widen=True, context=self.context)

    def as_object(self) -> dict[str, Any]:
        """The facts for a program; memory in bytes."""
        decoder, vision, packing = self.config.decoder, self.config.vision, self.config.quantization
        return {
            "name": self.name,
            "folder": str(self.folder),
            "demo": self.config.demo,
            "parameters": self.parameters,
            "decoder": {
                "layers": decoder.layers,
                "hidden": decoder.hidden,
                "heads": decoder.heads,
                "kv_heads": decoder.kv_heads,
                "window": decoder.window,
                "global_layers": len(decoder.global_layers),
                "vocabulary": decoder.vocab,
                "context": decoder.context,
            },
            "vision": vision
            and {
                "image_size": vision.image_size,
                "layers": vision.layers,
                "hidden": vision.hidden,
                "tokens_per_image": self.config.tokens_per_image,
            },
            "dtype": self.config.dtype,
            "quantization": packing and packing.as_dict(),
            "file_bytes": self.file_bytes,
            "memory": {"as_stored": _parts(self.as_stored), "widened_to_float32": _parts(self.widened)},
        }

    def lines(self) -> list[str]:
        """The facts for a person."""
        decoder, vision, packing = self.config.decoder, self.config.vision, self.config.quantization
        sees = (
            f"{vision.image_size} px, {self.config.tokens_per_image} tokens a picture"
            if vision
            else "none: text only"
        )
        stored = (
            f"{packing.bits} bits in groups of {packing.group_size} ({packing.mode})" if packing else "none"
        )
        rows = {
            "model": f"{self.name} ({self.folder})",
            "architecture": f"Gemma 3, {self.parameters / 1e6:,.1f} million parameters",
            "decoder": f"{decoder.layers} layers x {decoder.hidden}, {len(decoder.global_layers)} of them global, "
            f"window {decoder.window:,}, context {decoder.context:,}, vocabulary {decoder.vocab:,}",
            "vision": sees,
            "quantisation": f"{stored}, other values {self.config.dtype}",
            "files": size(self.file_bytes),
            f"memory at {self.as_stored.context:,} tokens": f"{_sum(self.as_stored)} as stored; "
            f"{_sum(self.widened)} widened to float32 (Linux without a GPU)",
        }
        if self.config.demo:
            rows["note"] = DEMO_NOTE
        width = max(map(len, rows))
        return [f"{key:{width}}  {value}" for key, value in rows.items()]


def size(count: int) -> str:
    """Bytes in the unit that a person would choose."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _sum(need: memory.Need) -> str:
    return f"{size(need.total)} ({size(need.weights)} weights, {size(need.cache)} cache, {size(need.work)} work space)"


def _parts(need: memory.Need) -> dict[str, int]:
    return {
        "context": need.context,
        "weights_bytes": need.weights,
        "cache_bytes": need.cache,
        "work_bytes": need.work,
        "total_bytes": need.total,
    }
