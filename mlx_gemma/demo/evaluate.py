"""Scores a demo checkpoint by asking it, as a person would: python -m mlx_gemma.demo.evaluate

Every answer is generated through `mlx_gemma.load(...).chat()` and read back as text. The pictures are drawn from
seeds that training never uses.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

import mlx_gemma
from mlx_gemma.demo import questions, unlike, words
from mlx_gemma.demo.drawing import draw
from mlx_gemma.demo.film import Film, Finding, choose_film

HELD_OUT = 987_654_321  # training counts from small seeds
MOST_TOKENS = 60


@dataclass
class Tally:
    """How often each thing was asked of the model, and how often it was right."""

    right: Counter[str] = field(default_factory=Counter[str])
    asked: Counter[str] = field(default_factory=Counter[str])

    def add(self, what: str, right: bool) -> None:
        self.asked[what] += 1
        self.right[what] += right

    def scores(self) -> dict[str, list[float | int]]:
        """By name: the share that was right, and of how many."""
        return {k: [round(self.right[k] / n, 4), n] for k, n in sorted(self.asked.items())}


def held_out_film(index: int) -> Film:
    """A film that training never drew."""
    return choose_film(np.random.default_rng((HELD_OUT, index)))


def picture(film: Film, index: int) -> Image.Image:
    """The film drawn at one of several sizes."""
    return draw(film, (160, 224, 320, 512)[index % 4]).image


def kinds(findings: Iterable[Finding]) -> set[str]:
    """What was found, wherever."""
    return {f.kind for f in findings}


def is_declined(answer: str) -> bool:
    """Whether an answer refuses the picture."""
    return answer == words.DECLINE


def judge_film(gemma: mlx_gemma.Gemma, index: int, tally: Tally) -> tuple[Finding, ...]:
    """Ask about one film and its mirror image; what was read in the report."""
    film = held_out_film(index)
    rng = np.random.default_rng((HELD_OUT, index, 1))
    truth = film.truth
    chat = gemma.chat()
    ask = ("Describe this X-ray.", "What do you see?", "Describe the picture.")[index % 3]
    seen = words.read_report(chat.ask(ask, [picture(film, index)], max_tokens=MOST_TOKENS).text)
    tally.add("findings", kinds(seen) == kinds(truth))
    for kind in sorted(kinds(truth) or {"nothing"}):
        tally.add(f"findings: {kind}", kinds(seen) == kinds(truth))
    if kinds(seen) == kinds(truth) and words.sided(truth):
        tally.add("sides", seen == truth)
    topic = None
    for _ in range(2):  # follow-up questions about the same picture, later turns of the same chat
        later = questions.about_picture(rng, truth, topic)
        answer = chat.ask(questions.rough(rng, later.question), max_tokens=MOST_TOKENS).text
        tally.add("follow-up", answer == later.answer)
        topic = later.topic
    mirror = gemma.chat().ask(ask, [picture(film.mirrored(), index)], max_tokens=MOST_TOKENS).text
    tally.add("mirror", words.read_report(mirror) == words.mirrored(seen))
    return seen


def judge_unlike(gemma: mlx_gemma.Gemma, image: Image.Image, name: str, tally: Tally) -> str:
    """Ask about a picture that is no drawn chest; the answer."""
    answer = gemma.chat().ask("Describe this X-ray.", [image], max_tokens=MOST_TOKENS).text
    tally.add(name, is_declined(answer))
    tally.add(f"{name}: no finding", not words.read_report(answer))
    return answer


def judge_share(model: str, share: range) -> Tally:
    """Part of the held-out films and of the unlike pictures, with a model of its own."""
    gemma, tally = mlx_gemma.load(model), Tally()
    for index in share:
        judge_film(gemma, index, tally)
        rng = np.random.default_rng((HELD_OUT, index, 2))
        judge_unlike(gemma, unlike.make(rng, 224), "unlike", tally)
    return tally


def judge_folder(model: str, folder: Path) -> Tally:
    """The pictures of a folder, none of them a drawn chest."""
    gemma, tally = mlx_gemma.load(model), Tally()
    for file in sorted([*folder.glob("*.jpg"), *folder.glob("*.png")]):
        answer = judge_unlike(gemma, Image.open(file), f"unlike: {folder.name}", tally)
        if not is_declined(answer):
            sys.stderr.write(f"{file.name}: {answer}\n")
    return tally


def evaluate(model: str, count: int, folders: Sequence[Path], jobs: int) -> dict[str, list[float | int]]:
    """All scores: `count` held-out films, as many unlike pictures, and the pictures in `folders`."""
    total = Tally()
    shares = [range(job, count, jobs) for job in range(jobs)]
    if jobs == 1:
        parts = [judge_share(model, shares[0])]
    else:
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            parts = [each.result() for each in [pool.submit(judge_share, model, share) for share in shares]]
    for tally in [*parts, *(judge_folder(model, folder) for folder in folders)]:
        total.right.update(tally.right)
        total.asked.update(tally.asked)
    return total.scores()


def main() -> None:
    """Print the scores as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default="demo")
    options.add_argument("--count", type=int, default=500)
    options.add_argument(
        "--unlike", type=Path, action="append", default=[], help="a folder of other pictures"
    )
    options.add_argument("--out", type=Path)
    options.add_argument("--jobs", type=int, default=1, help="processes")
    given = options.parse_args()
    started = time.monotonic()
    scores = evaluate(given.model, given.count, given.unlike, given.jobs)
    text = json.dumps(scores, indent=1)
    sys.stdout.write(text + "\n")
    sys.stderr.write(f"{time.monotonic() - started:.0f} s\n")
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
