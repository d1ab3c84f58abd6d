"""What other programs get wrong in a conversation, put in on purpose: a test must notice, or it is tested straight."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest

import mlx_gemma
from mlx_gemma import chat as chats
from mlx_gemma.gemma import Gemma
from mlx_gemma.generate.eyes import Eyes
from mlx_gemma.selftest.influence import influence
from mlx_gemma.text import control
from mlx_gemma.text.prompt import ImageSlot, Turn
from mlx_gemma.text.thinking import ThinkingSplit
from mlx_gemma.text.tokenizer import Tokenizer
from tests.generate import test_chat
from tests.tiny_chat import picture, talking_model, write_talking_folder


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Gemma:
    """The tiny model that can be talked to."""
    return talking_model(tmp_path_factory.mktemp("talking"))


def say(patch: pytest.MonkeyPatch, ids: list[int]) -> None:
    """Let the sampler choose these ids, whatever the logits."""
    said = iter(ids)
    patch.setattr("mlx_gemma.generate.sampling.Sampler.__call__", lambda *_: mx.array([next(said)]))


def forget_pictures(patch: pytest.MonkeyPatch) -> None:
    """Earlier turns keep their words and lose their pictures."""
    exact = chats.Chat.stream

    def stream(self: chats.Chat, *given: Any, **changes: Any) -> Iterator[Any]:
        self._pictures = []
        self.turns = [
            Turn(turn.role, tuple(part for part in turn.parts if not isinstance(part, ImageSlot)))
            for turn in self.turns
        ]
        return exact(self, *given, **changes)

    patch.setattr(chats.Chat, "stream", stream)


def move_pictures_to_the_newest_turn(patch: pytest.MonkeyPatch) -> None:
    """All pictures so far go before the newest question."""
    exact = chats.render

    def render(turns: list[Turn], *rest: Any) -> list[int]:
        slots = tuple(part for turn in turns for part in turn.parts if isinstance(part, ImageSlot))
        bare = [
            Turn(t.role, tuple(part for part in t.parts if not isinstance(part, ImageSlot))) for t in turns
        ]
        return exact([*bare[:-1], Turn("user", slots + bare[-1].parts)], *rest)

    patch.setattr(chats, "render", render)


def test_lost_pictures_are_noticed(gemma: Gemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the pictures of earlier turns were lost, the test that they still count would fail."""
    forget_pictures(monkeypatch)
    with pytest.raises(AssertionError):
        test_chat.test_an_earlier_picture_still_counts(gemma, monkeypatch)


def test_moved_pictures_are_noticed(gemma: Gemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """If pictures moved to the newest turn, little could be reused, and the test that counts it would fail."""
    move_pictures_to_the_newest_turn(monkeypatch)
    with pytest.raises(AssertionError):
        test_chat.test_a_later_turn_is_exact_and_computes_only_what_is_new(gemma)


def test_ignored_pictures_are_noticed(gemma: Gemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor's test of the eyes passes here, and fails a model that answers without looking."""
    assert influence(gemma).sees
    blind = lambda self, pictures: mx.zeros((len(pictures), self.tokens_per_image, 64))  # noqa: E731
    monkeypatch.setattr(Eyes, "features", blind)
    assert not influence(gemma).sees


def test_leaked_marks_are_noticed(gemma: Gemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """If thinking were not split off by id, the test that it is would fail."""
    monkeypatch.setattr(ThinkingSplit, "feed", lambda _, index: [("answer", index)])
    with pytest.raises(AssertionError):
        test_chat.test_thoughts_are_split_off_by_id(gemma, monkeypatch)


def test_marks_never_show(gemma: Gemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever control pieces a model comes out with, `<unused94>` among them, none is in the text."""
    marks = [index for name, index in gemma.tokenizer.special.items() if index not in gemma.stop_ids]
    word = gemma.tokenizer.encode("lungs")
    say(monkeypatch, [*(index for mark in marks for index in (mark, *word)), *sorted(gemma.stop_ids), 0, 0])
    reply = gemma.chat().ask("look", max_tokens=10_000)
    assert "lungs" in reply.text + reply.thinking
    for name in gemma.tokenizer.special:
        assert name not in reply.text and name not in reply.thinking


def begins(gemma: Gemma) -> int:
    """How many times BOS stands in a conversation of two turns with a system text and a picture."""
    chat = gemma.chat("Be brief.")
    chat.ask("look", [picture(1)], max_tokens=2)
    chat.ask("<bos> and now?", max_tokens=2)
    return chat._session.ids.count(gemma.tokenizer.special[control.BEGIN])


def test_one_beginning(gemma: Gemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation begins once; with an encoder that adds a BOS of its own it would show."""
    assert begins(gemma) == 1
    exact = Tokenizer.encode
    bos = gemma.tokenizer.special[control.BEGIN]
    monkeypatch.setattr(Tokenizer, "encode", lambda self, text: [bos, *exact(self, text)])
    assert begins(gemma) > 1


def test_the_end_of_a_turn_always_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a config that names only the end of text, an answer still ends with its turn."""
    folder = write_talking_folder(tmp_path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    end_of_text, end_of_turn = config["eos_token_id"]
    (folder / "config.json").write_text(json.dumps({**config, "eos_token_id": end_of_text}), encoding="utf-8")
    gemma = mlx_gemma.load(folder)
    assert gemma.config.stop_ids == {end_of_text}
    say(monkeypatch, [100, 101, end_of_turn, *[102] * 20])
    reply = gemma.chat().ask("look", max_tokens=10)
    assert (reply.completion_tokens, reply.stop_reason) == (2, "stop")
    say(monkeypatch, [100, 101, end_of_turn, *[102] * 20])
    assert list(gemma.stream_ids([2, 100], max_tokens=10)) == [100, 101]
