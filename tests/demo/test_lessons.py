"""Lessons are the library's own prompts, and training learns from them."""

import dataclasses
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlx.utils import tree_flatten

import mlx_gemma
from mlx_gemma.demo import checkpoint, train, words
from mlx_gemma.demo.exposures import Eye
from mlx_gemma.demo.lessons import Batch, Shape, answer_places, make_batch
from mlx_gemma.demo.pupil import Plan, Pupil, learn, make_optimizer, quick_gelu
from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.text import control
from mlx_gemma.text.prompt import Ids, ImageSlot, Turn, render
from mlx_gemma.text.tokenizer import Tokenizer

TOKENIZER = Tokenizer.from_folder(checkpoint.FOLDER)
CONFIG = GemmaConfig.from_dict(checkpoint.config_json(TOKENIZER))
LAYOUT = checkpoint.layout(CONFIG)
EYE = Eye(size=112, grid=8)
PLAN = Plan(look=4, steps=12, warm=1, rate=1e-2)


def tiny() -> GemmaConfig:
    """The demo with two narrow layers in each half."""
    assert CONFIG.vision is not None
    decoder = dataclasses.replace(
        CONFIG.decoder, layers=2, hidden=32, mlp=32, head_dim=8, global_layers=frozenset({1})
    )
    return dataclasses.replace(
        CONFIG, decoder=decoder, vision=dataclasses.replace(CONFIG.vision, hidden=32, layers=1, mlp=32)
    )


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Six small conversations."""
    return make_batch((0, 2), Shape(one_picture=4, two_pictures=1, no_picture=1), EYE, TOKENIZER, LAYOUT)


@given(st.text())
def test_any_text_survives_the_vocabulary(text: str) -> None:
    """Every string encodes without a control piece and decodes to itself."""
    ids = TOKENIZER.encode(text)
    assert not TOKENIZER.control_ids.intersection(ids)
    assert TOKENIZER.decode(ids) == text


def test_the_model_learns_only_what_it_is_to_say() -> None:
    """The learned places of a two-turn conversation spell its two answers, each with its end of turn."""
    said = [Ids(tuple(TOKENIZER.encode(text))) for text in (words.CLEAR, words.WELCOME)]
    turns = [
        Turn("user", (ImageSlot(), "The model\nanswers?")),
        Turn("model", (said[0],)),
        Turn("user", ("model\n",)),
        Turn("model", (said[1],)),
    ]
    ids = np.array([render(turns, None, TOKENIZER, LAYOUT, open_model_turn=False)], np.int32)
    end = TOKENIZER.control(control.END_TURN)
    assert ids[answer_places(ids, TOKENIZER)].tolist() == [*said[0].ids, end, *said[1].ids, end]


def test_a_batch_has_a_place_for_every_picture(batch: Batch) -> None:
    """Soft tokens, pixels and cells agree on the number of pictures."""
    pixels = batch.pictures.pixels
    assert (batch.ids == LAYOUT.soft).sum() == len(pixels) * LAYOUT.tokens_per_image
    assert batch.pictures.patches.shape[:2] == (len(pixels), EYE.grid**2)
    assert len(batch.pictures.findings) == len(pixels)
    assert np.abs(pixels).max() <= 1


def start() -> tuple[Pupil, optim.MultiOptimizer]:
    """The same fresh pupil every time."""
    config = tiny()
    mx.random.seed(0)
    pupil = Pupil(checkpoint.fresh(config, 0), config)
    return pupil, make_optimizer(pupil, PLAN)


def study(pupil: Pupil, optimizer: optim.MultiOptimizer, batch: Batch, first: int, last: int) -> list[float]:
    """What was left to say at each step of a stretch of the plan."""
    return [
        learn(pupil, optimizer, step, PLAN, batch.pictures if step < PLAN.look else batch)[0]
        for step in range(first, last)
    ]


def test_training_learns_and_resumes(batch: Batch, tmp_path: Path) -> None:
    """A dozen steps on one batch halve what is left to say; stopped midway, saved and resumed, they end the same."""
    whole, optimizer = start()
    left = study(whole, optimizer, batch, 0, 12)
    assert left[-1] < 0.5 * left[PLAN.look]

    pupil, optimizer = start()
    study(pupil, optimizer, batch, 0, 6)
    train.save_state(tmp_path, 6, pupil, optimizer)
    resumed, optimizer = start()
    study(resumed, optimizer, batch, train.load_state(tmp_path, resumed, optimizer), 12)
    for (name, a), (_, b) in zip(
        tree_flatten(whole.parameters()), tree_flatten(resumed.parameters()), strict=True
    ):
        assert mx.allclose(a, b, atol=1e-5).item(), name


def test_the_quick_gelu_is_the_models() -> None:
    """What stands in for GELU in training differs from it by less than bfloat16's own rounding of numbers near 1."""
    x = mx.linspace(-10, 10, 2001)
    assert mx.abs(quick_gelu(x) - nn.gelu_approx(x)).max().item() < 2**-8


def test_what_is_stored_is_what_was_trained(tmp_path: Path) -> None:
    """Written as a checkpoint and loaded by the library, a model gives the same features up to rounding."""
    model = checkpoint.fresh(CONFIG, seed=3)
    checkpoint.write(model, TOKENIZER, tmp_path)
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, 112, 112, 3)).astype(np.float32)
    loaded = mlx_gemma.load(tmp_path, dtype="float32").image_features(pixels)
    assert mx.abs(loaded - model.image_features(mx.array(pixels))).max().item() < 0.1
