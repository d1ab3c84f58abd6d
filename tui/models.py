"""The model that a verb works with: found, announced, loaded."""

import mlx_gemma
from mlx_gemma.gemma import Gemma
from mlx_gemma.library import resolve
from mlx_gemma.model.config import GemmaConfig
from tui import terminal

DEMO_NOTE = "demo model: trained on drawn chest pictures, not on patients; nothing it says is medical"


def open_model(name: str | None, *, note_demo: bool = True) -> Gemma:
    """Load the model that was asked for, or the default. Says on stderr what was chosen, and whether it is the demo."""
    choice = resolve(name)
    if note_demo and GemmaConfig.from_folder(choice.folder).demo:
        terminal.note(DEMO_NOTE)
    if choice.announcement:
        terminal.note(choice.announcement)
    size = sum(file.stat().st_size for file in choice.folder.glob("*.safetensors"))
    with terminal.said_if_slow(f"loading {choice.name} ({size / 1e9:.1f} GB) ..."):
        return mlx_gemma.load(name)
