"""The program: runs a verb, and is the one place where an error becomes a line on stderr and an exit code.

Exit codes: 0 done; 1 this machine cannot; 2 what was asked for cannot be done; 70 a bug of ours; 130 interrupted.
"""

import io
import os
import sys
from typing import NoReturn

from tui import terminal
from vision.errors import GemmaError

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
OUR_BUG = 70  # EX_SOFTWARE of sysexits.h


def main() -> None:
    """Run the program and exit. A reader that has gone away (`| head`) is no error worth a word."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old encoding loses a letter, not the whole answer
    try:
        from tui.verbs import app  # here, so that Ctrl-C during this import is an interruption like any other

        app(prog_name="mlx_gemma")
    except GemmaError as error:
        terminal.complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        leave_at_once(INTERRUPTED)
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
