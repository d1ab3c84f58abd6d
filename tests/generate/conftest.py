"""One tiny talking model for all tests of generation."""

import pytest

import mlx_gemma
from tests.tiny_chat import talking_model


@pytest.fixture(scope="session")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> mlx_gemma.Gemma:
    """The tiny model, loaded once."""
    return talking_model(tmp_path_factory.mktemp("talking"))
