"""The drawn films: what they show, where, and that mirrors are mirrors."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from mlx_gemma.demo import unlike
from mlx_gemma.demo.drawing import cells, draw
from mlx_gemma.demo.film import IN_LUNG, KINDS, SIDED, Film, Finding, Kind, choose_film

QUIET = Film(seed=5, noise=0.0)


def grey(image: Image.Image) -> np.ndarray:
    """Grey levels 0..255."""
    return np.asarray(image.convert("L"), np.float32)


def test_a_film_draws_the_same_each_time() -> None:
    """A film decides its picture completely, noise included."""
    film = choose_film(np.random.default_rng(3))
    assert np.array_equal(grey(draw(film, 160).image), grey(draw(film, 160).image))


def test_size_changes_only_the_detail() -> None:
    """Drawn twice as large and shrunk, a film without noise is the picture it was, to a few grey levels."""
    small = grey(draw(QUIET, 128).image)
    large = grey(draw(QUIET, 256).image.resize((128, 128), Image.Resampling.BOX))
    assert np.abs(small - large).mean() < 2


def test_mirrored_films_are_mirrored_pictures() -> None:
    """The mirror image of a film is its picture turned left to right, and its truth has the other side."""
    film = Film((Finding("nodule", "left"), Finding("large heart")), seed=4, heart=0.65)
    assert np.array_equal(grey(draw(film.mirrored(), 128).image), grey(draw(film, 128).image)[:, ::-1])
    assert film.mirrored().truth == (Finding("nodule", "right"), Finding("large heart"))


@pytest.mark.parametrize("kind", SIDED)
def test_left_is_the_patients_left(kind: Kind) -> None:
    """A finding on the left changes the right half of the picture, as on a radiologist's film, and where it says."""
    film = dataclasses.replace(QUIET, findings=(Finding(kind, "left"),))
    drawing = draw(film, 200)
    change = np.abs(grey(drawing.image) - grey(draw(QUIET, 200).image))
    assert change[:, 110:].sum() > 4 * change[:, :90].sum()
    where = drawing.where[Finding(kind, "left")]
    assert where[:, 100:].sum() > 20 * where[:, :100].sum() and change[where > 0.5].mean() > 15


def test_cells_say_what_lies_where() -> None:
    """On a 4 x 4 grid, an effusion marks cells of its own side's lower lung and nothing else."""
    marked = cells(draw(dataclasses.replace(QUIET, findings=(Finding("effusion", "right"),)), 160), KINDS, 4)
    assert marked[:, :, KINDS.index("effusion")][2, 0] or marked[:, :, KINDS.index("effusion")][2, 1]
    assert not marked[:, 2:].any() and not marked[0].any()
    assert not np.delete(marked, KINDS.index("effusion"), axis=2).any()


def test_chosen_films_never_hide_one_finding_behind_another() -> None:
    """Of two findings in the lungs each has its own; an enlarged heart is drawn wide."""
    for seed in range(300):
        film = choose_film(np.random.default_rng(seed))
        sides = [f.side for f in film.findings if f.kind in IN_LUNG]
        assert len(sides) == len(set(sides))
        assert (film.heart > 0.5) == any(f.kind == "large heart" for f in film.findings)


@pytest.mark.parametrize("kind", list(unlike.MAKERS))
def test_unlike_pictures_vary(kind: str) -> None:
    """Every kind of other picture comes in colour channels, differs by seed and repeats by seed."""
    one, again, other = (unlike.make(np.random.default_rng(seed), 96, kind) for seed in (1, 1, 2))
    assert one.mode == "RGB" and np.array_equal(np.asarray(one), np.asarray(again))
    assert one.size != other.size or not np.array_equal(np.asarray(one), np.asarray(other))
