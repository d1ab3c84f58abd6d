"""What a model will need, reckoned from its files before any of it is read, and what this machine has."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlx_gemma.generate.session import SCORE_BYTES, capped_chunk
from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.files import Stored
from vision.errors import MemoryLimitError, OptionError
from vision.siglip import QUERY_BLOCK

CONTEXT = 8192  # tokens that a loaded model should at least have room for
BYTES = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8}
SYSTEM_SHARE = 0.75  # of a Mac's memory may be held by the GPU and us; the rest is the system's


@dataclass(frozen=True)
class Need:
    """Bytes of a loaded model: its weights as held, keys and values at `context` tokens, and work space."""

    weights: int
    cache: int
    work: int
    context: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.work


def need(
    config: GemmaConfig,
    stored: Mapping[str, Stored],
    *,
    value_bytes: int,
    widen: bool,
    context: int = CONTEXT,
) -> Need:
    """What a checkpoint will need. value_bytes: of one unpacked weight or activation; widen: unpack what is packed."""
    context = min(context, config.decoder.context)
    return Need(
        weights=weight_bytes(config, stored, value_bytes, widen),
        cache=config.decoder.cache_bytes(context, value_bytes),
        work=_work(config, context, value_bytes),
        context=context,
    )


def weight_bytes(config: GemmaConfig, stored: Mapping[str, Stored], value_bytes: int, widen: bool) -> int:
    """Bytes of the weights as they will be held."""
    total = 0
    for name, tensor in stored.items():
        values = tensor.nbytes // BYTES.get(tensor.dtype, tensor.nbytes or 1)
        packed = name.removesuffix(".weight") + ".scales" in stored and name.endswith(".weight")
        if packed and widen and config.quantization is not None:
            bits = config.quantization.bits
            total += tensor.nbytes * 8 // bits * value_bytes
        elif packed or tensor.dtype not in BYTES:
            total += tensor.nbytes
        elif not (widen and name.endswith((".scales", ".biases"))):
            total += values * value_bytes
    return total


def _work(config: GemmaConfig, context: int, value_bytes: int) -> int:
    """The largest of what a prefill step, a logits row and a picture take beside weights and cache."""
    decoder, vision = config.decoder, config.vision
    step = capped_chunk(decoder, context)
    prefill = step * (3 * decoder.mlp + 6 * decoder.hidden) * value_bytes
    scores = min(2 * SCORE_BYTES, 2 * 4 * decoder.heads * step * context)
    picture = 0
    if vision is not None:
        tower = vision.patches * (2 * vision.mlp + 6 * vision.hidden) * value_bytes
        picture = tower + 2 * 4 * vision.heads * min(QUERY_BLOCK, vision.patches) * vision.patches
    return max(prefill + scores, picture) + 4 * 4 * decoder.vocab


def available() -> int:
    """Bytes that a model may take here. `MLX_GEMMA_MEMORY` (in GB) sets it by hand."""
    if by_hand := os.environ.get("MLX_GEMMA_MEMORY"):
        try:
            return int(float(by_hand) * 1e9)
        except (ValueError, OverflowError):
            raise OptionError(f"MLX_GEMMA_MEMORY is {by_hand!r}; it must be a number of gigabytes") from None
    if sys.platform == "linux":
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * SYSTEM_SHARE)


def check(needed: Need, have: int, name: str) -> None:
    """Raises MemoryLimitError, in numbers, when a model would not fit."""
    if needed.total > have:
        raise MemoryLimitError(
            f"{name}: needs {needed.total / 1e9:.1f} GB (weights {needed.weights / 1e9:.1f}, cache "
            f"{needed.cache / 1e9:.1f} at {needed.context:,} tokens, work space {needed.work / 1e9:.1f}), but "
            f"{have / 1e9:.1f} GB are free; close other programs, or take a smaller or a quantised model"
        )
