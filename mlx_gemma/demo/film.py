"""What a drawn chest picture holds: findings with their sides, and the pose and exposure it is taken with.

"Left" is the patient's left, which is the right-hand side of the picture, as radiologists look at films.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Side = Literal["left", "right", ""]
Kind = Literal["effusion", "opacity", "pneumothorax", "nodule", "pacemaker", "large heart"]

SIDED: tuple[Kind, ...] = ("effusion", "opacity", "pneumothorax", "nodule", "pacemaker")
KINDS: tuple[Kind, ...] = (*SIDED, "large heart")
IN_LUNG: tuple[Kind, ...] = ("effusion", "opacity", "pneumothorax", "nodule")
OTHER_SIDE: dict[Side, Side] = {"left": "right", "right": "left", "": ""}


@dataclass(frozen=True)
class Finding:
    """One thing drawn into the picture; the side is empty for the heart."""

    kind: Kind
    side: Side = ""

    def mirrored(self) -> Finding:
        return Finding(self.kind, OTHER_SIDE[self.side])


@dataclass(frozen=True)
class Film:
    """Everything that decides a picture except its size; lengths are in half-widths of the rib cage.

    `seed` feeds the random detail (vessels, noise, the places of findings), so a film draws the same each time.
    """

    findings: tuple[Finding, ...] = ()
    seed: int = 0
    centre: tuple[float, float] = (0.5, 0.5)  # of the chest, as fractions of the picture's width and height
    scale: float = 0.36  # half-width of the rib cage as a fraction of the picture's width
    stretch: float = 1.0  # height against width
    tilt: float = 0.0  # radians
    aspect: float = 1.0  # height / width of the picture
    gamma: float = 1.0
    gain: float = 1.0
    offset: float = 0.0
    noise: float = 0.02
    blur: float = 0.0  # Gaussian radius as a fraction of the width
    collimation: float = 0.0  # black border as a fraction of the width
    heart: float = 0.40  # half-width of the heart
    flipped: bool = False  # drawn as in a mirror, heart and all

    def mirrored(self) -> Film:
        """The film whose picture is this one's mirror image."""
        return replace(self, flipped=not self.flipped)

    @property
    def truth(self) -> tuple[Finding, ...]:
        """The findings as one sees them, sides swapped when the film is flipped, in the order of KINDS."""
        seen = tuple(f.mirrored() for f in self.findings) if self.flipped else self.findings
        return tuple(sorted(seen, key=lambda f: (KINDS.index(f.kind), f.side)))


def choose_findings(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Nothing (a quarter), one finding (half), or two that do not hide each other (a quarter)."""
    count = int(rng.choice(3, p=(0.25, 0.5, 0.25)))
    kinds: list[Kind] = [KINDS[int(i)] for i in rng.permutation(len(KINDS))[:count].tolist()]
    side: Side = "left" if rng.random() < 0.5 else "right"
    found: list[Finding] = []
    for kind in kinds:
        if kind == "large heart":
            found.append(Finding(kind))
            continue
        found.append(Finding(kind, side))
        if kind in IN_LUNG or rng.random() < 0.5:  # two findings in the lungs take one lung each
            side = OTHER_SIDE[side]
    return tuple(found)


def crowd_findings(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Up to four findings, one in each lung and what goes with both: more to see in a picture, to learn to see."""
    sides: tuple[Side, Side] = ("left", "right")
    found = [Finding(IN_LUNG[int(rng.integers(len(IN_LUNG)))], side) for side in sides if rng.random() < 0.75]
    if rng.random() < 0.5:
        found.append(Finding("pacemaker", sides[int(rng.integers(2))]))
    if rng.random() < 0.5:
        found.append(Finding("large heart"))
    return tuple(found)


def choose_film(rng: np.random.Generator, findings: tuple[Finding, ...] | None = None) -> Film:
    """A film with varied pose and exposure, with the findings asked for or with chosen ones."""
    if findings is None:
        findings = choose_findings(rng)
    large = any(f.kind == "large heart" for f in findings)
    uniform = rng.uniform
    return Film(
        findings=findings,
        seed=int(rng.integers(2**31)),
        centre=(uniform(0.45, 0.55), uniform(0.46, 0.54)),
        scale=uniform(0.33, 0.43),
        stretch=uniform(0.92, 1.1),
        tilt=uniform(-0.09, 0.09),
        aspect=float(rng.choice((1.0, uniform(0.85, 1.2)))),
        gamma=float(np.exp(uniform(-0.3, 0.3))),
        gain=uniform(0.8, 1.15),
        offset=uniform(-0.03, 0.06),
        noise=uniform(0.0, 0.05),
        blur=max(0.0, uniform(-0.006, 0.008)),
        collimation=max(0.0, uniform(-0.06, 0.05)),
        heart=uniform(0.60, 0.72) if large else uniform(0.36, 0.46),
        flipped=bool(rng.random() < 0.5),
    )
