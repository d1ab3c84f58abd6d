"""mlx-lm's side of a pair: its command line, its model on the same weights, its generation."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn

import vision
from mlx_gemma.model.config import DecoderConfig
from tests.real import FOLDER, gemma_270m

BOTH = FOLDER.with_name("gemma-3-270m-for-both")

# The turns of Gemma 3 in a template's words, so that both sides read the same prompt.
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<start_of_turn>{{ message.role }}\n"
    "{{ message.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)


def folder_for_both() -> Path:
    """The real 270M as a hub repository has it: tokenizer.model, which we read, and tokenizer.json, which mlx-lm does.

    transformers makes the latter, once; about 15 s. mlx-lm alone would do that at every start. tokenizer_config.json
    lists the added tokens as the published one does, which is the quickest form to open that we found for it.
    """
    source = gemma_270m()
    stamp = (source / "made_by").read_text()
    if (BOTH / "made_by").is_file() and (BOTH / "made_by").read_text() == stamp:
        return BOTH
    import transformers

    library: Any = transformers  # typed in part only
    with tempfile.TemporaryDirectory(dir=BOTH.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        library.AutoTokenizer.from_pretrained(source).save_pretrained(made)
        added = json.loads((made / "tokenizer.json").read_text())["added_tokens"]
        config = json.loads((source / "tokenizer_config.json").read_text())
        config["added_tokens_decoder"] = {str(token.pop("id")): token for token in added}
        (made / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": TEMPLATE}))
        for file in ("config.json", "generation_config.json", "model.safetensors", "tokenizer.model"):
            os.link(source / file, made / file)
        (made / "made_by").write_text(stamp)
        shutil.rmtree(BOTH, ignore_errors=True)
        made.rename(BOTH)
    return BOTH


def command(folder: Path, prompt: str, max_tokens: int) -> list[str]:
    """mlx-lm's own command line for one greedy answer."""
    asked = ["--prompt", prompt, "--max-tokens", str(max_tokens)]
    return [sys.executable, "-m", "mlx_lm", "generate", "--model", str(folder), *asked]


def with_our_blas() -> Mapping[str, str]:
    """An environment in which any program of MLX's gets the BLAS that ours finds by itself."""
    if vision.BLAS.library is None:
        return os.environ
    return {**os.environ, "LD_PRELOAD": vision.BLAS.library}


def load(folder: Path) -> nn.Module:
    """mlx-lm's model of a folder's weights, evaluated."""
    import mlx_lm.utils

    library: Any = mlx_lm.utils  # typed in part only
    model: nn.Module = library.load_model(folder)[0]
    mx.eval(model.parameters())
    return model


def of_shape(config: DecoderConfig) -> nn.Module:
    """mlx-lm's decoder in the shape of ours, with random weights and a tied head."""
    from mlx_lm.models.gemma3_text import Model, ModelArgs

    args = ModelArgs(
        model_type="gemma3_text",
        hidden_size=config.hidden,
        num_hidden_layers=config.layers,
        intermediate_size=config.mlp,
        num_attention_heads=config.heads,
        head_dim=config.head_dim,
        rms_norm_eps=config.norm_eps,
        vocab_size=config.vocab,
        num_key_value_heads=config.kv_heads,
        rope_theta=config.global_rope.theta,
        rope_local_base_freq=config.local_rope.theta,
        query_pre_attn_scalar=config.query_scalar,
        sliding_window=config.window,
        max_position_embeddings=config.context,
        rope_scaling={"rope_type": "linear", "factor": config.global_rope.factor},
    )
    model: Any = Model(args)
    model.sanitize({})  # no head among the weights: it is tied
    mx.eval(model.parameters())
    return model


def generate(model: nn.Module, ids: list[int], max_tokens: int) -> Iterator[int]:
    """The ids that mlx-lm's own loop makes of a prompt, greedily."""
    from mlx_lm.generate import generate_step

    made: Any = generate_step(mx.array(ids), model, max_tokens=max_tokens)
    for token, _ in made:
        yield int(token)
