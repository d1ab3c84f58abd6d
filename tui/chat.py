"""`mlx_gemma chat`: one question answered on stdout, or a conversation in the terminal."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlx_gemma.generate.answer import Options
from tui import models
from tui.answer import as_object, as_text
from tui.conversation import converse
from vision.errors import OptionError
from vision.pictures import open_picture
from vision.pixels import PanAndScan


def chat(
    prompt: Annotated[
        str | None, typer.Option("-p", "--prompt", help="The question; without it, what is piped in.")
    ] = None,
    image: Annotated[
        list[Path] | None, typer.Option(help="A picture for the first question; may be repeated.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A checkpoint's folder, a name from the hub's cache, or `demo`.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="What the model is told before everything else.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    max_tokens: Annotated[int, typer.Option(help="Length of the longest answer.")] = Options.max_tokens,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest token each time.")
    ] = Options.temperature,
    top_p: Annotated[float, typer.Option(help="Draw among the likeliest that reach this.")] = Options.top_p,
    top_k: Annotated[int, typer.Option(help="Draw among so many of the likeliest.")] = Options.top_k,
    min_p: Annotated[
        float, typer.Option(help="Leave out what is less likely than this part of the likeliest.")
    ] = Options.min_p,
    repetition_penalty: Annotated[
        float, typer.Option(help="Above 1 makes what was just said less likely.")
    ] = Options.repetition_penalty,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same answer.")] = None,
    stop: Annotated[list[str] | None, typer.Option(help="End before this text; may be repeated.")] = None,
    pan_and_scan: Annotated[
        bool, typer.Option("--pan-and-scan", help="Show long pictures in crops as well.")
    ] = False,
    thinking: Annotated[
        bool | None,
        typer.Option(
            "--show-thinking/--no-thinking", help="Ask for a thought, shown on stderr; or forbid it."
        ),
    ] = None,
) -> None:
    """Ask about pictures and text. Without a question, at a terminal: a conversation."""
    options = Options(
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        seed=seed,
        stop=tuple(stop or ()),
        thinking=thinking,
        pan_and_scan=PanAndScan() if pan_and_scan else None,
    )
    question = prompt if prompt is not None else _piped()
    if question is None and as_json:
        raise OptionError('--json answers one question: give it with -p "...", or pipe it in')
    if question is not None and not (question.strip() or image):
        raise OptionError('there is nothing to answer: ask with -p "...", or pipe a question in')
    pictures = [open_picture(path) for path in image or ()]
    gemma = models.open_model(model, note_demo=question is not None and not as_json)
    if question is None:
        converse(gemma.chat(system), pictures, options)
    elif as_json:
        as_object(gemma.chat(system), question, pictures, options)
    else:
        as_text(gemma.chat(system), question, pictures, options)


def _piped() -> str | None:
    """All of what is piped in; None at a terminal."""
    return None if sys.stdin.isatty() else sys.stdin.read()
