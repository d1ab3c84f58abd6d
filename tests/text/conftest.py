"""The small vocabulary, from each of its files."""

import json
from pathlib import Path

import pytest

from mlx_gemma.text.tokenizer import Tokenizer
from tests.text import vocabularies


@pytest.fixture(scope="session")
def small_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """tokenizer.model and tokenizer.json of one small vocabulary."""
    return vocabularies.write(tmp_path_factory.mktemp("vocabulary"))


@pytest.fixture(scope="session")
def small_pair(
    small_files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Tokenizer, Tokenizer]:
    """The small vocabulary opened from each file; beside the model, added_tokens.json names the soft token."""
    from_json = Tokenizer.from_file(small_files[1])
    folder = tmp_path_factory.mktemp("folder")
    (folder / "tokenizer.model").write_bytes(small_files[0].read_bytes())
    (folder / "added_tokens.json").write_text(
        json.dumps({vocabularies.SOFT: from_json.special[vocabularies.SOFT]})
    )
    return Tokenizer.from_folder(folder), from_json


@pytest.fixture(scope="session", params=[0, 1], ids=["tokenizer.model", "tokenizer.json"])
def small(request: pytest.FixtureRequest, small_pair: tuple[Tokenizer, Tokenizer]) -> Tokenizer:
    """The small vocabulary, from either file: what a test says of it holds for both."""
    return small_pair[request.param]
