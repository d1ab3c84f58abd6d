"""What a person is told on stderr, and what a terminal is protected from."""

import time

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


def test_a_slow_block_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes longer than the patience of a person is named while it runs."""
    monkeypatch.setattr(terminal, "PATIENCE", 0.01)
    with terminal.said_if_slow("loading the 4B"):
        deadline = time.monotonic() + 5
        said = ""
        while not said and time.monotonic() < deadline:
            said = capsys.readouterr().err
    assert said == "loading the 4B\n"
