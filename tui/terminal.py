"""Words to a person: notes on stderr, and text of a model made safe for a terminal."""

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

PATIENCE = 1.0  # seconds of silence before a person is told what is being waited for

# What a terminal could take for a command: the C0 and C1 control characters but newline and tab.
_COMMANDS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def note(text: str) -> None:
    """One line on stderr, so that stdout holds the answer alone."""
    print(text, file=sys.stderr, flush=True)


def complain(message: str) -> None:
    """An error as one line, whatever its message holds."""
    note(f"mlx_gemma: {' '.join(safe(message).split())}")


def safe(text: str) -> str:
    """Text without what could move a cursor, retitle a window or clear a screen."""
    return text.translate(_COMMANDS)


def write(text: str, to: TextIO) -> None:
    """A piece of an answer, at once. A terminal gets it without control characters, a file as it is."""
    to.write(safe(text) if to.isatty() else text)
    to.flush()


@contextmanager
def said_if_slow(what: str) -> Generator[None, None, None]:
    """Say `what` on stderr if the block takes longer than a person waits without wondering."""
    timer = threading.Timer(PATIENCE, note, [what])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
