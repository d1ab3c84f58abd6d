"""Tiny Gemma 3 configurations: every trait of the real sizes, at a width that runs in milliseconds."""

from typing import Any

# The spelling is that of transformers 5 (dialect d): one `rope_parameters` entry for each kind of layer.
Config = dict[str, Any]

VOCAB = 320
PAD, EOS, BOS = 0, 1, 2
TURN_END = 6
IMAGE_START, IMAGE_END, IMAGE_SOFT = 310, 311, 312
FIRST_WORD, LAST_WORD = 8, 300  # ids that are neither control nor image tokens


def decoder(
    *,
    layers: int = 7,
    hidden: int = 64,
    mlp: int = 128,
    heads: int = 4,
    kv_heads: int = 2,
    head_dim: int = 32,
    query_scalar: int = 24,
    window: int = 8,
    pattern: int = 6,
    layer_types: list[str] | None = None,
    theta: float = 1_000_000.0,
    local_theta: float = 10_000.0,
    scale: float = 8.0,
) -> Config:
    """A `text_config`. By default: 7 layers of which the sixth is global and the last local, a head size that
    is not hidden / heads, and a query scalar that is not the head size.
    """
    kinds = [layer_kind(i, pattern) for i in range(layers)] if layer_types is None else layer_types
    whole = {"rope_type": "default"} if scale == 1 else {"rope_type": "linear", "factor": scale}
    return {
        "model_type": "gemma3_text",
        "attention_bias": False,
        "attn_logit_softcapping": None,
        "final_logit_softcapping": None,
        "head_dim": head_dim,
        "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": hidden,
        "intermediate_size": mlp,
        "layer_types": kinds,
        "max_position_embeddings": 131_072,
        "num_attention_heads": heads,
        "num_hidden_layers": len(kinds),
        "num_key_value_heads": kv_heads,
        "query_pre_attn_scalar": query_scalar,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {
            "full_attention": {**whole, "rope_theta": theta},
            "sliding_attention": {"rope_type": "default", "rope_theta": local_theta},
        },
        "sliding_window": window,
        "tie_word_embeddings": True,
        "use_bidirectional_attention": False,
        "vocab_size": VOCAB,
    }


def layer_kind(index: int, pattern: int = 6) -> str:
    """Layer `index` is global when its number, counted from one, is a multiple of `pattern`."""
    return "sliding_attention" if (index + 1) % pattern else "full_attention"


def text_only(text: Config) -> Config:
    """The config.json of a text model (270M, 1B, 27B-text): the decoder's own fields at the top."""
    ends = {"pad_token_id": PAD, "bos_token_id": BOS, "eos_token_id": [EOS, TURN_END]}
    return {"architectures": ["Gemma3ForCausalLM"], **text, **ends, "dtype": "float32"}


def with_eyes(text: Config, *, image_size: int = 28, tokens: int = 4) -> Config:
    """The config.json of a multimodal model: `image_size` pixels in patches of 7, pooled to `tokens` a picture.

    The tower's feed-forward width is no multiple of 32, as 4304 is none of 64: that one layer cannot be quantised.
    """
    vision = {
        "model_type": "siglip_vision_model",
        "hidden_size": 64,
        "image_size": image_size,
        "intermediate_size": 72,
        "layer_norm_eps": 1e-6,
        "num_attention_heads": 4,
        "num_channels": 3,
        "num_hidden_layers": 2,
        "patch_size": 7,
        "vision_use_head": False,
    }
    return {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "model_type": "gemma3",
        "boi_token_index": IMAGE_START,
        "eoi_token_index": IMAGE_END,
        "image_token_index": IMAGE_SOFT,
        "eos_token_id": [EOS, TURN_END],
        "mm_tokens_per_image": tokens,
        "text_config": text,
        "vision_config": vision,
        "tie_word_embeddings": True,
        "dtype": "float32",
    }
