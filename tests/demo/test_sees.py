"""The embedded model truly sees: what it says follows the picture, asked through the library like any MedGemma.

A fixed part of what `python -m mlx_gemma.demo.evaluate` scores; all of it is in mlx_gemma/demo/scores.json.
"""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

import mlx_gemma
from mlx_gemma.demo import checkpoint, evaluate, examples, unlike, words
from mlx_gemma.demo.evaluate import Tally
from mlx_gemma.demo.film import Finding

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
SCANS = (
    "CT_small",
    "MR_small",
    "693_J2KI",
    "JPEG2000",
    "examples_overlay",
    "SC_rgb_rle",
    "liver_1frame",
    "rtdose_1frame",
)


@pytest.fixture(scope="module")
def demo() -> mlx_gemma.Gemma:
    """The committed weights."""
    return mlx_gemma.load("demo")


@pytest.fixture(scope="module")
def tally(demo: mlx_gemma.Gemma) -> Tally:
    """Forty held-out films, each described, asked about twice more, and described in the mirror."""
    tally = Tally()
    for index in range(40):
        evaluate.judge_film(demo, index, tally)
    return tally


@pytest.mark.parametrize(
    ("what", "share"), [("findings", 0.9), ("sides", 0.95), ("mirror", 0.9), ("follow-up", 0.8)]
)
def test_scores_of_held_out_films(tally: Tally, what: str, share: float) -> None:
    """On films never trained on: what is there, on which side, the mirror's mirror, and later turns of a chat.

    The last two have wider margins: a mirror needs two reports right, and a follow-up counts word for word.
    """
    assert tally.right[what] >= share * tally.asked[what], tally.scores()


def test_the_committed_scores_are_good_enough() -> None:
    """All 500 held-out films and as many unlike pictures: the figures that the model card gives."""
    scores = json.loads((checkpoint.FOLDER.parent / "scores.json").read_text())
    assert scores["findings"][0] >= 0.90 and scores["sides"][0] >= 0.95
    assert scores["unlike"][0] >= 0.95 and scores["unlike: photographs"][0] >= 0.95
    assert scores["findings"][1] == scores["unlike"][1] == 500


def test_photographs_are_declined(demo: mlx_gemma.Gemma) -> None:
    """Of the photographs of this folder, none trained on, 95% are declined and none is given a finding."""
    tally = Tally()
    files = sorted((HERE / "photographs").glob("*.jpg"))
    for file in files:
        evaluate.judge_unlike(demo, Image.open(file), "photograph", tally)
    assert tally.asked["photograph"] >= 20
    assert tally.right["photograph"] >= 0.95 * len(files)
    assert tally.right["photograph: no finding"] == len(files)


@pytest.mark.parametrize("name", SCANS)
def test_scans_are_declined(demo: mlx_gemma.Gemma, name: str) -> None:
    """Real scans of pydicom's, none trained on, are declined: this is no medical model."""
    path = get_testdata_file(f"{name}.dcm", download=False)
    assert isinstance(path, str)
    values = pydicom.dcmread(path).pixel_array.astype(np.float32)
    frame = values[0] if values.ndim > 2 and values.shape[-1] != 3 else values
    frame = (frame - frame.min()) / max(1.0, float(np.ptp(frame))) * 255
    image = Image.fromarray(frame.astype(np.uint8)).convert("RGB")
    assert evaluate.judge_unlike(demo, image, "scan", Tally()) == words.DECLINE


@pytest.mark.parametrize("kind", list(unlike.MAKERS))
def test_made_up_pictures_are_declined(demo: mlx_gemma.Gemma, kind: str) -> None:
    """Blank, noise, text, charts and the rest, from seeds that training never used, get no finding."""
    tally = Tally()
    for seed in range(3):
        image = unlike.make(np.random.default_rng((evaluate.HELD_OUT, seed, 3)), 200, kind)
        evaluate.judge_unlike(demo, image, kind, tally)
    assert tally.right[f"{kind}: no finding"] == 3


@pytest.mark.parametrize("name", list(examples.FILMS))
def test_examples_are_described(demo: mlx_gemma.Gemma, name: str) -> None:
    """The PNG files of examples/ are what their script draws, and the demo reads each one right."""
    film, file = examples.FILMS[name], EXAMPLES / f"{name}.png"
    drawn = np.asarray(examples.pictures()[name], np.int16)
    assert np.abs(np.asarray(Image.open(file), np.int16) - drawn).mean() < 0.5
    answer = demo.chat().ask("What does this show?", [file], max_tokens=evaluate.MOST_TOKENS).text
    assert words.read_report(answer) == film.truth


def test_an_example_that_is_no_chest(demo: mlx_gemma.Gemma) -> None:
    """examples/not_a_chest.png is declined."""
    answer = demo.chat().ask("Describe this X-ray.", [EXAMPLES / "not_a_chest.png"])
    assert answer.text == words.DECLINE


def test_a_conversation(demo: mlx_gemma.Gemma) -> None:
    """Questions as people ask them, one after another, about one picture."""
    chat = demo.chat()
    said = [
        chat.ask("Is there an effusion?", [EXAMPLES / "effusion_left.png"]).text,
        chat.ask("On which side?").text,
        chat.ask("Is the heart enlarged?").text,
    ]
    assert said == [
        "Yes, there is a pleural effusion on the left.",
        "The pleural effusion is on the left.",
        "No. The heart is of normal size.",
    ]
    assert words.find(words.read_report(chat.ask("Describe the picture.").text), "effusion") == Finding(
        "effusion", "left"
    )


def test_without_a_picture_there_is_nothing_to_see(demo: mlx_gemma.Gemma) -> None:
    """Asked about a picture that was not given, the demo asks for one; asked what it is, it says so."""
    assert demo.chat().ask("Is there a pneumothorax in this X-ray?").text == words.NO_PICTURE
    assert demo.chat().ask("What are you?").text == words.ABOUT_ME


def test_the_newest_picture_is_meant(demo: mlx_gemma.Gemma) -> None:
    """A second picture, later in the same chat, is the one that is described."""
    chat = demo.chat()
    chat.ask("Describe this.", [EXAMPLES / "effusion_left.png"])
    answer = chat.ask("And this one?", [EXAMPLES / "pneumothorax_right.png"]).text
    assert words.read_report(answer) == (Finding("pneumothorax", "right"),)


def test_the_files_are_a_checkpoints_and_small(demo: mlx_gemma.Gemma) -> None:
    """The folder marks itself as the demo, holds the files that a checkpoint has, and takes at most 8 MB."""
    assert demo.config.demo
    names = {file.name for file in checkpoint.FOLDER.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.model", "generation_config.json"} <= names
    assert {"tokenizer_config.json", "preprocessor_config.json", "processor_config.json"} <= names
    assert sum(file.stat().st_size for file in checkpoint.FOLDER.iterdir()) <= 8_000_000
