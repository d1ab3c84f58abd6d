"""Which model a name means, and which is taken when none is named."""

from pathlib import Path

import platformdirs
import pytest

from mlx_gemma import library
from vision.errors import ConfigError, ModelNotFoundError


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with an empty hub cache, no config file and no environment."""
    monkeypatch.delenv("MLX_GEMMA_MODEL", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(platformdirs, "user_config_path", lambda _: tmp_path / "config")


def cached(tmp_path: Path, repository: str, *, whole: bool = True, revision: str = "abc") -> Path:
    """A repository as huggingface_hub lays it out, downloaded wholly or in part."""
    entry = tmp_path / "hub" / f"models--{repository.replace('/', '--')}"
    folder = entry / "snapshots" / revision
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    if whole:
        (folder / "model.safetensors").touch()
    (entry / "refs").mkdir(exist_ok=True)
    (entry / "refs" / "main").write_text(revision)
    return folder


def test_nothing_found_is_the_demo_announced() -> None:
    """The line says what it is and how to get the real one."""
    choice = library.resolve()
    assert (choice.name, choice.folder) == ("demo", library.demo_folder())
    assert choice.announcement is not None
    assert "demo" in choice.announcement
    assert "medgemma-1.5-4b-it" in choice.announcement
    assert "\n" not in choice.announcement


def test_the_order_of_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed, then the environment, then the config file, then the best cached MedGemma, announced."""
    best = cached(tmp_path, "mlx-community/medgemma-1.5-4b-it-4bit")
    cached(tmp_path, "google/medgemma-4b-it")
    cached(tmp_path, "google/gemma-3-1b-it")
    choice = library.resolve()
    assert choice.folder == best
    assert choice.announcement is not None
    assert "mlx-community/medgemma-1.5-4b-it-4bit" in choice.announcement
    folders = [tmp_path / name for name in ("configured", "environment", "typed")]
    for folder in folders:
        folder.mkdir()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(f'model = "{folders[0]}"')
    assert library.resolve().folder == folders[0]
    monkeypatch.setenv("MLX_GEMMA_MODEL", str(folders[1]))
    assert library.resolve().folder == folders[1]
    assert library.resolve(folders[2]) == library.Choice(folders[2], "typed")


def test_names_that_mean_something(tmp_path: Path) -> None:
    """An alias, a repository id and "demo" find their folders; MedGemma 1.5 comes before 1."""
    old, new = cached(tmp_path, "google/medgemma-4b-it"), cached(tmp_path, "google/medgemma-1.5-4b-it")
    assert library.find("medgemma-4b") == new
    assert library.find("google/medgemma-4b-it") == old
    assert library.find("demo") == library.demo_folder()


def test_half_a_download_is_no_model(tmp_path: Path) -> None:
    """A snapshot without weights is passed over; an older whole one is taken."""
    cached(tmp_path, "google/medgemma-4b-it", whole=False)
    with pytest.raises(ModelNotFoundError):
        library.find("medgemma-4b")
    older = cached(tmp_path, "google/medgemma-4b-it", revision="aaa")
    (older.parents[1] / "refs" / "main").write_text("abc")
    assert library.find("medgemma-4b") == older


@pytest.mark.parametrize("name", ["medgemma-4b", "google/medgemma-4b-it", "nothing", "/no/such/folder"])
def test_an_unknown_name_says_what_is_known(name: str) -> None:
    """The error repeats the name and lists the aliases."""
    with pytest.raises(ModelNotFoundError, match=f"^{name}: .*medgemma-27b-text"):
        library.resolve(name)


def test_files_are_not_folders(tmp_path: Path) -> None:
    """A GGUF file is told how to be converted; another file, to give its folder."""
    for name, words in (
        ("model.gguf", "converted first"),
        ("model.safetensors", "give the checkpoint's folder"),
    ):
        (tmp_path / name).touch()
        with pytest.raises(ModelNotFoundError, match=words):
            library.find(str(tmp_path / name))


@pytest.mark.parametrize("text", ["model = [", "model = 7"])
def test_a_broken_config_file_is_named(tmp_path: Path, text: str) -> None:
    """It is an error with the file's path, not a choice of something else."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"config\.toml"):
        library.resolve()
