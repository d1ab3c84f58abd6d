"""What a Gemma 3 checkpoint is made of, read from any of the spellings of its config.json.

Four are in use: sparse (transformers 4.50: most fields left to defaults), expanded (4.5x: `rope_theta`,
`sliding_window_pattern`), typed (4.56 on: `layer_types`) and 5.x (`rope_parameters` per kind of layer).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from mlx_gemma.model.quantization import Quantization, quantization_of
from vision.config import SO400M_896, Fields, VisionConfig
from vision.errors import ConfigError, ModelNotFoundError

LOCAL, GLOBAL = "sliding_attention", "full_attention"


@dataclass(frozen=True)
class Rope:
    """Rotary positions of one kind of layer: the base, and what positions are divided by."""

    theta: float
    factor: float = 1.0


@dataclass(frozen=True)
class DecoderConfig:
    """A Gemma 3 decoder (report, table 1). window: keys that a local layer sees, itself included."""

    vocab: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp: int
    window: int
    global_layers: frozenset[int]
    query_scalar: float
    local_rope: Rope
    global_rope: Rope
    norm_eps: float
    context: int

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads:
            raise ConfigError(f"{self.heads} heads cannot share {self.kv_heads} key heads evenly")
        if self.head_dim % 2:
            raise ConfigError(f"rotary positions need an even head size, got {self.head_dim}")

    def cache_bytes(self, tokens: int, bytes_per_value: int = 2) -> int:
        """Bytes of keys and values held for so many tokens: local layers never hold more than their window."""
        per_token = 2 * self.kv_heads * self.head_dim * bytes_per_value
        held_globally = len(self.global_layers) * tokens
        held_locally = (self.layers - len(self.global_layers)) * min(tokens, self.window)
        return per_token * (held_globally + held_locally)


def every_sixth(layers: int) -> frozenset[int]:
    """The global layers of every released size: five local ones, then a global one (report, section 2)."""
    return frozenset(range(5, layers, 6))


def _size(layers: int, hidden: int, mlp: int, heads: int, kv_heads: int, **rest: Any) -> DecoderConfig:
    base = DecoderConfig(
        vocab=262_208,
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=256,
        mlp=mlp,
        window=1024,
        global_layers=every_sixth(layers),
        query_scalar=256,
        local_rope=Rope(10_000.0),
        global_rope=Rope(1_000_000.0, factor=8.0),
        norm_eps=1e-6,
        context=131_072,
    )
    return replace(base, **rest)


_SMALL: dict[str, Any] = {
    "vocab": 262_144,
    "window": 512,
    "global_rope": Rope(1_000_000.0),
    "context": 32_768,
}
GEMMA3_270M = _size(18, 640, 2048, 4, 1, **_SMALL)
GEMMA3_1B = _size(26, 1152, 6912, 4, 1, **_SMALL)
GEMMA3_4B = _size(34, 2560, 10_240, 8, 4)
GEMMA3_12B = _size(48, 3840, 15_360, 16, 8)
GEMMA3_27B = _size(62, 5376, 21_504, 32, 16, head_dim=128, query_scalar=168)


@dataclass(frozen=True)
class GemmaConfig:
    """A whole checkpoint: decoder, vision tower (None for text-only), the ids it reserves, how it is stored."""

    decoder: DecoderConfig
    vision: VisionConfig | None
    tokens_per_image: int
    image_token_id: int
    boi_token_id: int
    eoi_token_id: int
    bos_token_id: int
    pad_token_id: int
    stop_ids: frozenset[int]
    dtype: str
    quantization: Quantization | None = None
    demo: bool = False

    def __post_init__(self) -> None:
        if self.vision is None:
            return
        side = round(self.tokens_per_image**0.5)
        if side**2 != self.tokens_per_image or self.vision.grid % side:
            raise ConfigError(
                f"mm_tokens_per_image is {self.tokens_per_image}: need a square whose side divides "
                f"the {self.vision.grid} patches along a picture"
            )

    @classmethod
    def from_folder(cls, folder: str | Path) -> "GemmaConfig":
        """Read config.json, and the stop ids that generation_config.json adds."""
        folder = Path(folder)
        config = cls.from_dict(read_json(folder / "config.json"))
        generation = folder / "generation_config.json"
        if generation.is_file():
            config = replace(
                config, stop_ids=config.stop_ids | _ids(read_json(generation).get("eos_token_id"))
            )
        return config

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "GemmaConfig":
        """Read a config.json. Raises ConfigError for an architecture, or a detail, that is not computed here."""
        kind = raw.get("model_type")
        if kind not in ("gemma3", "gemma3_text"):
            raise ConfigError(
                f"model_type is {kind!r}, need 'gemma3' or 'gemma3_text'; is this a Gemma 3 checkpoint?"
            )
        top = Fields(raw, "config.json")
        text = (
            top
            if kind == "gemma3_text"
            else (top.section("text_config") or Fields({}, "config.json: text_config"))
        )
        vision = top.section("vision_config") if kind == "gemma3" else None
        top.expect("tie_word_embeddings", True)
        bos = text.take("bos_token_id", 2)
        pad = text.take("pad_token_id", 0)
        stop_ids = _ids(text.take("eos_token_id", 1)) | _ids(top.take("eos_token_id", None))
        for key in (
            "bos_token_id",
            "pad_token_id",
            "hidden_size",
            "vocab_size",
        ):  # repeated at the top by some
            if text is not top:
                top.take(key, None)
        config = cls(
            decoder=_decoder(text),
            vision=VisionConfig.from_fields(vision) if vision else None,
            tokens_per_image=top.number("mm_tokens_per_image", 256),
            image_token_id=top.take("image_token_index", 262_144, also=("image_token_id",)),
            boi_token_id=top.take("boi_token_index", 255_999, also=("boi_token_id",)),
            eoi_token_id=top.take("eoi_token_index", 256_000, also=("eoi_token_id",)),
            bos_token_id=bos,
            pad_token_id=pad,
            stop_ids=stop_ids,
            dtype=_dtype(raw),
            quantization=quantization_of(top),
            demo=bool(top.take("mlx_gemma_demo", False)),
        )
        if text is not top:
            text.finish()
        top.finish()
        return config


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a checkpoint."""
    if not path.is_file():
        raise ModelNotFoundError(f"{path.parent}: no {path.name} there; is it a checkpoint's folder?")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ConfigError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: need a JSON object, got {type(value).__name__}")
    return cast("dict[str, Any]", value)


