"""How a folder's quantised tensors are packed, as MLX's `quantization` says; every other scheme is refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from vision.config import Fields
from vision.errors import WeightsError


@dataclass(frozen=True)
class Quantization:
    """How a folder's quantised tensors were packed: the folder's own setting and what single modules override.

    A module is quantised when it has `.scales`, not when it is named here.
    """

    group_size: int
    bits: int
    mode: str = "affine"
    modules: Mapping[str, "Quantization"] = field(default_factory=lambda: MappingProxyType({}))

    def as_dict(self) -> dict[str, Any]:
        """The arguments that MLX's quantisation takes."""
        return {"group_size": self.group_size, "bits": self.bits, "mode": self.mode}


def quantization_of(top: Fields) -> Quantization | None:
    """MLX's `quantization` (written twice by mlx-lm, once as `quantization_config`); any other scheme is refused."""
    ours = top.take("quantization", None)
    theirs = top.take("quantization_config", None)
    if theirs is not None and "quant_method" in theirs:
        method = theirs["quant_method"]
        raise WeightsError(
            f"these weights are quantised with {method}, which is not read here; "
            "take the unquantised checkpoint or one in MLX's format"
        )
    spec = ours or theirs
    if spec is None:
        return None
    base = _packing(spec, Quantization(64, 4))
    modules: dict[str, Quantization] = {
        name: _packing(cast("dict[str, Any]", each), base)
        for name, each in spec.items()
        if isinstance(each, dict)
    }
    return replace(base, modules=MappingProxyType(modules))


def _packing(spec: Mapping[str, Any], base: Quantization) -> Quantization:
    packing = Quantization(
        group_size=int(spec.get("group_size", base.group_size)),
        bits=int(spec.get("bits", base.bits)),
        mode=str(spec.get("mode", base.mode)),
    )
    if packing.bits not in (2, 3, 4, 5, 6, 8):
        raise WeightsError(f"quantization: {packing.bits} bits; MLX packs 2, 3, 4, 5, 6 or 8")
    return packing
