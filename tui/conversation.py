"""A conversation in a plain terminal: a line is a question, Ctrl-C stops an answer, Ctrl-D ends."""

from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from mlx_gemma.chat import Chat
from mlx_gemma.generate.answer import Options
from tui import terminal
from tui.answer import as_text
from tui.models import DEMO_NOTE
from vision.errors import GemmaError
from vision.pictures import Picture, open_picture

WELCOME = "Ctrl-C stops an answer, Ctrl-D ends. /image FILE adds a picture to your next question."
PICTURE = "/image "


def converse(chat: Chat, images: Sequence[Picture], options: Options) -> None:
    """Ask and answer until the end of input. What cannot be answered is explained, and the next question awaited."""
    with suppress(ImportError):
        import_module("readline")  # gives input() its line editing
    terminal.note(WELCOME)
    waiting = list(images)
    while (line := _next_line()) is not None:
        try:
            if line.startswith(PICTURE):
                waiting.append(open_picture(line.removeprefix(PICTURE).strip()))
            elif line.strip():
                if chat.gemma.config.demo:
                    terminal.note(DEMO_NOTE)
                as_text(chat, line, waiting, options)
                waiting.clear()
        except GemmaError as error:
            terminal.complain(str(error))
        except KeyboardInterrupt:
            waiting.clear()  # what was answered until now stays in the conversation


def _next_line() -> str | None:
    """What is typed next, or None at the end of input."""
    try:
        return input("> ")
    except EOFError:
        terminal.note("")
        return None
