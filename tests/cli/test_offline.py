"""The promise that nothing leaves the machine, kept by the process itself."""

import subprocess
import sys

FORBIDDEN = "from tui.offline import forbid_network; forbid_network(); import socket, asyncio\n"


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: an audit hook cannot be taken back."""
    return subprocess.run(
        [sys.executable, "-c", FORBIDDEN + code], capture_output=True, text=True, timeout=60
    )


def test_internet_sockets_are_refused() -> None:
    """Neither an IPv4 nor an IPv6 socket can be made, for streams or datagrams."""
    for family in ("AF_INET", "AF_INET6"):
        for kind in ("SOCK_STREAM", "SOCK_DGRAM"):
            done = run(f"socket.socket(socket.{family}, socket.{kind})")
            assert "NetworkRefusedError" in done.stderr, (family, kind)


def test_names_are_not_looked_up() -> None:
    """Not even the question where a host lives goes out."""
    assert "NetworkRefusedError" in run("socket.getaddrinfo('example.org', 443)").stderr
    assert "NetworkRefusedError" in run("socket.gethostbyname('example.org')").stderr


def test_local_sockets_still_work() -> None:
    """An event loop wakes itself through a local pair of sockets, which is no network."""
    assert run("print(asyncio.run(asyncio.sleep(0, 'awake')))").stdout == "awake\n"
