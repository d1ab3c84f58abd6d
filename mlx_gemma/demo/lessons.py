"""Conversations to learn from, about freshly drawn pictures, in the library's own prompts.

R conversations  L tokens
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlx_gemma.demo import questions, wordings, words
from mlx_gemma.demo.exposures import Eye, Pictures, Shown, show, stack
from mlx_gemma.demo.questions import Exchange
from mlx_gemma.demo.words import Truth
from mlx_gemma.text import control
from mlx_gemma.text.prompt import Ids, ImageLayout, ImageSlot, Part, Turn, render
from mlx_gemma.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Shape:
    """How many conversations of each sort make a batch."""

    one_picture: int = 20
    two_pictures: int = 2
    no_picture: int = 2


@dataclass(frozen=True)
class Batch:
    """ids (R, L) int32 padded with 0; answers (R, L) bool: places whose id is the model's to say; its pictures."""

    ids: NDArray[np.int32]
    answers: NDArray[np.bool_]
    pictures: Pictures


@dataclass
class Lesson:
    """One conversation in the making: the turns so far, and the pictures shown in them."""

    rng: np.random.Generator
    turns: list[Turn] = field(default_factory=list[Turn])
    shown: list[Shown] = field(default_factory=list[Shown])

    def say(self, exchange: Exchange, tokenizer: Tokenizer, *, picture: bool) -> None:
        """Ask and answer, with the newest picture before or after the words."""
        text = questions.rough(self.rng, exchange.question) if exchange.question else ""
        parts: tuple[Part, ...] = (text,)
        if picture:
            parts = (ImageSlot(), text) if self.rng.random() < 0.6 else (text, ImageSlot())
        self.turns.append(Turn("user", parts))
        self.turns.append(Turn("model", (Ids(tuple(tokenizer.encode(exchange.answer))),)))


def converse(rng: np.random.Generator, eye: Eye, tokenizer: Tokenizer, pictures: int, turns: int) -> Lesson:
    """A conversation of `turns` questions in which `pictures` pictures are shown, one a turn at most."""
    lesson = Lesson(rng)
    first = 1 if pictures == 1 and turns > 1 and rng.random() < 0.1 else 0
    truth: Truth = None
    topic = None
    for place in range(turns):
        now = first <= place < first + pictures
        if now:
            lesson.shown.append(show(rng, eye))
            truth, topic = lesson.shown[-1].truth, None
        if not lesson.shown:
            exchange = questions.chat(rng, with_picture=False)
            if rng.random() < 0.35:
                exchange = Exchange(questions.about_picture(rng, None).question, words.NO_PICTURE)
        elif now and rng.random() < 0.04:
            exchange = Exchange("", words.report(truth))
        elif rng.random() < 0.07:
            exchange = questions.chat(rng, with_picture=True)
        else:
            exchange = questions.about_picture(rng, truth, topic)
        topic = exchange.topic
        lesson.say(exchange, tokenizer, picture=now)
    return lesson


def make_batch(
    seed: Sequence[int], shape: Shape, eye: Eye, tokenizer: Tokenizer, layout: ImageLayout
) -> Batch:
    """The batch of this seed, always the same."""
    rng = np.random.default_rng(tuple(seed))
    turns = int(rng.choice((1, 2, 3), p=(0.5, 0.3, 0.2)))  # the same for all rows: little padding
    wanted = [1] * shape.one_picture + [min(2, turns)] * shape.two_pictures + [0] * shape.no_picture
    lessons = [converse(rng, eye, tokenizer, n, turns) for n in wanted]
    rows = [
        render(lesson.turns, system_text(rng), tokenizer, layout, open_model_turn=False) for lesson in lessons
    ]
    length = -(-max(map(len, rows)) // 8) * 8
    ids = np.array([row + [0] * (length - len(row)) for row in rows], np.int32)
    pictures = stack([each for lesson in lessons for each in lesson.shown], eye)
    return Batch(ids, answer_places(ids, tokenizer), pictures)


def system_text(rng: np.random.Generator) -> str | None:
    """Standing instructions, now and then; the demo answers as it does without them."""
    return questions.vary(rng, wordings.SYSTEM) if rng.random() < 0.08 else None


def answer_places(ids: NDArray[np.int32], tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Where the model speaks: after `<start_of_turn>model⏎`, up to and with `<end_of_turn>`."""
    turn, end = tokenizer.control(control.TURN), tokenizer.control(control.END_TURN)
    opening = [turn, *tokenizer.encode("model\n")]
    places = np.zeros(ids.shape, bool)
    for row, line in enumerate(ids.tolist()):
        speaking = False
        for at, token in enumerate(line):
            speaking = speaking or line[max(0, at - len(opening)) : at] == opening
            places[row, at] = speaking
            speaking = speaking and token != end
    return places
