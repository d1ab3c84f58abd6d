"""A stream of ids shows whole characters, and all of them."""

from hypothesis import given
from hypothesis import strategies as st

from mlx_gemma.text.tokenizer import Detokenizer, Tokenizer


def _stream(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    stream = Detokenizer(tokenizer)
    return [*map(stream.add, ids), stream.finish()]


@given(st.data())
def test_stream_joins_to_decode(small: Tokenizer, data: st.DataObject) -> None:
    """For any ids, bytes that are no UTF-8 and control pieces among them, the shown text joins to what decode gives."""
    ids = data.draw(st.lists(st.integers(0, small.vocab_size - 1)))
    assert "".join(_stream(small, ids)) == small.decode(ids)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_half_characters(small: Tokenizer, text: str) -> None:
    """While text streams, nothing is shown that is not in the text: never U+FFFD for a character not yet whole."""
    shown = _stream(small, small.encode(text))
    assert "".join(shown) == text.replace("\u2581", " ")
    assert shown[-1] == ""


def test_emoji_waits_for_its_last_byte(small: Tokenizer) -> None:
    """An emoji of four byte pieces appears with the fourth."""
    assert _stream(small, small.encode("🫁")) == ["", "", "", "🫁", ""]


def test_control_piece_inside_a_character(small: Tokenizer) -> None:
    """A control piece between the bytes of a character neither shows nor breaks it."""
    first, *rest = small.encode("🫁")
    assert "".join(_stream(small, [first, small.control("<unused94>"), *rest])) == "🫁"


def test_stream_cut_inside_a_character(small: Tokenizer) -> None:
    """A stream that ends inside a character says so once, at its end, and the next one starts clean."""
    stream = Detokenizer(small)
    ids = small.encode("é🫁")
    assert "".join(map(stream.add, ids[:-1])) == "é"
    assert stream.finish() == "\ufffd"
    assert "".join(map(stream.add, small.encode("clear"))) + stream.finish() == "clear"


def test_null_is_a_character(small: Tokenizer) -> None:
    """NUL comes through like any other character."""
    assert "".join(_stream(small, small.encode("a\x00b"))) == "a\x00b"
