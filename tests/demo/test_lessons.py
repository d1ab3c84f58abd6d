"""Lessons are the library's own prompts, and training learns from them."""

import dataclasses
from pathlib import Path

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlx.utils import tree_flatten

from mlx_gemma.demo import checkpoint, train, words
from mlx_gemma.demo.lessons import Batch, Shape, answer_places, make_batch
from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.text import control
from mlx_gemma.text.prompt import Ids, ImageSlot, Turn, render
from mlx_gemma.text.tokenizer import Tokenizer

TOKENIZER = Tokenizer.from_folder(checkpoint.FOLDER)
CONFIG = GemmaConfig.from_dict(checkpoint.config_json(TOKENIZER))
LAYOUT = checkpoint.layout(CONFIG)


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
    shape = Shape(LAYOUT, image_size=112, one_picture=4, two_pictures=1, no_picture=1)
    return make_batch((0, 2), shape, TOKENIZER)


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
    assert (batch.ids == LAYOUT.soft).sum() == len(batch.pixels) * LAYOUT.tokens_per_image
    assert batch.cells.shape[:2] == (len(batch.pixels), LAYOUT.tokens_per_image)
    assert np.abs(batch.pixels).max() <= 1


def start() -> tuple[train.Pupil, optim.Optimizer]:
    """The same fresh pupil every time."""
    config = tiny()
    mx.random.seed(0)
    pupil = train.Pupil(checkpoint.fresh(config, 0), config.decoder.hidden)
    optimizer = optim.AdamW(1e-3)
    optimizer.init(pupil.trainable_parameters())
    return pupil, optimizer


def test_training_learns_and_resumes(batch: Batch, tmp_path: Path) -> None:
    """Twelve steps on one batch halve what is left to learn; six, a saved state and six more give the same weights."""
    plan = train.Plan(steps=12, warm=1, rate=1e-2)
    whole, optimizer = start()
    losses = [train.learn(whole, optimizer, batch, plan, step) for step in range(12)]
    assert losses[-1][0] < 0.5 * losses[0][0] and losses[-1][1] < losses[0][1]

    pupil, optimizer = start()
    for step in range(6):
        train.learn(pupil, optimizer, batch, plan, step)
    train.save_state(tmp_path, 6, pupil, optimizer)
    resumed, optimizer = start()
    first = train.load_state(tmp_path, resumed, optimizer)
    for step in range(first, 12):
        train.learn(resumed, optimizer, batch, plan, step)
    for (name, a), (_, b) in zip(
        tree_flatten(whole.parameters()), tree_flatten(resumed.parameters()), strict=True
    ):
        assert mx.allclose(a, b, atol=1e-5).item(), name
