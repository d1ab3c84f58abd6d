"""A checkpoint's tensors into the model: named by a table, packed or widened, one at a time.

Every source is used exactly once and every place is filled, or one error names the tensors at fault.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn

from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.files import Stored, read_tensors, stored_tensors
from mlx_gemma.model.multimodal import Gemma3
from mlx_gemma.model.names import assign, canonical, some
from mlx_gemma.model.quantization import Quantization
from mlx_gemma.model.tree import named, place
from vision.errors import ConfigError, WeightsError

DTYPES: Mapping[str, mx.Dtype] = {"float32": mx.float32, "bfloat16": mx.bfloat16, "float16": mx.bfloat16}
# float16 loads as bfloat16: the residual stream of Gemma 3 overflows float16.

PARTS = (".scales", ".biases")
CHANNELS = 3

Progress = Callable[[int, int], None]


def computing_dtype(name: str) -> mx.Dtype:
    """The type to compute in for a config's or a caller's name for one."""
    if name not in DTYPES:
        raise ConfigError(f"dtype is {name!r}; need one of {', '.join(DTYPES)}")
    return DTYPES[name]


def load_model(
    folder: Path, config: GemmaConfig, dtype: mx.Dtype, *, widen: bool, progress: Progress | None = None
) -> Gemma3:
    """Build the model and fill it from a folder's files.

    dtype: of unpacked tensors and activations; norms are float32 always.
    widen: unpack quantised modules to `dtype`; else they stay packed and run on quantised kernels.
    progress: told (bytes read, bytes in all) after each tensor.

    Raises WeightsError for tensors missing, left over or of the wrong shape, naming them.
    """
    stored = stored_tensors(folder)
    sources = assign(stored)
    packings = _packings(sources, config.quantization)
    model = Gemma3(config)
    places: dict[str, tuple[int, ...]] = {
        name: value.shape for name, value in named(model.parameters()).items()
    }
    for module, packing in packings.items():
        places.update(_packed_places(module, packing, places))
    _check(places, {name: stored[source] for name, source in sources.items()}, folder)
    if not widen:
        nn.quantize(
            model, class_predicate=lambda path, _: packings[path].as_dict() if path in packings else False
        )
    filler = _Filler(sources, stored, packings if widen else {}, dtype)
    place(model, filler.fill(progress))
    model.eval()
    return model


def _packings(sources: Mapping[str, str], quantization: Quantization | None) -> dict[str, Quantization]:
    """The modules that are quantised, which are those with scales, and how each is packed."""
    packed = sorted(name.removesuffix(".scales") for name in sources if name.endswith(".scales"))
    if packed and quantization is None:
        raise WeightsError(
            f"{some(packed)}: quantised, but config.json has no quantization; is it this model's?"
        )
    if quantization is None:
        return {}
    overrides = {canonical(f"{name}."): packing for name, packing in quantization.modules.items()}
    return {module: overrides.get(f"{module}.", quantization) for module in packed}


def _packed_places(
    module: str, packing: Quantization, places: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a quantised module's tensors as they lie in the file: 32 / bits values a word."""
    shape = places.get(f"{module}.weight", ())
    if not shape:
        return {}  # a module that there is not; the check names its tensors
    if len(shape) != 2 or shape[1] % packing.group_size:
        raise WeightsError(f"{module}: its shape {shape} cannot be packed in groups of {packing.group_size}")
    rows, columns = shape
    parts = PARTS if packing.mode == "affine" else PARTS[:1]
    groups = {module + part: (rows, columns // packing.group_size) for part in parts}
    return {f"{module}.weight": (rows, columns * packing.bits // 32), **groups}


def _check(places: Mapping[str, tuple[int, ...]], given: Mapping[str, Stored], folder: Path) -> None:
    problems: list[str] = []
    if missing := places.keys() - given.keys():
        problems.append(f"missing {some(missing)}")
    if left := given.keys() - places.keys():
        problems.append(f"left over {some(left)}")
    wrong = [
        f"{name} (need {shape}, got {given[name].shape})"
        for name, shape in places.items()
        if name in given and shape != _turned_shape(name, given[name])
    ]
    if wrong:
        problems.append(f"wrong shape {some(wrong)}")
    if problems:
        raise WeightsError(f"{folder}: the weights do not fit config.json: {'; '.join(problems)}")


def _is_turned(name: str, tensor: Stored) -> bool:
    """Whether this is a convolution in PyTorch's order, (out, in, rows, columns); ours is MLX's, with `in` last."""
    return (
        name.endswith("patch_embedding.weight")
        and tensor.layout != "mlx"
        and tensor.shape[-1:] != (CHANNELS,)
    )


def _turned_shape(name: str, tensor: Stored) -> tuple[int, ...]:
    if not _is_turned(name, tensor) or len(tensor.shape) != 4:
        return tensor.shape
    out, channels, rows, columns = tensor.shape
    return (out, rows, columns, channels)


def _is_gemma_norm(name: str) -> bool:
    """Gemma's own norms store w and multiply by 1 + w; the tower's are ordinary layer norms."""
    return name.endswith("norm.weight") and not name.startswith("vision_tower.")


class _Filler:
    """Reads and converts tensors, the largest first, so that little more is held than the model itself."""

    def __init__(
        self,
        sources: Mapping[str, str],
        stored: Mapping[str, Stored],
        unpack: Mapping[str, Quantization],
        dtype: mx.Dtype,
    ) -> None:
        self.tensors = {name: stored[source] for name, source in sources.items()}
        self.unpack = unpack
        self.dtype = dtype
        lazy = read_tensors({source: stored[source] for source in sources.values()})
        self.lazy = {name: lazy[source] for name, source in sources.items()}

    def fill(self, progress: Progress | None) -> list[tuple[str, mx.array]]:
        """Every tensor of the model, evaluated."""
        filled: list[tuple[str, mx.array]] = []
        whole = sum(tensor.nbytes for tensor in self.tensors.values())
        for name in sorted(self.tensors, key=lambda name: -self.tensors[name].nbytes):
            if name not in self.lazy:
                continue  # scales and biases, gone into the weight they belong to
            value = self._converted(name)
            mx.eval(value)
            filled.append((name, value))
            if progress:
                progress(whole - sum(self.tensors[left].nbytes for left in self.lazy), whole)
        return filled

    def _converted(self, name: str) -> mx.array:
        tensor, module = self.tensors[name], name.rpartition(".")[0]
        if module in self.unpack and name.endswith(".weight"):
            return self._unpacked(module)
        value = self.lazy.pop(name)
        if tensor.dtype.startswith("U"):
            return value  # packed words, or the byte scales of other modes
        if _is_gemma_norm(name):
            return value.astype(mx.float32) + 1.0
        if _is_turned(name, tensor):
            value = mx.contiguous(value.transpose(0, 2, 3, 1))
        return value.astype(self.dtype)

    def _unpacked(self, module: str) -> mx.array:
        packing = self.unpack[module]
        weight = self.lazy.pop(f"{module}.weight")
        scales, biases = self.lazy.pop(f"{module}.scales"), self.lazy.pop(f"{module}.biases", None)
        if biases is not None:  # affine: unpack in the type computed in, not in a narrower one
            scales, biases = scales.astype(self.dtype), biases.astype(self.dtype)
        return mx.dequantize(weight, scales, biases, **packing.as_dict()).astype(self.dtype)
