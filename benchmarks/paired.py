"""Two ways to do the same thing, measured in turn, so that whatever else the machine does weighs on both.

A pair is ours and theirs right after each other, and which goes first changes from pair to pair. What is reported is
the median of the pairs' ratios with the smallest and the largest; the two figures beside it are medians too.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from benchmarks.machine import Machine

Measure = Callable[[], float]
HEADER = "| | ours | theirs | ratio (min to max, pairs) | target |"


@dataclass(frozen=True)
class Target:
    """What the ratio ours / theirs should keep to."""

    bound: Literal["at most", "at least"]
    value: float

    def met(self, ratio: float) -> bool:
        return ratio <= self.value if self.bound == "at most" else ratio >= self.value


@dataclass(frozen=True)
class Result:
    """One line of a table. ours, theirs: one figure a pair, in `unit`."""

    name: str
    unit: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    target: Target | None = None

    @property
    def ratios(self) -> list[float]:
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        met = "met" if self.target.met(self.ratio) else "**missed**"
        return f"{self.target.bound} {self.target.value:g}: {met}"

    def row(self) -> str:
        low, high, count = min(self.ratios), max(self.ratios), len(self.ratios)
        ours, theirs = (f"{median(side):.4g} {self.unit}" for side in (self.ours, self.theirs))
        spread = f"**{self.ratio:.3f}** ({low:.3f} to {high:.3f}, {count})"
        return f"| {self.name} | {ours} | {theirs} | {spread} | {self.verdict} |"


def paired(
    name: str, unit: str, ours: Measure, theirs: Measure, *, pairs: int = 9, target: Target | None = None
) -> Result:
    """Measure both in turn. A first pair is thrown away: it warms caches, files and clocks."""
    figures: tuple[list[float], list[float]] = ([], [])
    for number in range(-1, pairs):
        order = ((0, ours), (1, theirs)) if number % 2 == 0 else ((1, theirs), (0, ours))
        for side, measure in order:
            figure = measure()
            if number >= 0:
                figures[side].append(figure)
    return Result(name, unit, tuple(figures[0]), tuple(figures[1]), target)


def report(title: str, notes: str, results: Sequence[Result], json_file: Path | None = None) -> None:
    """Print a Markdown section on what was measured where, and write the same as JSON if a file is given."""
    machine = Machine.this()
    print(f"## {title}\n\n{machine.line}\n\n{notes}\n\n{HEADER}\n|---|---|---|---|---|")
    for result in results:
        print(result.row())
    print(flush=True)
    if json_file is not None:
        rows = [{**asdict(result), "ratio": result.ratio, "ratios": result.ratios} for result in results]
        content = {"title": title, "notes": notes, "machine": asdict(machine), "results": rows}
        json_file.write_text(json.dumps(content, indent=1) + "\n")
