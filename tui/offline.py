"""No network: every verb but `pull` runs in a process that cannot open an internet socket."""

import os
import socket
import sys
from typing import Any

from vision.errors import GemmaError

_INTERNET = (socket.AF_INET, socket.AF_INET6)


class NetworkRefusedError(GemmaError):
    """Something tried to reach the network where nothing may."""

    exit_code = 1


def forbid_network() -> None:
    """From here on this process refuses internet sockets and name look-ups. There is no way back, by design.

    An audit hook (PEP 578) sees every socket that Python code makes; a pair of local sockets, as asyncio uses to wake
    itself, is of another family and stays allowed. Hub libraries are told as well, so that they do not try.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    sys.addaudithook(_refuse)


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.__new__" and args[1] in _INTERNET:
        raise NetworkRefusedError("a network connection was tried and refused: this command works offline")
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        raise NetworkRefusedError(f"looking up {args[0]!r} was refused: this command works offline")
