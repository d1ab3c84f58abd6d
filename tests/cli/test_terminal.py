"""What a person is told on stderr, and what a terminal is protected from."""

from queue import SimpleQueue

import pytest

from tui import terminal


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A message of several lines, and one with terminal commands in it, comes out as one plain line."""
    terminal.complain("weights:\n  a.weight missing\n\x1b[2Jb.weight left over")
    assert capsys.readouterr().err == "mlx_gemma: weights: a.weight missing [2Jb.weight left over\n"


def test_text_keeps_its_letters_and_loses_commands() -> None:
    """Escape, bell, backspace and the C1 controls go; letters of every script, newlines and tabs stay."""
    assert terminal.safe("ä漢🩻\n\tx\x1b]0;title\x07\b\x9b2J\r") == "ä漢🩻\n\tx]0;title2J"


def test_a_quick_block_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said about what takes no time."""
    with terminal.said_if_slow("loading"):
        pass
    assert capsys.readouterr().err == ""


def test_a_slow_block_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes longer than the patience of a person is named while it runs."""
    said: SimpleQueue[str] = SimpleQueue()
    monkeypatch.setattr(terminal, "PATIENCE", 0.01)
    monkeypatch.setattr(terminal, "note", said.put)
    with terminal.said_if_slow("loading the 4B"):
        assert said.get(timeout=10) == "loading the 4B"
