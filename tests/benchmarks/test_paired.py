"""The benchmarks' own arithmetic: what is measured in which order, and what is made of it."""

import os
import sys

import pytest

from benchmarks.paired import Result, Target, paired
from benchmarks.start import first_token

SPEAKER = "import sys, time; print({before!r}, flush=True); time.sleep({wait}); print({answer!r}, flush=True)"


def test_runs_take_turns() -> None:
    """Each pair holds one run of each side, the side that goes first changes, and the first pair does not count."""
    order: list[str] = []
    figures = {"ours": iter([9.0, 1.0, 2.0, 3.0]), "theirs": iter([9.0, 4.0, 5.0, 6.0])}

    def measure(side: str) -> float:
        order.append(side)
        return next(figures[side])

    result = paired("x", "s", lambda: measure("ours"), lambda: measure("theirs"), pairs=3)
    assert [set(order[at : at + 2]) for at in range(0, 8, 2)] == [{"ours", "theirs"}] * 4
    assert order[2] != order[4] != order[6]
    assert (result.ours, result.theirs) == ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))


def test_the_ratio_is_that_of_pairs() -> None:
    """A slow moment that hits both runs of a pair leaves the median of the ratios as it is."""
    result = Result("x", "s", ours=(1.0, 1.0, 10.0), theirs=(2.0, 2.0, 20.0))
    assert result.ratio == 0.5
    assert "**0.500** (0.500 to 0.500, 3)" in result.row()


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target("at most", 0.6), "at most 0.6: met"),
        (Target("at most", 0.4), "at most 0.4: **missed**"),
        (Target("at least", 0.4), "at least 0.4: met"),
        (Target("at least", 0.6), "at least 0.6: **missed**"),
    ],
)
def test_a_missed_target_is_said(target: Target, verdict: str) -> None:
    """A row says whether its target is met, in whichever direction the target looks."""
    assert Result("x", "s", (1.0,), (2.0,), target).row().endswith(f"| {verdict} |")


def test_the_clock_stops_at_the_answer() -> None:
    """mlx-lm's line before the answer does not stop the clock, and is no part of the answer."""
    program = SPEAKER.format(before="=" * 10, wait=0.3, answer="An answer")
    seconds, said = first_token([sys.executable, "-c", program], os.environ)
    assert seconds > 0.3 and said == b"An answer"


def test_silence_is_no_figure() -> None:
    """A program that fails, or says nothing, is an error and not a fast start."""
    for program in ("raise SystemExit(3)", "pass"):
        with pytest.raises(RuntimeError, match="ended with"):
            first_token([sys.executable, "-c", program], os.environ)
