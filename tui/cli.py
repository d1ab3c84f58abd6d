"""The command line: its verbs, and the one place where an error becomes a line on stderr and an exit code.

Exit codes: 0 done; 1 this machine cannot; 2 what was asked for cannot be done; 70 a bug of ours; 130 interrupted.
"""

import io
import os
import sys
from typing import Annotated, NoReturn

import typer

import mlx_gemma
from tui import offline, terminal
from tui.chat import chat
from tui.doctor import doctor
from tui.info import info
from vision.errors import GemmaError

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
OUR_BUG = 70  # EX_SOFTWARE of sysexits.h

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
    offline.forbid_network()  # a verb that has to download will lift this for itself


def main() -> None:
    """Run the program and exit. A reader that has gone away (`| head`) is no error worth a word."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a terminal or a file in an old encoding loses a letter, not all
    try:
        app(prog_name="mlx_gemma")
    except GemmaError as error:
        terminal.complain(str(error))
        sys.exit(error.exit_code)
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:
            leave_at_once(INTERRUPTED)
        raise
    except Exception as error:  # a bug of ours must not greet a person with a traceback
        if os.environ.get("MLX_GEMMA_DEBUG"):
            raise
        terminal.complain(
            f"a bug, not your fault ({type(error).__name__}: {error}); MLX_GEMMA_DEBUG=1 shows where"
        )
        sys.exit(OUR_BUG)


def leave_at_once(code: int) -> NoReturn:
    """End the process without waiting for the engine, which may be in the middle of a long step."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
