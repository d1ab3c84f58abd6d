"""A tiny model that can be talked to: random weights, eyes, and a small vocabulary of its own."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

import mlx_gemma
from mlx_gemma.selftest import tiny
from mlx_gemma.selftest.draw import draw_weights
from mlx_gemma.selftest.folder import write_folder
from mlx_gemma.text.tokenizer import Tokenizer
from tests.text import vocabularies


def write_talking_folder(folder: Path, *, eyes: bool = True, context: int = 131_072) -> Path:
    """A checkpoint's folder with a tokenizer. Window 8, seven layers, four tokens a picture of 28 px."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(vocabularies.train())
    pieces = Tokenizer.from_file(folder / "tokenizer.model")
    soft = pieces.vocab_size
    (folder / "added_tokens.json").write_text(json.dumps({vocabularies.SOFT: soft}))
    text = tiny.decoder() | {"vocab_size": soft + 8, "max_position_embeddings": context}
    ends = {
        "eos_token_id": [pieces.special["<eos>"], pieces.special["<end_of_turn>"]],
        "bos_token_id": pieces.special["<bos>"],
        "pad_token_id": pieces.special["<pad>"],
    }
    if eyes:
        config = tiny.with_eyes(text | {name: ends[name] for name in ("bos_token_id", "pad_token_id")}) | {
            "boi_token_index": pieces.special["<start_of_image>"],
            "eoi_token_index": pieces.special["<end_of_image>"],
            "image_token_index": soft,
            "eos_token_id": ends["eos_token_id"],
        }
    else:
        config = tiny.text_only(text) | ends
    write_folder(folder, config, draw_weights(config, seed=7), "float32")
    return folder


def talking_model(folder: Path) -> mlx_gemma.Gemma:
    """It, loaded."""
    return mlx_gemma.load(write_talking_folder(folder))


def picture(seed: int, width: int = 40, height: int = 30) -> Image.Image:
    """A picture unlike those of other seeds."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)
