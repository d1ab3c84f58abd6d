"""A small vocabulary with Gemma's kinds of pieces, trained in a second, as tokenizer.model and as tokenizer.json.

As in files that are about, control pieces are declared so that text could spell them: as user-defined symbols in the
one, as added tokens (the unused ones not even special) in the other. Protecting them is the tokenizer's work.
"""

import io
import json
from pathlib import Path
from typing import Any

import sentencepiece

SPACE = "\u2581"
TURNS = ("<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>")
NOT_SPECIAL = ("<mask>", "[multimodal]", *(f"<unused{n}>" for n in (0, 1, 94, 95, 98, 6241)))
TEXT_SYMBOLS = (
    *("\n" * n for n in range(1, 6)),
    *("\t" * n for n in range(1, 4)),
    *(SPACE * n for n in range(2, 32)),
    *("<b>", "</b>", "<table>", "</table>"),
)
SOFT = "<image_soft_token>"
SENTENCES = (
    "the lungs are clear of effusion and the heart is of normal size",
    "a small pneumothorax on the left side, with no opacity; user or model, thought out",
    "Übelkeit und 12 Ärzte: 肺炎 right? turn image end start unused",
)


def train() -> bytes:
    """The tokenizer.model."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 5),
        model_writer=model,
        model_type="bpe",
        vocab_size=600,
        hard_vocab_limit=False,
        byte_fallback=True,
        split_digits=True,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        character_coverage=1.0,
        **{f"{name}_id": index for index, name in enumerate(("pad", "eos", "bos", "unk"))},
        **{f"{name}_piece": f"<{name}>" for name in ("pad", "eos", "bos", "unk")},
        user_defined_symbols=[*NOT_SPECIAL, *TURNS, *TEXT_SYMBOLS],
        minloglevel=2,
    )
    return model.getvalue()


def as_json(model: bytes) -> dict[str, Any]:
    """The same vocabulary as tokenizer.json, laid out as Gemma's is; with the soft token as one more piece."""
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    vocabulary = {pieces.id_to_piece(i): i for i in range(pieces.get_piece_size())}
    special = ("<pad>", "<eos>", "<bos>", "<unk>", *TURNS)
    added = [{"id": vocabulary[piece], "content": piece, "special": True} for piece in special]
    added += [
        {"id": vocabulary[piece], "content": piece, "special": False}
        for piece in (*NOT_SPECIAL, *TEXT_SYMBOLS)
    ]
    added += [{"id": len(vocabulary), "content": SOFT, "special": True}]
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": None,
        "added_tokens": [token | plain for token in sorted(added, key=lambda token: token["id"])],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": _merges(pieces, vocabulary),
        },
    }


def _merges(
    pieces: sentencepiece.SentencePieceProcessor, vocabulary: dict[str, int]
) -> list[tuple[str, str]]:
    """Runs of spaces first, longest first; then every way to make each trained piece, best score first."""
    runs = [(SPACE * (n - 1), SPACE) for n in range(31, 1, -1)]
    trained = [
        i
        for i in vocabulary.values()
        if not (pieces.is_byte(i) or pieces.is_control(i) or pieces.is_unknown(i))
    ]
    made = [pieces.id_to_piece(i) for i in sorted(trained, key=lambda i: -pieces.get_score(i))]
    return runs + [
        (piece[:cut], piece[cut:])
        for piece in made
        if piece not in (*NOT_SPECIAL, *TURNS, *TEXT_SYMBOLS)
        for cut in range(1, len(piece))
        if piece[:cut] in vocabulary and piece[cut:] in vocabulary
    ]


def write(folder: Path) -> tuple[Path, Path]:
    """Both files, in `folder`."""
    model = train()
    (folder / "tokenizer.model").write_bytes(model)
    (folder / "tokenizer.json").write_text(json.dumps(as_json(model)))
    return folder / "tokenizer.model", folder / "tokenizer.json"
