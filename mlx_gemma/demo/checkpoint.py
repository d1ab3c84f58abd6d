"""The demo as a Gemma 3 checkpoint's folder: its sizes, its fresh weights, and the files it is kept in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn

from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.decoder import Norm
from mlx_gemma.model.multimodal import Gemma3
from mlx_gemma.model.tree import named, place
from mlx_gemma.text import control
from mlx_gemma.text.prompt import ImageLayout
from mlx_gemma.text.tokenizer import Tokenizer

FOLDER = Path(__file__).parent / "model"


def config_json(tokenizer: Tokenizer) -> dict[str, Any]:
    """The demo's config.json, its ids taken from its vocabulary."""
    ids = tokenizer.special
    return {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "model_type": "gemma3",
        "mlx_gemma_demo": True,
        "boi_token_index": ids[control.IMAGE],
        "eoi_token_index": ids[control.END_IMAGE],
        "image_token_index": ids[control.SOFT],
        "eos_token_id": [ids["<eos>"], ids[control.END_TURN]],
        "mm_tokens_per_image": 16,
        "tie_word_embeddings": True,
        "dtype": "bfloat16",
        "text_config": {
            "model_type": "gemma3_text",
            "vocab_size": tokenizer.vocab_size,
            "hidden_size": 256,
            "intermediate_size": 352,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 48,
            "query_pre_attn_scalar": 48,
            "hidden_activation": "gelu_pytorch_tanh",
            "sliding_window": 32,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
            "rope_theta": 10000.0,
            "rope_local_base_freq": 1000.0,
            "rms_norm_eps": 1e-6,
            "max_position_embeddings": 2048,
            "attention_bias": False,
            "bos_token_id": ids[control.BEGIN],
            "eos_token_id": ids["<eos>"],
            "pad_token_id": ids["<pad>"],
        },
        "vision_config": {
            "model_type": "siglip_vision_model",
            "image_size": 112,
            "patch_size": 14,
            "hidden_size": 256,
            "intermediate_size": 384,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_channels": 3,
            "hidden_act": "gelu_pytorch_tanh",
            "layer_norm_eps": 1e-6,
            "vision_use_head": False,
        },
    }


def layout(config: GemmaConfig) -> ImageLayout:
    """How a picture of this checkpoint stands in the ids."""
    return ImageLayout(
        config.tokens_per_image, config.boi_token_id, config.eoi_token_id, config.image_token_id
    )


def fresh(config: GemmaConfig, seed: int) -> Gemma3:
    """A model to train: matrices of a variance that keeps features near 1, the way back into the stream smaller."""
    model = Gemma3(config)
    key = mx.random.key(seed)
    weights: list[tuple[str, mx.array]] = []
    for name, value in named(model.parameters()).items():
        key, own = mx.random.split(key)
        if name.endswith("position_embedding.weight"):
            value = 0.2 * mx.random.normal(value.shape, key=own)
        elif name.endswith("embed_tokens.weight"):
            value = config.decoder.hidden**-0.5 * mx.random.normal(value.shape, key=own)
        elif name.endswith("mm_input_projection_weight"):
            value = value.shape[0] ** -0.5 * mx.random.normal(value.shape, key=own)
        elif value.ndim > 1:
            scale = (value.size // value.shape[0]) ** -0.5
            scale *= 0.5 if "vision" in name and name.endswith(("out_proj.weight", "fc2.weight")) else 1
            value = scale * mx.random.normal(value.shape, key=own)
        elif name.endswith("bias"):
            value = mx.zeros(value.shape)
        weights.append((name, value))
    place(model, weights)
    mx.eval(model.parameters())
    return model


def stored(model: Gemma3) -> dict[str, mx.array]:
    """Weights in bfloat16, named and shaped as Hugging Face does: norms without their 1, channels of patches first."""
    modules = cast("list[tuple[str, nn.Module]]", model.named_modules())
    norms = {f"{name}.weight" for name, module in modules if isinstance(module, Norm)}
    out: dict[str, mx.array] = {}
    for name, value in named(model.parameters()).items():
        if name in norms:
            value = value - 1
        elif name.endswith("patch_embedding.weight"):
            value = value.transpose(0, 3, 1, 2)
        out[name] = mx.contiguous(value).astype(mx.bfloat16)
    return out


def write(model: Gemma3, tokenizer: Tokenizer, folder: Path) -> None:
    """All files of the checkpoint; tokenizer.model, trained first, is the demo's own."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.resolve() != FOLDER.resolve():
        shutil.copyfile(FOLDER / "tokenizer.model", folder / "tokenizer.model")
    config = config_json(tokenizer)
    mx.save_safetensors(str(folder / "model.safetensors"), stored(model), {"format": "pt"})
    image = {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "image_processor_type": "Gemma3ImageProcessor",
        "image_seq_length": config["mm_tokens_per_image"],
        "processor_class": "Gemma3Processor",
        "resample": 2,
        "rescale_factor": 1 / 255,
        "size": {
            "height": config["vision_config"]["image_size"],
            "width": config["vision_config"]["image_size"],
        },
    }
    files: dict[str, dict[str, Any]] = {
        "config.json": config,
        "generation_config.json": {
            "bos_token_id": config["text_config"]["bos_token_id"],
            "eos_token_id": config["eos_token_id"],
            "pad_token_id": config["text_config"]["pad_token_id"],
            "do_sample": False,
        },
        "preprocessor_config.json": image,
        "processor_config.json": {
            "image_seq_length": config["mm_tokens_per_image"],
            "processor_class": "Gemma3Processor",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "GemmaTokenizer",
            "add_bos_token": True,
            "bos_token": control.BEGIN,
            "eos_token": "<eos>",
            "pad_token": "<pad>",
            "unk_token": control.UNKNOWN,
            "boi_token": control.IMAGE,
            "eoi_token": control.END_IMAGE,
            "image_token": control.SOFT,
            "added_tokens_decoder": {
                str(index): {"content": name, "special": True, "normalized": False}
                for name, index in sorted(tokenizer.special.items(), key=lambda item: item[1])
            },
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
