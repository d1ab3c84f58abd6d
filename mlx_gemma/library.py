"""Which model is meant: a folder, an alias, a repository in the hub's cache, or whatever is best here."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from vision.errors import ConfigError, ModelNotFoundError

DEMO = "demo"
GET_A_REAL_ONE = "huggingface-cli download google/medgemma-1.5-4b-it, after accepting its terms there"

# What the end of a repository's name has to begin with, best first.
ALIASES: dict[str, tuple[str, ...]] = {
    "medgemma-4b": ("medgemma-1.5-4b-it", "medgemma-4b-it"),
    "medgemma-27b": ("medgemma-27b-it",),
    "medgemma-27b-text": ("medgemma-27b-text-it",),
    "gemma-3-270m": ("gemma-3-270m-it",),
    "gemma-3-1b": ("gemma-3-1b-it",),
    "gemma-3-4b": ("gemma-3-4b-it",),
    "gemma-3-12b": ("gemma-3-12b-it",),
    "gemma-3-27b": ("gemma-3-27b-it",),
}
DEFAULTS = ("medgemma-4b", "medgemma-27b", "medgemma-27b-text")


@dataclass(frozen=True)
class Choice:
    """A model's folder, what to call it, and one line for the person where the choice was ours."""

    folder: Path
    name: str
    announcement: str | None = None


def resolve(model: str | Path | None = None) -> Choice:
    """The model that was asked for, or else MLX_GEMMA_MODEL, the config file's, the best cached MedGemma, the demo.

    Raises ModelNotFoundError for a name that means nothing here, ConfigError for an unreadable config file.
    """
    asked = str(model) if model is not None else os.environ.get("MLX_GEMMA_MODEL") or _configured()
    if asked:
        return Choice(find(asked), _shown_name(asked))
    for alias in DEFAULTS:
        if folder := _cached(ALIASES[alias]):
            return Choice(folder, alias, f"model: {_repository(folder)} from the hub's cache")
    return Choice(
        demo_folder(),
        DEMO,
        "model: none found, so this is the embedded demo, which knows drawn pictures only; for MedGemma: "
        f"{GET_A_REAL_ONE}",
    )


def find(name: str) -> Path:
    """The folder of a model named by path, alias, repository id, or "demo"."""
    if name == DEMO:
        return demo_folder()
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if path.suffix == ".gguf" and path.is_file():
        raise ModelNotFoundError(
            f"{name}: GGUF files are converted first: python -m convert.gguf {name} FOLDER"
        )
    if path.is_file():
        raise ModelNotFoundError(f"{name}: a file; give the checkpoint's folder")
    if folder := _cached(ALIASES.get(name, ()), exactly=name if "/" in name else None):
        return folder
    known = ", ".join([DEMO, *ALIASES])
    raise ModelNotFoundError(
        f"{name}: no such folder, and nothing of that name in the hub's cache; give a folder, a downloaded repository "
        f"(owner/name) or one of {known}"
    )


def demo_folder() -> Path:
    """The embedded demonstration checkpoint."""
    return Path(__file__).parent / "demo" / "model"


def cached_models() -> dict[str, Path]:
    """Every Gemma 3 or MedGemma repository in the hub's cache with a config and weights, by id."""
    found: dict[str, Path] = {}
    for entry in sorted(_hub_cache().glob("models--*")):
        repository = entry.name.removeprefix("models--").replace("--", "/", 1)
        folder = _snapshot(entry)
        if folder and "gemma" in repository.lower():
            found[repository] = folder
    return found


def _cached(prefixes: tuple[str, ...], exactly: str | None = None) -> Path | None:
    models = cached_models()
    if exactly is not None:
        return models.get(exactly)
    for prefix in prefixes:
        for repository, folder in models.items():
            if repository.rpartition("/")[2].startswith(prefix):
                return folder
    return None


def _snapshot(entry: Path) -> Path | None:
    """The revision that `main` names, or the newest, if its files are there."""
    main = entry / "refs" / "main"
    named = [entry / "snapshots" / main.read_text().strip()] if main.is_file() else []
    for folder in (*named, *sorted(entry.glob("snapshots/*"), reverse=True)):
        if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
            return folder
    return None


def _hub_cache() -> Path:
    """Where huggingface_hub keeps what it downloaded (its environment variables, then its default)."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    return Path(home).expanduser() / "hub"


def config_file() -> Path:
    """The person's own settings, one TOML file."""
    return platformdirs.user_config_path("mlx_gemma") / "config.toml"


def _configured() -> str | None:
    path = config_file()
    if not path.is_file():
        return None
    try:
        model = tomllib.loads(path.read_text(encoding="utf-8")).get("model")
    except (ValueError, OSError) as error:
        raise ConfigError(f"{path}: not readable as TOML ({error}); mend it or delete it") from None
    if model is not None and not isinstance(model, str):
        raise ConfigError(f"{path}: model must be a text, got {model!r}")
    return model


def _shown_name(asked: str) -> str:
    """A name without the path before it, which may say more than a log should hold."""
    path = Path(asked).expanduser()
    return path.resolve().name if path.is_dir() else asked


def _repository(folder: Path) -> str:
    return folder.parent.parent.name.removeprefix("models--").replace("--", "/", 1)
