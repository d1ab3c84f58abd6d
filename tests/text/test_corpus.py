"""Ids equal the real Gemma 3 tokenizer's, with the vocabulary rebuilt from a GGUF file."""

import json
from pathlib import Path

import pytest

from mlx_gemma.text.tokenizer import Tokenizer
from tests.corpus.make import GOLDEN, digest
from tests.corpus.texts import SPACE, TEXTS, mixtures

pytestmark = pytest.mark.real_weights


@pytest.fixture(scope="module")
def real(real_270m: Path) -> Tokenizer:
    """The rebuilt vocabulary of 262,144 pieces."""
    return Tokenizer.from_folder(real_270m)


def test_hand_written_texts(real: Tokenizer) -> None:
    """Every hand-written text gets the ids of the checkpoint's tokenizer.json."""
    expected = json.loads(GOLDEN.read_text())["texts"]
    assert len(expected) == len(TEXTS) > 600
    wrong = {
        text: (real.encode(text), ids)
        for text, ids in zip(TEXTS, expected, strict=True)
        if real.encode(text) != ids
    }
    assert not wrong


def test_mixtures(real: Tokenizer) -> None:
    """So do thousands of mixtures of hard atoms and arbitrary characters."""
    expected = json.loads(GOLDEN.read_text())["mixtures"]
    texts = list(mixtures(len(expected)))
    assert len(texts) == 4000
    assert not [text for text, want in zip(texts, expected, strict=True) if digest(real.encode(text)) != want]


def test_corpus_comes_back(real: Tokenizer) -> None:
    """Decoding gives every text of the corpus back."""
    for text in (*TEXTS, *mixtures(1000)):
        assert real.decode(real.encode(text)) == text.replace(SPACE, " ")


def test_ids_of_the_control_pieces(real: Tokenizer) -> None:
    """The control pieces have the ids that Gemma 3's report and config.json give, and there are 6,242 unused ones."""
    known = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "<start_of_turn>": 105, "<end_of_turn>": 106}
    known |= {"<start_of_image>": 255_999, "<end_of_image>": 256_000, "<unused94>": 100, "<unused95>": 101}
    assert {name: real.special[name] for name in known} == known
    assert sum(name.startswith("<unused") for name in real.special) == 6242
    assert real.vocab_size == 262_144
