"""MedGemma and Gemma 3 on Apple silicon: images and text, exact and private.

gemma = mlx_gemma.load("medgemma-4b")
chat = gemma.chat()
print(chat.ask("Is there an effusion?", images=["chest.png"]).text)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import vision as _vision  # its backend goes before mlx, so it is imported first

if TYPE_CHECKING:
    from mlx_gemma.chat import Chat as Chat
    from mlx_gemma.chat import Piece as Piece
    from mlx_gemma.chat import Reply as Reply
    from mlx_gemma.gemma import Gemma as Gemma
    from mlx_gemma.gemma import load as load
    from mlx_gemma.model.config import GemmaConfig as GemmaConfig
    from mlx_gemma.text.tokenizer import Tokenizer as Tokenizer
    from vision.errors import GemmaError as GemmaError

_HOME = {
    "Chat": "mlx_gemma.chat",
    "Gemma": "mlx_gemma.gemma",
    "GemmaConfig": "mlx_gemma.model.config",
    "GemmaError": "vision.errors",
    "Piece": "mlx_gemma.chat",
    "Reply": "mlx_gemma.chat",
    "Tokenizer": "mlx_gemma.text.tokenizer",
    "load": "mlx_gemma.gemma",
}

__version__ = "0.1.0"
__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mlx_gemma' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


del _vision
