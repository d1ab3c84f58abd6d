"""One answer on stdout: as text while it is written, or as one JSON object at the end."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from mlx_gemma.chat import Chat
from mlx_gemma.generate.answer import Options, Piece, Reply
from tui import terminal
from vision.pictures import Picture


def as_text(chat: Chat, question: str, images: Sequence[Picture], options: Options) -> None:
    """Write an answer as it is made. Thoughts go to stderr if they were asked for. Ctrl-C leaves what is written."""
    last, thinking = "\n", False
    pieces = chat.stream(question, images, options)
    try:
        for piece in _first_noted(pieces):
            if piece.thinking and not thinking and not options.thinking:
                terminal.note("thinking ...")
            thinking = piece.thinking
            if not thinking:
                last = piece.text
                terminal.write(piece.text, sys.stdout)
            elif options.thinking:
                terminal.write(piece.text, sys.stderr)
    finally:
        pieces.close()  # now, so that a conversation holds the part that was said
        if not last.endswith("\n"):
            terminal.write("\n", sys.stdout)


def _first_noted(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces; a wait for the first of them is explained."""
    with terminal.said_if_slow("reading the question ..."):
        first = next(pieces, None)
    if first is not None:
        yield first
        yield from pieces


def as_object(chat: Chat, question: str, images: Sequence[Picture], options: Options) -> None:
    """Write a whole answer as one JSON object; after Ctrl-C, the part of it that there is."""
    try:
        with terminal.said_if_slow("answering ..."):
            chat.ask(question, images, options)
    finally:
        if chat.last_reply:
            about = {"model": chat.gemma.name, "demo": chat.gemma.config.demo}
            print(json.dumps({**fields(chat.last_reply), **about}, ensure_ascii=False), flush=True)


def fields(reply: Reply) -> dict[str, Any]:
    """What a program reads of an answer: seconds (_s), tokens and bytes as the names say."""
    return {
        "text": reply.text,
        "thinking": reply.thinking,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "stop_reason": reply.stop_reason,
        "ttft_s": reply.stats.ttft_s,
        "tokens_per_s": reply.stats.tokens_per_s,
        "peak_memory_bytes": reply.stats.peak_memory_bytes,
    }
