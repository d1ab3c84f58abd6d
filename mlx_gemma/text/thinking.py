"""Thinking and answer, told apart by id.

MedGemma 1.5 and 27B write `<unused94>thought⏎ ... <unused95>answer`, sometimes unasked. The two ids are control
pieces, so an answer that merely spells them stays an answer.
"""

from collections.abc import Iterable
from typing import Literal

from mlx_gemma.text import control
from mlx_gemma.text.tokenizer import Tokenizer

Channel = Literal["thinking", "answer"]
Fed = list[tuple[Channel, int]]

INSTRUCTION = "SYSTEM INSTRUCTION: think silently if needed."
LABEL = "thought\n"


def ask_to_think(system: str | None) -> str:
    """The system text that turns thinking on, before the caller's own (MedGemma model card, "thinking")."""
    return f"{INSTRUCTION} {system}" if system else INSTRUCTION


class ThinkingSplit:
    """Sorts generated ids one by one. The two marks, and the label that opens a thought, belong to neither side."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """A vocabulary without the two marks is one that never thinks: everything is answer."""
        self._opens = tokenizer.special.get(control.THINK)
        self._closes = tokenizer.special.get(control.END_THINK)
        self._label = tokenizer.encode(LABEL)
        self._channel: Channel = "answer"
        self._held: list[int] | None = None  # ids since the mark that may yet prove to be the label

    @property
    def thinking(self) -> bool:
        """Whether the model is in the middle of a thought."""
        return self._channel == "thinking"

    def feed(self, index: int) -> Fed:
        """What this id settles: nothing (a mark, or part of a label), itself, or itself after ids that were held."""
        if index == self._opens or index == self._closes:
            fed = self.finish()
            self._channel = "thinking" if index == self._opens else "answer"
            self._held = [] if self.thinking else None
            return fed
        if self._held is None:
            return [(self._channel, index)]
        self._held.append(index)
        if self._held == self._label:
            self._held = None
            return []
        return [] if self._label[: len(self._held)] == self._held else self.finish()

    def finish(self) -> Fed:
        """What is still held when the stream ends."""
        fed: Fed = [(self._channel, index) for index in self._held or ()]
        self._held = None
        return fed


def split_thinking(ids: Iterable[int], tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """(thinking, answer) of a finished generation, marks and label left out."""
    split = ThinkingSplit(tokenizer)
    fed = [pair for index in ids for pair in split.feed(index)] + split.finish()
    return [i for channel, i in fed if channel == "thinking"], [
        i for channel, i in fed if channel == "answer"
    ]
