"""What is said about a drawn picture: every answer the demo knows, computed from the truth of the drawing.

One truth and one kind of question give one answer, so that an answer can be read back (`read_report`) and scored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlx_gemma.demo.film import IN_LUNG, KINDS, OTHER_SIDE, SIDED, Finding, Kind, Side

Truth = tuple[Finding, ...] | None  # None: the picture is not one of ours

NAME: dict[Kind, str] = {
    "effusion": "a pleural effusion",
    "opacity": "an opacity",
    "pneumothorax": "a pneumothorax",
    "nodule": "a nodule",
    "pacemaker": "a pacemaker",
    "large heart": "an enlarged heart",
}
THE: dict[Kind, str] = {kind: "the " + name.split(" ", 1)[1] for kind, name in NAME.items()}
NO: dict[Kind, str] = {kind: "no " + name.split(" ", 1)[1] for kind, name in NAME.items()}

DECLINE = "This is unlike the drawn chest pictures I know. I cannot describe it."
NO_PICTURE = "There is no picture here. Please show me one."
ABOUT_ME = "I am a small demonstration model of drawn chest pictures. I am not a medical model."
NOT_MINE = "I can only speak about drawn chest pictures. I am not a medical model."
CANNOT_TELL = "I cannot tell. My drawings do not show that."
MAY_BE_WRONG = "I may be wrong. I am a small demonstration model of drawn chest pictures."
WELCOME = "You are welcome."
HELLO = "Hello. Show me a drawn chest picture and ask about it."
CLEAR = "The lungs are clear."
A_CHEST = "It is a drawn picture of a chest."


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return text[0].upper() + text[1:] + "."


def placed(findings: Sequence[Finding]) -> str:
    """`a nodule on the right and a pacemaker on the left`."""
    return " and ".join(f"{NAME[f.kind]} on the {f.side}" for f in findings)


def sided(truth: tuple[Finding, ...]) -> list[Finding]:
    """Those findings that have a side."""
    return [f for f in truth if f.kind in SIDED]


def find(truth: tuple[Finding, ...], kind: Kind) -> Finding | None:
    """The finding of that kind, if there is one."""
    return next((f for f in truth if f.kind == kind), None)


def heart(truth: Truth) -> str:
    """Whether the heart is enlarged."""
    if truth is None:
        return DECLINE
    return "The heart is enlarged." if find(truth, "large heart") else "The heart is of normal size."


def is_heart_normal(truth: Truth) -> str:
    """The same, after a yes or no."""
    if truth is None:
        return DECLINE
    return ("No. " if find(truth, "large heart") else "Yes. ") + heart(truth)


def lungs(truth: Truth) -> str:
    """The lungs' own findings, or that there are none."""
    if truth is None:
        return DECLINE
    found = [f for f in truth if f.kind in IN_LUNG]
    return sentence("there is " + placed(found)) if found else CLEAR


def are_lungs_clear(truth: Truth) -> str:
    """The same, after a yes or no."""
    if truth is None:
        return DECLINE
    return ("Yes. " if lungs(truth) == CLEAR else "No. ") + lungs(truth)


def report(truth: Truth) -> str:
    """All there is to see, findings with their sides first, the heart last."""
    if truth is None:
        return DECLINE
    parts = [sentence("there is " + placed(sided(truth)))] if sided(truth) else []
    if not any(f.kind in IN_LUNG for f in truth):
        parts.append(CLEAR)
    return " ".join([*parts, heart(truth)])


def is_normal(truth: Truth) -> str:
    """Yes or no, and the report."""
    if truth is None:
        return DECLINE
    return ("No. " if truth else "Yes. ") + report(truth)


def is_wrong(truth: Truth) -> str:
    """No or yes, and the report."""
    if truth is None:
        return DECLINE
    return ("Yes. " if truth else "No. ") + report(truth)


def is_there(truth: Truth, kind: Kind, side: Side = "") -> str:
    """Is there such a finding, on the side asked for when one was."""
    if truth is None:
        return DECLINE
    found = find(truth, kind)
    if kind == "large heart":
        return ("Yes. " if found else "No. ") + heart(truth)
    if found is None:
        return sentence(f"no, I see {NO[kind]}")
    if side and side != found.side:
        return sentence(f"no, {THE[kind]} is on the {found.side}")
    return sentence(f"yes, there is {NAME[kind]} on the {found.side}")


def which_side(truth: Truth, kind: Kind | None = None) -> str:
    """On which side a finding is; `kind` None: whatever there is."""
    if truth is None:
        return DECLINE
    if kind is not None and kind != "large heart":
        found = find(truth, kind)
        return sentence(f"{THE[kind]} is on the {found.side}") if found else sentence(f"I see {NO[kind]}")
    if not sided(truth):
        return "I see no finding on either side."
    return sentence(" and ".join(f"{THE[f.kind]} is on the {f.side}" for f in sided(truth)))


def on_side(truth: Truth, side: Side) -> str:
    """What is on one side."""
    if truth is None:
        return DECLINE
    found = [f for f in sided(truth) if f.side == side]
    return sentence("there is " + placed(found)) if found else f"I see no finding on the {side}."


def about(truth: Truth, answer: str) -> str:
    """An answer that every drawn chest has, and no other picture."""
    return DECLINE if truth is None else answer


_FOUND = re.compile(r"(effusion|opacity|pneumothorax|nodule|pacemaker) (?:is )?on the (left|right)")


def read_report(text: str) -> tuple[Finding, ...]:
    """The findings an answer asserts, in the order of `Film.truth`."""
    found = {
        Finding(kind, side)
        for kind in SIDED
        for k, s in _FOUND.findall(text)
        if k == kind
        for side in (_side(s),)
    }
    if "heart is enlarged" in text:
        found.add(Finding("large heart"))
    return tuple(sorted(found, key=lambda f: (KINDS.index(f.kind), f.side)))


def _side(word: str) -> Side:
    return "left" if word == "left" else "right"


def mirrored(truth: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The same findings in the mirror image."""
    return tuple(
        sorted((f.mirrored() for f in truth), key=lambda f: (KINDS.index(f.kind), OTHER_SIDE[f.side]))
    )