def _decoder(text: Fields) -> DecoderConfig:
    """What a sparse config leaves out has the architecture's defaults, not a size's."""
    text.expect("hidden_activation", "gelu_pytorch_tanh", also=("hidden_act",))
    text.expect("tie_word_embeddings", True)
    text.expect("attention_bias", False)
    text.take("rope_local_base_freq_scaling", None)
    layers = text.number("num_hidden_layers", 26)
    local_rope, global_rope = _ropes(text)
    return DecoderConfig(
        vocab=text.number("vocab_size", 262_208),
        hidden=text.number("hidden_size", 2304),
        layers=layers,
        heads=text.number("num_attention_heads", 8),
        kv_heads=text.number("num_key_value_heads", 4),
        head_dim=text.number("head_dim", 256),
        mlp=text.number("intermediate_size", 9216),
        window=text.number("sliding_window", 4096),
        global_layers=_global_layers(text, layers),
        query_scalar=float(text.take("query_pre_attn_scalar", 256)),
        local_rope=local_rope,
        global_rope=global_rope,
        norm_eps=float(text.take("rms_norm_eps", 1e-6)),
        context=text.number("max_position_embeddings", 131_072),
    )


def _global_layers(text: Fields, layers: int) -> frozenset[int]:
    pattern = text.take("sliding_window_pattern", 6, also=("_sliding_window_pattern",))
    types = text.take("layer_types", None)
    if types is None:
        return frozenset(range(pattern - 1, layers, pattern))
    if len(types) != layers or not set(types) <= {LOCAL, GLOBAL}:
        raise ConfigError(f"layer_types needs {layers} of {LOCAL!r} and {GLOBAL!r}, got {types}")
    return frozenset(i for i, kind in enumerate(types) if kind == GLOBAL)


def _ropes(text: Fields) -> tuple[Rope, Rope]:
    """(local, global). `rope_parameters` wins over the older keys, which are read all the same."""
    local_theta = float(text.take("rope_local_base_freq", 10_000.0))
    global_theta = float(text.take("rope_theta", 1_000_000.0))
    scaling = text.take("rope_scaling", None)
    parameters: dict[str, Any] = text.take("rope_parameters", None) or {}
    if parameters and not set(parameters) <= {LOCAL, GLOBAL}:
        raise ConfigError(f"rope_parameters needs {LOCAL!r} and {GLOBAL!r}, got {sorted(parameters)}")
    return (
        _rope(parameters.get(LOCAL), local_theta),
        _rope(parameters.get(GLOBAL) or scaling, global_theta),
    )


def _rope(spec: Mapping[str, Any] | None, theta: float) -> Rope:
    if spec is None:
        return Rope(theta)
    fields = Fields(spec, "config.json: rope")
    kind = fields.take("rope_type", "default", also=("type",))
    if kind not in ("default", "linear"):
        raise ConfigError(f"rope type is {kind!r}, but only 'default' and 'linear' are supported")
    theta = float(fields.take("rope_theta", theta))
    factor = float(fields.take("factor", 1.0)) if kind == "linear" else 1.0
    fields.left.pop("factor", None)
    fields.finish()
    return Rope(theta, factor)


def _ids(value: Any) -> frozenset[int]:
    if value is None:
        return frozenset()
    return frozenset(cast("list[int]", value)) if isinstance(value, list) else frozenset((int(value),))


def _dtype(raw: Mapping[str, Any]) -> str:
    text: Mapping[str, Any] = raw.get("text_config") or {}
    for section in (raw, text):
        for key in ("dtype", "torch_dtype"):
            if section.get(key):
                return str(section[key]).removeprefix("torch.")
    return "bfloat16"


MEDGEMMA_4B = GemmaConfig(
    decoder=GEMMA3_4B,
    vision=SO400M_896,
    tokens_per_image=256,
    image_token_id=262_144,
    boi_token_id=255_999,
    eoi_token_id=256_000,
    bos_token_id=2,
    pad_token_id=0,
    stop_ids=frozenset((1, 106)),
    dtype="bfloat16",
)  # unverified on weights
MEDGEMMA_27B = replace(MEDGEMMA_4B, decoder=GEMMA3_27B)  # unverified on weights
MEDGEMMA_27B_TEXT = replace(
    MEDGEMMA_4B, decoder=replace(GEMMA3_27B, vocab=262_144), vision=None
)  # unverified
