"""What a vision tower is made of, and how a section of config.json is read without losing a key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from vision.errors import ConfigError

# Keys that transformers and its friends write and that do not change what a forward pass computes.
HARMLESS = frozenset(
    """
    architectures model_type transformers_version _name_or_path torch_dtype dtype use_cache cache_implementation
    initializer_range initializer_factor attention_dropout _attn_implementation_autoset attn_implementation
    return_dict output_hidden_states output_attentions torchscript use_bfloat16 tf_legacy_loss pruned_heads
    tie_encoder_decoder chunk_size_feed_forward is_encoder_decoder is_decoder cross_attention_hidden_size
    add_cross_attention task_specific_params problem_type finetuning_task id2label label2id tokenizer_class prefix
    sep_token_id decoder_start_token_id forced_bos_token_id forced_eos_token_id max_length min_length do_sample
    early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p typical_p repetition_penalty
    length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids num_return_sequences output_scores
    return_dict_in_generate remove_invalid_values exponential_decay_length_penalty suppress_tokens
    begin_suppress_tokens unsloth_fixed unsloth_version skip_vision skip_vision_non_divisible auto_map
    """.split()
)

_REQUIRED = object()


class Fields:
    """One section of config.json, read key by key. `finish` refuses what was not read and could change the result."""

    def __init__(self, section: Mapping[str, Any], where: str) -> None:
        self.left = {key: value for key, value in section.items() if key not in HARMLESS}
        self.where = where

    def take(self, key: str, default: Any = _REQUIRED, *, also: tuple[str, ...] = ()) -> Any:
        """The value of `key` or of one of its other spellings; null counts as absent."""
        found = [self.left.pop(name, None) for name in (key, *also)]
        for value in found:
            if value is not None:
                return value
        if default is _REQUIRED:
            raise ConfigError(f"{self.where}: {key} is missing; is this a complete checkpoint?")
        return default

    def number(self, key: str, default: Any = _REQUIRED) -> int:
        """A positive whole number."""
        value = self.take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"{self.where}: {key} must be a whole number of at least 1, got {value!r}")
        return value

    def expect(self, key: str, *allowed: Any, also: tuple[str, ...] = ()) -> None:
        """Read a key whose only values we compute are `allowed`; absent means the first."""
        value = self.take(key, allowed[0], also=also)
        if value not in allowed:
            wanted = " or ".join(repr(each) for each in allowed)
            raise ConfigError(f"{self.where}: {key} is {value!r}, but only {wanted} is supported")

    def section(self, key: str) -> "Fields | None":
        """A nested section, or None when it is absent."""
        value = self.take(key, None)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise ConfigError(f"{self.where}: {key} must be an object, got {type(value).__name__}")
        return Fields(cast("Mapping[str, Any]", value), f"{self.where}: {key}")

    def finish(self) -> None:
        """Raise ConfigError if a key is left that is switched on and that nobody here understands."""
        unknown = sorted(key for key, value in self.left.items() if value is not None and value is not False)
        if unknown:
            raise ConfigError(
                f"{self.where}: unknown {', '.join(unknown)}; this may be a newer architecture than Gemma 3"
            )


@dataclass(frozen=True)
class VisionConfig:
    """A SigLIP vision transformer. image_size and patch_size in pixels; the rest are widths and counts."""

    image_size: int
    patch_size: int
    hidden: int
    layers: int
    heads: int
    mlp: int
    norm_eps: float

    def __post_init__(self) -> None:
        if self.image_size < self.patch_size:
            raise ConfigError(
                f"a patch of {self.patch_size} px does not fit a picture of {self.image_size} px"
            )
        if self.hidden % self.heads:
            raise ConfigError(f"a width of {self.hidden} cannot be split over {self.heads} heads")

    @property
    def grid(self) -> int:
        """Patches along one side; the remainder of an indivisible size is not seen, as in a strided convolution."""
        return self.image_size // self.patch_size

    @property
    def patches(self) -> int:
        return self.grid**2

    @classmethod
    def from_fields(cls, fields: Fields) -> "VisionConfig":
        """Read a `vision_config` section; what it leaves out has SigLIP's defaults (base, patch 16, 224 px)."""
        fields.expect("num_channels", 3)
        fields.expect("hidden_act", "gelu_pytorch_tanh")
        fields.take("vision_use_head", None)  # Gemma's tower has no head, whatever this says
        fields.take("projection_dim", None)
        config = cls(
            image_size=fields.number("image_size", 224),
            patch_size=fields.number("patch_size", 16),
            hidden=fields.number("hidden_size", 768),
            layers=fields.number("num_hidden_layers", 12),
            heads=fields.number("num_attention_heads", 12),
            mlp=fields.number("intermediate_size", 3072),
            norm_eps=float(fields.take("layer_norm_eps", 1e-6)),
        )
        fields.finish()
        return config


SO400M_896 = VisionConfig(
    image_size=896, patch_size=14, hidden=1152, layers=27, heads=16, mlp=4304, norm_eps=1e-6
)  # MedGemma and Gemma 3
