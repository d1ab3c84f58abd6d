"""Answers are computed from the truth, and can be read back into it."""

import numpy as np
import pytest

from mlx_gemma.demo import questions, words
from mlx_gemma.demo.film import Film, Finding, choose_findings

LEFT_EFFUSION = (Finding("effusion", "left"),)


def test_reports_read_back_to_the_truth() -> None:
    """What a report says is what was drawn, for nothing, one and two findings."""
    for seed in range(500):
        truth = Film(choose_findings(np.random.default_rng(seed))).truth
        assert words.read_report(words.report(truth)) == truth


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            words.report(LEFT_EFFUSION),
            "There is a pleural effusion on the left. The heart is of normal size.",
        ),
        (words.report(()), "The lungs are clear. The heart is of normal size."),
        (words.is_there(LEFT_EFFUSION, "effusion", "right"), "No, the pleural effusion is on the left."),
        (words.is_there((), "nodule"), "No, I see no nodule."),
        (words.which_side(LEFT_EFFUSION), "The pleural effusion is on the left."),
        (words.on_side(LEFT_EFFUSION, "right"), "I see no finding on the right."),
        (words.are_lungs_clear((Finding("pacemaker", "left"),)), "Yes. The lungs are clear."),
        (words.is_heart_normal((Finding("large heart"),)), "No. The heart is enlarged."),
    ],
)
def test_answers(answer: str, expected: str) -> None:
    """Each kind of question has the answer a person would give from the same drawing."""
    assert answer == expected


def test_no_wording_has_a_hole() -> None:
    """Choices and blanks are all filled in, and an unlike picture is declined whatever is asked about it."""
    rng = np.random.default_rng(0)
    for _ in range(3000):
        asked = questions.about_picture(rng, choose_findings(rng))
        assert not set("[]{}|") & set(questions.rough(rng, asked.question) + asked.answer)
        assert questions.about_picture(rng, None).answer == words.DECLINE


def test_a_side_is_asked_after_what_was_spoken_of() -> None:
    """After a question about one finding, "Which side?" is about that one, though there are two."""
    truth = (Finding("nodule", "left"), Finding("pacemaker", "right"))
    rng = np.random.default_rng(1)
    answers = {questions.about_picture(rng, truth, "pacemaker").answer for _ in range(300)}
    assert "The pacemaker is on the right." in answers
