"""The verbs of the command line, and what holds for all of them."""

from typing import Annotated

import typer

import mlx_gemma
from tui import offline
from tui.chat import chat
from tui.doctor import doctor
from tui.info import info

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich would cost its import on the way to the first token
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(chat)
app.command()(info)
app.command()(doctor)


def _version(asked: bool) -> None:
    if asked:
        print(f"mlx_gemma {mlx_gemma.__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[  # noqa: ARG001  its callback has read it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """MedGemma and Gemma 3 on this machine. Not a medical device: a clinician must check what it says."""
    offline.forbid_network()  # no verb that there is so far needs it
