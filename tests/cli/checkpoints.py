"""Complete checkpoints of chance: the golden cases' tiny models with a vocabulary, so that they can be talked to."""

import io
import json
from pathlib import Path
from typing import Any

import sentencepiece

from mlx_gemma.selftest import tiny
from mlx_gemma.selftest.draw import draw_weights
from mlx_gemma.selftest.folder import write_folder

MARKS = [
    "<mask>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
    "<image_soft_token>",
    "<unused94>",
    "<unused95>",
]
FIRST_MARK = 4  # after pad, eos, bos and unk
TEXT = [
    "the lungs are clear and the heart is of normal size",
    "is there an effusion on the left or on the right?",
]


def vocabulary() -> bytes:
    """A SentencePiece model with Gemma's control pieces and a byte for everything else."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT),
        model_writer=model,
        model_type="bpe",
        vocab_size=tiny.VOCAB,
        byte_fallback=True,
        control_symbols=MARKS,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        bos_piece="<bos>",
        eos_piece="<eos>",
        minloglevel=2,
    )
    return model.getvalue()


def config(*, eyes: bool, **changes: Any) -> tiny.Config:
    """The config.json of the tiny model; `changes` go into the decoder's part."""
    text = {**tiny.decoder(window=32), **changes}
    if not eyes:
        return tiny.text_only(text)
    places = {mark: FIRST_MARK + at for at, mark in enumerate(MARKS)}
    return {
        **tiny.with_eyes(text),
        "boi_token_index": places["<start_of_image>"],
        "eoi_token_index": places["<end_of_image>"],
        "image_token_index": places["<image_soft_token>"],
    }


def write(folder: Path, *, eyes: bool = True, seed: int = 7, **changes: Any) -> Path:
    """Write a checkpoint that loads and answers. Returns its folder."""
    made = config(eyes=eyes, **changes)
    write_folder(folder, made, draw_weights(made, seed), "float32")
    (folder / "tokenizer.model").write_bytes(vocabulary())
    return folder


def edit_config(folder: Path, **changes: Any) -> None:
    """Change the top of a checkpoint's config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
