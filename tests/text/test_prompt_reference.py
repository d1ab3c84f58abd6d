"""Prompts equal transformers', rendered by the chat template of the checkpoint and tokenised by its tokenizer."""

import json
from pathlib import Path

import pytest

from mlx_gemma.text.prompt import ImageLayout, ImageSlot, Turn, render
from mlx_gemma.text.tokenizer import Tokenizer
from tests.text.conversations import CONVERSATIONS, Conversation, Picture

GOLDEN: dict[str, list[int]] = json.loads(Path(__file__).with_name("prompts.json").read_text())
IMAGE = ImageLayout(256, boi=255_999, eoi=256_000, soft=262_144)  # of every multimodal Gemma 3


@pytest.fixture(scope="module")
def real(real_270m: Path) -> Tokenizer:
    """The real vocabulary."""
    return Tokenizer.from_folder(real_270m)


def turns(conversation: Conversation) -> list[Turn]:
    """The conversation in our own words."""
    return [
        Turn(
            "model" if number % 2 else "user",
            tuple(ImageSlot(part.crops) if isinstance(part, Picture) else part for part in parts),
        )
        for number, parts in enumerate(conversation.messages)
    ]


def test_the_table_is_whole() -> None:
    """There is a reference for every conversation, and no reference without one."""
    assert GOLDEN.keys() == CONVERSATIONS.keys()
    assert len(GOLDEN) >= 38


@pytest.mark.real_weights
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_ids_equal_the_reference(real: Tokenizer, name: str) -> None:
    """The ids are the reference's, every one."""
    conversation = CONVERSATIONS[name]
    expected = [index for n in GOLDEN[name] for index in ([n] if n >= 0 else [IMAGE.soft] * -n)]
    assert render(turns(conversation), conversation.system, real, IMAGE, conversation.answer) == expected
