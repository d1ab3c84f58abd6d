"""Which pieces of a vocabulary steer the model, so that no text may ever spell them.

Gemma's vocabulary holds three sorts of named pieces: control pieces (turns, images, padding, and the unused ones,
two of which MedGemma uses for its thinking), ordinary text that happens to be user-defined (HTML tags, runs of
newlines, tabs and spaces), and bytes. Files disagree on which is which: a SentencePiece model may declare turns as
user-defined text, GGUF declares image marks so, and tokenizer.json calls `<unused94>` not special. Hence one table.
"""

import re

BEGIN = "<bos>"
END = "<eos>"
TURN = "<start_of_turn>"
END_TURN = "<end_of_turn>"
IMAGE = "<start_of_image>"
END_IMAGE = "<end_of_image>"
SOFT = "<image_soft_token>"
THINK = "<unused94>"
END_THINK = "<unused95>"
UNKNOWN = "<unk>"

NAMES = ("<pad>", END, BEGIN, UNKNOWN, "<mask>", "[multimodal]", TURN, END_TURN, IMAGE, END_IMAGE, SOFT)
_PATTERN = "(?:" + "|".join(map(re.escape, NAMES)) + r"|<unused\d+>)"
_NAME = re.compile(_PATTERN)

# A piece in a serialised SentencePiece model, when it is one of ours (sentencepiece_model.proto: ModelProto.pieces = 1,
# of piece = 1, score = 2, type = 3): its length, its name's length, its name, its score, its type; normal if not given.
_RECORD = re.compile(
    rb"\x0a([\s\S])\x0a([\s\S])(" + _PATTERN.encode() + rb")((?:\x15[\s\S]{4})?)(?:\x18([\s\S]))?"
)
_UNKNOWN_TYPE, _CONTROL_TYPE = 2, 3


def is_control(piece: str) -> bool:
    """Whether `piece` steers the model rather than being text."""
    return _NAME.fullmatch(piece) is not None


def protect(model: bytes) -> tuple[bytes, list[str]]:
    """A serialised SentencePiece model with every control piece declared CONTROL, and the names of those pieces.

    SentencePiece makes user-defined pieces out of text that spells them, and never makes control pieces. Rewriting the
    few records in place takes 15 ms on the real vocabulary; parsing all of it would take longer than opening it.
    """
    names: list[str] = []

    def declare(record: re.Match[bytes]) -> bytes:
        length, name_length, name, score, kind = record.groups()
        if name_length[0] != len(name) or length[0] != len(record[0]) - 2:
            return record[0]  # not a record: these bytes belong to something else
        names.append(name.decode())
        if kind == bytes([_UNKNOWN_TYPE]):
            return record[0]
        body = b"\x0a" + name_length + name + score + b"\x18" + bytes([_CONTROL_TYPE])
        return b"\x0a" + bytes([len(body)]) + body

    return _RECORD.sub(declare, model), names
