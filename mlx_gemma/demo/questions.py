"""What people ask, in many wordings (wordings.py), each with its answer (words.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from mlx_gemma.demo import wordings, words
from mlx_gemma.demo.film import KINDS, SIDED, Kind, Side
from mlx_gemma.demo.words import Truth


@dataclass(frozen=True)
class Exchange:
    """A question, its answer, and which finding a following "Which side?" would be about."""

    question: str
    answer: str
    topic: Kind | None = None


_CHOICE = re.compile(r"\[([^\[\]]*)\]")


def vary(rng: np.random.Generator, choices: str, **fill: str) -> str:
    """One line of `choices`, one of each of its brackets, the blanks filled in."""
    lines = [line for line in choices.strip().split("\n") if line]
    text = lines[int(rng.integers(len(lines)))]
    while found := _CHOICE.search(text):
        options = found[1].split("|")
        text = text[: found.start()] + options[int(rng.integers(len(options)))] + text[found.end() :]
    for name, value in fill.items():
        text = text.replace("{" + name + "}", value)
    return text


def name_of(rng: np.random.Generator, kind: Kind) -> dict[str, str]:
    """A name of a finding and the article that goes with it, as `fill`."""
    thing = vary(rng, wordings.THINGS[kind])
    article = "" if thing.startswith(wordings.WITHOUT_ARTICLE) else ("an " if thing[0] in "aeio" else "a ")
    if thing == "consolidation" and rng.random() < 0.5:
        article = ""
    return {"thing": thing, "a": article}


def rough(rng: np.random.Generator, text: str) -> str:
    """The text as people type it: sometimes without capitals, without the last mark, with a courtesy."""
    chance = rng.random(4)
    if chance[0] < 0.12:
        text = text[:-1] + ", please" + text[-1] if text[-1] in ".?" else text + " please"
    elif chance[0] < 0.2:
        text = vary(rng, wordings.BEFORE) + text
    if chance[1] < 0.3:
        text = text.lower()
    if chance[2] < 0.25 and len(text) > 4:
        text = text.rstrip("?.")
    if chance[3] < 0.04:
        text = text.upper()
    return text


def about_picture(rng: np.random.Generator, truth: Truth, topic: Kind | None = None) -> Exchange:
    """A question about a picture and its answer; `topic` is what the last question was about."""
    choice = rng.random()
    side: Side = "left" if rng.random() < 0.5 else "right"
    kinds: list[Kind] = [f.kind for f in truth] if truth and rng.random() < 0.5 else list(KINDS)
    kind = kinds[int(rng.integers(len(kinds)))]
    sided = kind if kind in SIDED else SIDED[int(rng.integers(len(SIDED)))]
    if topic is not None and choice < 0.3:
        return Exchange(vary(rng, wordings.SIDE_OF_IT), words.which_side(truth, topic), topic)

    def ask(choices: str, answer: str, about: Kind | None = None, **fill: str) -> Exchange:
        return Exchange(vary(rng, choices, **fill), answer, about if about in SIDED else None)

    def named(choices: str, answer: str, about: Kind, **fill: str) -> Exchange:
        return ask(choices, answer, about, **name_of(rng, about), **fill)

    unknown = "[" + wordings.UNKNOWN_THINGS.replace("\n", "") + "]"
    cannot_tell = words.about(truth, words.CANNOT_TELL)
    table = [
        (0.30, ask(wordings.DESCRIBE, words.report(truth))),
        (0.04, ask(wordings.IS_NORMAL, words.is_normal(truth))),
        (0.05, ask(wordings.IS_WRONG, words.is_wrong(truth))),
        (0.20, named(wordings.IS_THERE, words.is_there(truth, kind), kind)),
        (0.08, named(wordings.IS_THERE_SIDE, words.is_there(truth, sided, side), sided, side=side)),
        (0.06, named(wordings.WHICH_SIDE, words.which_side(truth, sided), sided)),
        (0.04, ask(wordings.SIDE_OF_IT, words.which_side(truth))),
        (0.04, ask(wordings.ON_SIDE, words.on_side(truth, side), side=side)),
        (0.03, ask(wordings.HEART, words.heart(truth))),
        (0.03, ask(wordings.HEART_LARGE, words.is_there(truth, "large heart"))),
        (0.02, ask(wordings.HEART_NORMAL, words.is_heart_normal(truth))),
        (0.02, ask(wordings.LUNGS, words.lungs(truth))),
        (0.02, ask(wordings.LUNGS_CLEAR, words.are_lungs_clear(truth))),
        (0.02, ask(wordings.WHAT_IS_IT, words.about(truth, words.A_CHEST))),
        (0.03, ask(wordings.UNKNOWN, cannot_tell, thing=vary(rng, unknown))),
        (0.02, ask(wordings.PERSON, cannot_tell)),
    ]
    shares = np.array([share for share, _ in table])
    return table[int(rng.choice(len(table), p=shares / shares.sum()))][1]


def chat(rng: np.random.Generator, *, with_picture: bool) -> Exchange:
    """Small talk, and what is beyond the demo."""
    table = [
        (0.30, wordings.WHO, words.ABOUT_ME),
        (0.10, wordings.GREET, words.HELLO),
        (0.15, wordings.THANKS, words.WELCOME),
        (0.15, wordings.SURE, words.MAY_BE_WRONG),
        (0.30, wordings.OTHER, words.NOT_MINE),
    ]
    shares = np.array([row[0] for row in table])
    _, choices, answer = table[int(rng.choice(len(table), p=shares))]
    question = vary(rng, choices)
    if with_picture and question == "What is this?":
        answer = words.A_CHEST
    return Exchange(question, answer)
