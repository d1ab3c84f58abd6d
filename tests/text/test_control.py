"""Control pieces are told from text by name, and declared as such in any SentencePiece model."""

import pytest

from mlx_gemma.text.control import is_control, protect
from tests.corpus.texts import CONTROL, TAGS

# a serialised piece: tag and length, then name, score (float32, -1) and perhaps type, each with its tag
SCORE = b"\x15\x00\x00\x80\xbf"


def record(piece: bytes, kind: bytes = b"", score: bytes = SCORE) -> bytes:
    """One piece as SentencePiece stores it."""
    body = b"\x0a" + bytes([len(piece)]) + piece + score + kind
    return b"\x0a" + bytes([len(body)]) + body


NORMAL, UNKNOWN, CONTROL_TYPE, USER_DEFINED = b"", b"\x18\x02", b"\x18\x03", b"\x18\x04"


def test_names() -> None:
    """Turns, images, padding and every unused piece steer; tags, bytes, lines and near misses are text."""
    assert all(map(is_control, (*CONTROL, "<unused7>", "<unused123456>")))
    near = (
        "<unused>",
        "<unused-1>",
        "<unused94",
        "unused94>",
        "<END_OF_TURN>",
        "<end_of_turn> ",
        "<s>",
        "<0x41>",
        "\n",
        "",
    )
    assert not any(map(is_control, (*TAGS, *near)))


@pytest.mark.parametrize("kind", [NORMAL, b"\x18\x01", USER_DEFINED, b"\x18\x05", CONTROL_TYPE])
@pytest.mark.parametrize("score", [SCORE, b""])
def test_any_declaration_becomes_control(kind: bytes, score: bytes) -> None:
    """However a file declares a control piece, with a score or without, it becomes CONTROL and keeps all else."""
    model = record(b"a") + record(b"<unused94>", kind, score) + record(b"<b>", USER_DEFINED)
    expected = record(b"a") + record(b"<unused94>", CONTROL_TYPE, score) + record(b"<b>", USER_DEFINED)
    assert protect(model) == (expected, ["<unused94>"])


def test_unknown_stays_unknown() -> None:
    """SentencePiece needs its one unknown piece declared so; it is named all the same."""
    assert protect(record(b"<unk>", UNKNOWN)) == (record(b"<unk>", UNKNOWN), ["<unk>"])


def test_text_is_left_alone() -> None:
    """Pieces that merely contain a control piece's name, or bytes that look like half a record, are not touched."""
    model = record(b"x<bos>") + record(b"<bos>x", USER_DEFINED) + b"\x0a\x7f\x0a\x05<bos>" + SCORE
    assert protect(model) == (model, [])
