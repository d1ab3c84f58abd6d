"""Trains the demo's tokenizer.model: a small SentencePiece vocabulary with Gemma's control pieces and byte fallback.

python -m mlx_gemma.demo.vocabulary
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mlx_gemma.demo import questions, wordings
from mlx_gemma.demo.film import KINDS, choose_findings
from mlx_gemma.text import control

SIZE = 768
FOLDER = Path(__file__).parent / "model"
MARKS = (
    control.TURN,
    control.END_TURN,
    control.IMAGE,
    control.END_IMAGE,
    control.SOFT,
    control.THINK,
    control.END_THINK,
)


def corpus(seed: int = 0, lines: int = 20_000) -> Iterator[str]:
    """Questions as people type them, answers, and system texts."""
    rng = np.random.default_rng(seed)
    for _ in range(lines):
        truth = (
            None
            if rng.random() < 0.1
            else tuple(sorted(choose_findings(rng), key=lambda f: KINDS.index(f.kind)))
        )
        asked = (
            questions.chat(rng, with_picture=False)
            if rng.random() < 0.25
            else questions.about_picture(rng, truth)
        )
        yield questions.rough(rng, asked.question)
        yield asked.answer
        if rng.random() < 0.05:
            yield questions.vary(rng, wordings.SYSTEM)


def train(size: int = SIZE) -> bytes:
    """A serialised SentencePiece model: identity normalisation, split digits, any text encodes and decodes exactly."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=corpus(),
        model_writer=model,
        model_type="bpe",
        vocab_size=size,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        pad_piece="<pad>",
        eos_piece="<eos>",
        bos_piece="<bos>",
        unk_piece="<unk>",
        control_symbols=list(MARKS),
        user_defined_symbols=["\n", "\n\n", "\n\n\n", "\t", "\u2581\u2581", "\u2581\u2581\u2581\u2581"],
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        split_digits=True,
        byte_fallback=True,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "tokenizer.model").write_bytes(train())
