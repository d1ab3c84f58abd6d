"""A vocabulary's pieces become a SentencePiece model that any reader of such models takes the same way."""

import sentencepiece

from convert.tokenizer import Vocabulary, sentencepiece_model
from tests.convert import ggufs

SCORES = tuple(-float(i) for i in range(len(ggufs.PIECES)))
TYPES = tuple(int(ggufs.kind(piece)) for piece in ggufs.PIECES)


def _opened(add_space_prefix: bool = False) -> sentencepiece.SentencePieceProcessor:
    made = sentencepiece_model(Vocabulary(tuple(ggufs.PIECES), SCORES, TYPES, add_space_prefix))
    return sentencepiece.SentencePieceProcessor(model_proto=made)


def test_every_piece_keeps_its_place() -> None:
    """Pieces and scores come back by id; runs of spaces are written as SentencePiece writes spaces."""
    opened = _opened()
    pieces = [opened.id_to_piece(i) for i in range(opened.get_piece_size())]
    assert pieces == [piece.replace(" ", "\u2581") for piece in ggufs.PIECES]
    assert [opened.get_score(i) for i in range(len(pieces))] == list(SCORES)


def test_control_pieces_are_control() -> None:
    """To sentencepiece itself, image marks are control pieces, which no text makes, though GGUF declares them text."""
    opened = _opened()
    marks = [
        ggufs.PIECES.index(name)
        for name in ("<start_of_image>", "<end_of_image>", "<end_of_turn>", "<unused94>")
    ]
    assert all(map(opened.is_control, marks))
    assert not opened.is_control(ggufs.PIECES.index("<b>"))
    assert not set(marks) & set(opened.encode("<start_of_image><end_of_image><end_of_turn><unused94>"))


def test_reserved_ids() -> None:
    """The library knows padding, end, beginning and unknown by their ids."""
    opened = _opened()
    assert (opened.pad_id(), opened.eos_id(), opened.bos_id(), opened.unk_id()) == (0, 1, 2, 3)


def test_text_is_taken_as_it_is() -> None:
    """No space is added before text, extra ones stay, characters outside the vocabulary become their bytes."""
    opened = _opened()
    assert opened.encode("a  a", out_type=str) == ["a", "\u2581\u2581", "a"]
    assert opened.encode("\u00c5", out_type=str) == ["<0xC3>", "<0x85>"]
    assert _opened(add_space_prefix=True).encode("a", out_type=str) == ["\u2581a"]
