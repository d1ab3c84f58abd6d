"""Thinking is told from answer by id, never by text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_gemma.text.thinking import ThinkingSplit, ask_to_think, split_thinking
from mlx_gemma.text.tokenizer import Tokenizer


def _split(tokenizer: Tokenizer, ids: list[int]) -> tuple[str, str]:
    thinking, answer = split_thinking(ids, tokenizer)
    return tokenizer.decode(thinking), tokenizer.decode(answer)


def test_thought_and_answer(small: Tokenizer) -> None:
    """The thought loses its label and its marks; the answer starts after the closing mark."""
    opens, closes = small.control("<unused94>"), small.control("<unused95>")
    ids = [opens, *small.encode("thought\nthe lungs"), closes, *small.encode("clear")]
    assert _split(small, ids) == ("the lungs", "clear")


def test_answer_without_thought(small: Tokenizer) -> None:
    """Where no mark comes, all is answer, the word thought included."""
    assert _split(small, small.encode("thought\nclear")) == ("", "thought\nclear")


def test_answer_that_spells_the_marks(small: Tokenizer) -> None:
    """An answer whose text spells the marks stays an answer."""
    text = "<unused94>thought\nno<unused95>clear"
    assert _split(small, small.encode(text)) == ("", text)


def test_thought_cut_short(small: Tokenizer) -> None:
    """A thought that the token limit ends has no answer, and nothing of it is taken for one."""
    assert _split(small, [small.control("<unused94>"), *small.encode("thought\nthe lun")]) == ("the lun", "")


@pytest.mark.parametrize(
    "text", ["thought", "thoughts of size", "the lungs", "\nthought\n", "thought thought\n"]
)
def test_thought_without_its_label_is_kept_whole(small: Tokenizer, text: str) -> None:
    """A thought that starts with something else, were it nearly the label, loses nothing."""
    ids = [
        small.control("<unused94>"),
        *small.encode(text),
        small.control("<unused95>"),
        *small.encode("clear"),
    ]
    assert _split(small, ids) == (text, "clear")


def test_two_thoughts(small: Tokenizer) -> None:
    """A second thought after an answer is thinking again, and loses its label too."""
    opens, closes = small.control("<unused94>"), small.control("<unused95>")
    thought = [opens, *small.encode("thought\nthe"), closes, *small.encode("left")]
    assert _split(small, thought * 2) == ("thethe", "leftleft")


def test_stream_says_where_it_is(small: Tokenizer) -> None:
    """`thinking` is true from the opening mark on and false from the closing one; marks themselves give nothing."""
    split = ThinkingSplit(small)
    assert not split.thinking
    assert split.feed(small.control("<unused94>")) == []
    assert split.thinking
    (lungs,) = small.encode("▁lungs")
    assert split.feed(lungs) == [("thinking", lungs)]
    assert split.feed(small.control("<unused95>")) == []
    assert not split.thinking
    assert split.feed(lungs) == [("answer", lungs)]


@given(st.data())
def test_nothing_is_lost(small: Tokenizer, data: st.DataObject) -> None:
    """Whatever the ids, those that are not a mark or a label after one come out once, in order."""
    marks = [small.control("<unused94>"), small.control("<unused95>")]
    words = [*small.encode("thought\n"), *small.encode(" lungs"), *small.encode("<b>")]
    ids = data.draw(st.lists(st.sampled_from(marks + words)))
    split = ThinkingSplit(small)
    fed = [index for i in ids for _, index in split.feed(i)] + [index for _, index in split.finish()]
    label, kept, rest = small.encode("thought\n"), [], list(ids)
    while rest:
        index = rest.pop(0)
        if index not in marks:
            kept.append(index)
        elif index == marks[0] and rest[: len(label)] == label:
            del rest[: len(label)]
    assert fed == kept


def test_asking_for_thought() -> None:
    """Thinking is asked for by the model card's sentence, before the caller's own system text."""
    assert ask_to_think(None) == "SYSTEM INSTRUCTION: think silently if needed."
    assert ask_to_think("Be brief.") == "SYSTEM INSTRUCTION: think silently if needed. Be brief."


def test_vocabulary_without_marks(small_files: tuple[Path, Path], tmp_path: Path) -> None:
    """With a vocabulary that has no thinking marks, all is answer."""
    stored = small_files[1].read_text().replace("<unused94>", "<spare94>").replace("<unused95>", "<spare95>")
    (tmp_path / "tokenizer.json").write_text(stored)
    plain = Tokenizer.from_folder(tmp_path)
    assert _split(plain, plain.encode("thought\nclear")) == ("", "thought\nclear")
