"""Write a SentencePiece model from a list of pieces, as a GGUF file keeps them.

A GGUF's vocabulary is a tokenizer.model taken apart: pieces, scores and types by id. Putting it together again needs
two corrections: runs of spaces are stored as spaces where SentencePiece wants U+2581, and image marks are declared as
text, which would let a user type them. (Format: sentencepiece_model.proto; its field numbers are the literals below.)
"""

import struct
from dataclasses import dataclass

from mlx_gemma.text import control

# sentencepiece_model.proto, ModelProto.SentencePiece.Type; GGUF's token types have the same numbers
NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4
_BPE = 2  # TrainerSpec.ModelType


@dataclass(frozen=True)
class Vocabulary:
    """Pieces by id, with the score that orders merges and the SentencePiece type of each."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    types: tuple[int, ...]
    add_space_prefix: bool = False


def sentencepiece_model(vocabulary: Vocabulary) -> bytes:
    """The serialised ModelProto: byte-pair merges with byte fallback, text taken as it is."""
    records = zip(vocabulary.pieces, vocabulary.scores, vocabulary.types, strict=True)
    return b"".join(
        [
            *(_field(1, _record(piece, score, kind)) for piece, score, kind in records),
            _field(2, _trainer(vocabulary.pieces)),
            _field(3, _normaliser(vocabulary.add_space_prefix)),
        ]
    )


def _record(piece: str, score: float, kind: int) -> bytes:
    if piece == control.UNKNOWN:
        kind = UNKNOWN
    elif control.is_control(piece):
        kind = CONTROL
    elif kind == USER_DEFINED and not piece.strip(" "):
        piece = "\u2581" * len(piece)
    stored = _field(1, piece.encode()) + b"\x15" + struct.pack("<f", score)
    return stored if kind == NORMAL else stored + _number(3, kind)


def _trainer(pieces: tuple[str, ...]) -> bytes:
    """TrainerSpec: what SentencePiece asks of it when it opens the model."""
    named = {
        "<unk>": (40, 45),
        "<bos>": (41, 46),
        "<eos>": (42, 47),
        "<pad>": (43, 48),
    }  # id field, piece field
    spec = (
        _number(3, _BPE) + _number(4, len(pieces)) + _number(25, True) + _number(35, True)
    )  # split_digits, bytes
    for piece, (id_field, _) in named.items():
        spec += _number(id_field, pieces.index(piece))
    return spec + b"".join(_field(field, piece.encode()) for piece, (_, field) in named.items())


def _normaliser(add_space_prefix: bool) -> bytes:
    """NormalizerSpec: identity, extra spaces kept, spaces written U+2581."""
    return _field(1, b"identity") + _number(3, add_space_prefix) + _number(4, False) + _number(5, True)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(int(value))


def _varint(value: int) -> bytes:
    digits: list[int] = []
    while True:
        value, low = value >> 7, value & 127
        digits.append(low | (128 if value else 0))
        if not value:
            return bytes(digits)
