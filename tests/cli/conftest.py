"""The real command in a process of its own, and tiny checkpoints for it to be wrong about."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import checkpoints

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]

# What is said where something takes over a second.
WAITING = ("loading ", "looking at ", "replaying ", "reading ", "answering ")


def said(stderr: str | bytes) -> list[str]:
    """The lines on stderr, but for those that only a slow machine prints."""
    text = stderr if isinstance(stderr, str) else stderr.decode()
    return [line for line in text.splitlines() if not line.startswith(WAITING)]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home with nothing in it, so that no model or setting of this machine takes part."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MLX_GEMMA", "HF_", "XDG_"))
    }
    return {**kept, "HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hub")}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run `mlx_gemma ARGS` to its end; `text` is what is piped in, else there is nothing on stdin."""

    def run(*args: str | Path, text: str = "") -> Done:
        command = [sys.executable, "-m", "mlx_gemma", *map(str, args)]
        return subprocess.run(
            command, input=text, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.fixture(scope="session")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with eyes and weights of chance: it babbles."""
    return checkpoints.write(tmp_path_factory.mktemp("models") / "seeing")


@pytest.fixture(scope="session")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without eyes."""
    return checkpoints.write(tmp_path_factory.mktemp("models") / "reading", eyes=False)
