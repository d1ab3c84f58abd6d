"""The built wheel: what is in it, and that it answers from an environment of its own."""

import subprocess
import zipfile
from pathlib import Path

import pytest

import mlx_gemma

PACKAGES = {"vision", "mlx_gemma", "convert", "tui"}


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    """Every file in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_holds_the_four_packages_and_nothing_else(names: list[str]) -> None:
    """Tests, benchmarks and examples stay in the repository; a user gets the four packages."""
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_wheel_is_typed(names: list[str], package: str) -> None:
    """Each package tells type checkers that its annotations count."""
    assert f"{package}/py.typed" in names


@pytest.mark.parametrize(
    "file", ["config.json", "model.safetensors", "tokenizer.model", "generation_config.json"]
)
def test_wheel_carries_the_demo_model(names: list[str], file: str) -> None:
    """The embedded model has the files of a real checkpoint."""
    assert f"mlx_gemma/demo/model/{file}" in names


def test_wheel_carries_the_golden_cases(names: list[str]) -> None:
    """`doctor --self-test` needs its cases on the user's machine."""
    assert "mlx_gemma/selftest/golden.safetensors" in names


def test_demo_model_is_small(wheel: Path) -> None:
    """The embedded model costs a download at most 8 MB."""
    with zipfile.ZipFile(wheel) as archive:
        sizes = [info.compress_size for info in archive.infolist() if "/demo/model/" in info.filename]
    assert 0 < sum(sizes) <= 8_000_000


def test_installed_program_answers(
    clean_python: Path, bare_environment: dict[str, str], tmp_path: Path
) -> None:
    """`mlx_gemma chat -p` answers where there is only the wheel, and says first that a demo is speaking."""
    command = [
        str(clean_python.with_name("mlx_gemma")),
        "chat",
        "-p",
        "What can you do?",
        "--max-tokens",
        "24",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=bare_environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "demo" in done.stderr.splitlines()[0]


def test_installed_module_is_the_program(
    clean_python: Path, bare_environment: dict[str, str], tmp_path: Path
) -> None:
    """`python -m mlx_gemma` is the same program."""
    command = [str(clean_python), "-m", "mlx_gemma", "--version"]
    done = subprocess.run(
        command, cwd=tmp_path, env=bare_environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["mlx_gemma", mlx_gemma.__version__]
