"""The spellings that one and the same checkpoint is found in: four of its config.json, five of its tensors' names."""

from typing import Any

from mlx_gemma.selftest.tiny import Config

# What transformers' Gemma3TextConfig assumes of a field that is not there.
ARCHITECTURE_DEFAULTS: Config = {
    "vocab_size": 262_208,
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "hidden_activation": "gelu_pytorch_tanh",
    "max_position_embeddings": 131_072,
    "rms_norm_eps": 1e-6,
    "query_pre_attn_scalar": 256,
    "sliding_window": 4096,
    "rope_theta": 1_000_000.0,
    "rope_local_base_freq": 10_000.0,
    "attention_bias": False,
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
    "tie_word_embeddings": True,
}

ROPE = ("rope_parameters",)
LAYERS = ("layer_types", "use_bidirectional_attention")


def spell(config: Config, dialect: str) -> Config:
    """A config.json of dialect d, as `mlx_gemma.selftest.tiny` writes them, in dialect a, b, c or d.

    Its layers must be local but for every sixth: dialects a and b have no other way to say it.
    """
    if dialect == "d":
        return config
    if config["model_type"] == "gemma3_text":
        return retyped(spelled_text(config, dialect), dialect)
    return retyped({**config, "text_config": spelled_text(config["text_config"], dialect)}, dialect)


def spelled_text(text: Config, dialect: str) -> Config:
    """The decoder's section in dialect a, b or c."""
    whole, local = (text["rope_parameters"][f"{kind}_attention"] for kind in ("full", "sliding"))
    scaling = {"rope_type": "linear", "factor": whole["factor"]} if whole["rope_type"] == "linear" else None
    older = {
        "rope_theta": whole["rope_theta"],
        "rope_local_base_freq": local["rope_theta"],
        "rope_scaling": scaling,
    }
    kept = {key: value for key, value in text.items() if key not in ROPE}
    if dialect == "c":
        return {**kept, **older, "_sliding_window_pattern": 6, "use_cache": True}
    expanded = {key: value for key, value in {**kept, **older}.items() if key not in LAYERS}
    if dialect == "b":
        extra = {"attention_dropout": 0.0, "initializer_range": 0.02, "use_cache": True}
        return {**expanded, **extra, "cache_implementation": "hybrid", "sliding_window_pattern": 6}
    return {
        key: value
        for key, value in expanded.items()
        if key not in ARCHITECTURE_DEFAULTS or value != ARCHITECTURE_DEFAULTS[key]
    }


def retyped(config: Config, dialect: str) -> Config:
    """Before 4.56 the type of the weights was called `torch_dtype`; later it stood in the text section too."""
    if dialect == "c":
        return config
    rest = {key: value for key, value in config.items() if key != "dtype"}
    return {**rest, "torch_dtype": config["dtype"], "transformers_version": "4.50.0.dev0"}


def rename(weights: dict[str, Any], dialect: str) -> dict[str, Any]:
    """Tensors under the names of A, as multimodal checkpoints publish them, in dialect A, B, C, C of B, or D."""
    return {renamed(name, dialect): weight for name, weight in weights.items()}


def renamed(name: str, dialect: str) -> str:
    """One name."""
    if dialect in ("C", "C of B"):
        name = name.replace("vision_tower.vision_model.", "vision_tower.")
    if dialect in ("B", "C of B"):
        return "model." + name.replace("language_model.model.", "language_model.")
    if dialect == "D":
        return name.removeprefix("language_model.")
    return name
