"""A conversation as the ids Gemma 3 was taught to read, without a template language.

    <bos><start_of_turn>user⏎ system ⏎⏎ text <end_of_turn>⏎ <start_of_turn>model⏎ answer <end_of_turn>⏎ ...

Control ids are placed here and nowhere else; all text passes through `Tokenizer.encode`, which makes none. Neighbouring
pieces of text are joined before they are encoded, so the ids are those of the whole string (the chat template of the
Gemma 3 and MedGemma checkpoints; images and pan & scan as transformers' Gemma3Processor writes them).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mlx_gemma.text import control
from mlx_gemma.text.tokenizer import Tokenizer
from vision.errors import PromptError


@dataclass(frozen=True)
class ImageSlot:
    """The place of one picture in a message; `crops` pieces of it follow when pan & scan cut it."""

    crops: int = 0


@dataclass(frozen=True)
class Ids:
    """An answer as it was generated: kept as ids, so that a later turn finds what was computed for them."""

    ids: tuple[int, ...]


Part = str | ImageSlot | Ids


@dataclass(frozen=True)
class Turn:
    """One message: who says it, and its text and pictures in order."""

    role: Literal["user", "model"]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class ImageLayout:
    """How one picture stands in the ids: `boi`, `tokens_per_image` times `soft`, `eoi`. From a checkpoint's config."""

    tokens_per_image: int
    boi: int
    eoi: int
    soft: int


def render(
    turns: Sequence[Turn],
    system: str | None,
    tokenizer: Tokenizer,
    image: ImageLayout | None = None,
    open_model_turn: bool = True,
) -> list[int]:
    """Ids of a conversation; with `open_model_turn`, ready for the model to answer.

    `system` goes before the first user text; None or "" is none. `image` is None for a model without eyes.
    Raises PromptError when roles do not alternate from user on, a user turn says nothing, a picture meets a model
    without eyes, or a model turn holds pictures, or ids that are turn or image marks.
    """
    _check_roles(turns, open_model_turn)
    line = _Line(tokenizer)
    line.mark(control.BEGIN)
    for place, turn in enumerate(turns):
        line.mark(control.TURN)
        line.write(f"{turn.role}\n")
        if place == 0 and system:
            line.write(f"{system}\n\n")
        for part in turn.parts:
            _say(line, part, image)
        line.mark(control.END_TURN)
        line.write("\n")
    if open_model_turn:
        line.mark(control.TURN)
        line.write("model\n")
    return line.finish()


def count_slots(turns: Sequence[Turn]) -> int:
    """Pictures that a conversation has places for."""
    return sum(isinstance(part, ImageSlot) for turn in turns for part in turn.parts)


def check_pictures(turns: Sequence[Turn], pictures: int) -> None:
    """Raises PromptError unless there are as many pictures as places for them."""
    if (slots := count_slots(turns)) != pictures:
        raise PromptError(
            f"wanted one picture for each of {slots} image places in the conversation, got {pictures}; "
            "give each message its own pictures"
        )


class _Line:
    """Ids in the making: control ids as they are, text held back until all of its neighbours have come."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._text: list[str] = []

    def write(self, text: str) -> None:
        self._text.append(text)

    def place(self, ids: Sequence[int]) -> None:
        self._ids += self._tokenizer.encode("".join(self._text))
        self._text.clear()
        self._ids += ids

    def mark(self, name: str) -> None:
        self.place([self._tokenizer.control(name)])

    def finish(self) -> list[int]:
        self.place([])
        return self._ids

    def refuse_marks(self, ids: Sequence[int], image: ImageLayout | None) -> None:
        marks = {self._tokenizer.control(name) for name in (control.BEGIN, control.TURN, control.END_TURN)}
        marks |= {image.boi, image.soft, image.eoi} if image else set()
        if found := marks.intersection(ids):
            raise PromptError(
                f"wanted the ids of an answer, got turn or image marks among them ({sorted(found)}); "
                "leave out the id that stopped it"
            )


def _say(line: _Line, part: Part, image: ImageLayout | None) -> None:
    if isinstance(part, str):
        line.write(part.strip())
    elif isinstance(part, Ids):
        line.refuse_marks(part.ids, image)
        line.place(part.ids)
    elif image is None:
        raise PromptError(
            "wanted text only (this model has no vision tower), got a picture; use a multimodal checkpoint"
        )
    elif part.crops:
        line.write("Here is the original image ")
        _show(line, image)
        line.write(" and here are some crops to help you see better")
        for _ in range(part.crops):
            line.write(" ")
            _show(line, image)
    else:
        _show(line, image)


def _show(line: _Line, image: ImageLayout) -> None:
    line.write("\n\n")
    line.place([image.boi, *[image.soft] * image.tokens_per_image, image.eoi])
    line.write("\n\n")


def _check_roles(turns: Sequence[Turn], open_model_turn: bool) -> None:
    for place, turn in enumerate(turns):
        wanted = "model" if place % 2 else "user"
        if turn.role != wanted:
            raise PromptError(
                f"turn {place + 1}: wanted {wanted}, got {turn.role}; user and model take turns, user first"
            )
        if turn.role == "user" and not any(
            part.strip() if isinstance(part, str) else part for part in turn.parts
        ):
            raise PromptError(f"turn {place + 1}: wanted text or a picture, got an empty message")
        foreign = Ids if turn.role == "user" else ImageSlot
        if any(isinstance(part, foreign) for part in turn.parts):
            raise PromptError(
                f"turn {place + 1}: ids belong in the model's turns, pictures in the user's; move them"
            )
    if not turns or (open_model_turn and turns[-1].role != "user"):
        raise PromptError(
            "wanted a conversation that ends with the user, for the model to answer; add a user turn"
        )
