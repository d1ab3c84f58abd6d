"""What is kept between turns: never the wrong thing, and no less than can be."""

import random

import numpy as np
import pytest

import mlx_gemma
from mlx_gemma.generate.eyes import Shown
from mlx_gemma.generate.prompt import Prompt
from mlx_gemma.generate.session import Session, capped_chunk, pieces
from mlx_gemma.model.cache import WindowCache
from mlx_gemma.model.config import GEMMA3_4B, GEMMA3_27B
from tests.tiny_chat import picture
from vision.pixels import squares

EXACT = 1e-4


def session_of(gemma: mlx_gemma.Gemma, slack: int = 3) -> Session:
    """A session whose windows have so little slack that they are moved all the time."""
    session = Session(gemma.model, gemma.eyes)
    for layer in session.cache:
        if isinstance(layer, WindowCache):
            layer.slack = slack
    return session


def last_logits(
    gemma: mlx_gemma.Gemma, session: Session, prompt: Prompt, chunk: int | None = None
) -> np.ndarray:
    """What the session says comes after a prompt, reusing what it can."""

    def work() -> np.ndarray:
        session.rewind(prompt)
        for _, out in session.prefill(prompt, chunk):
            last = out
        return np.array(gemma.model.language_model.head(last[:, -1])[0])

    return gemma.engine.run(work)


def fresh_logits(gemma: mlx_gemma.Gemma, prompt: Prompt) -> np.ndarray:
    """The same, computed from nothing."""
    pixels = np.stack([shown.pixels for shown in prompt.pictures]) if prompt.pictures else None
    return np.array(gemma.logits(prompt.ids.tolist(), pixels))[-1]


def shown(seed: int) -> Shown:
    """A picture as the model gets it."""
    return Shown.of(squares(picture(seed), 28)[0])


def image_ids(gemma: mlx_gemma.Gemma) -> list[int]:
    """One picture's place in a text."""
    config = gemma.config
    return [config.boi_token_id, *[config.image_token_id] * config.tokens_per_image, config.eoi_token_id]


@pytest.mark.parametrize("seed", range(6))
def test_any_walk_equals_a_fresh_start(gemma: mlx_gemma.Gemma, seed: int) -> None:
    """However a conversation is continued, cut back, changed or given other pictures: as if computed from nothing."""
    dice = random.Random(seed)
    session = session_of(gemma, slack=dice.choice((1, 3, 40)))
    ids: list[int] = [gemma.config.bos_token_id]
    pictures: list[Shown] = []
    for _ in range(12):
        step = dice.choice(("extend", "extend", "look", "cut", "swap", "mark"))
        if step == "extend":
            ids += [dice.randrange(100, 500) for _ in range(dice.randrange(1, 30))]
        elif step == "look":
            ids += [*image_ids(gemma), dice.randrange(100, 500)]
            pictures.append(shown(dice.randrange(4)))
        elif step == "cut":
            ids = ids[: dice.randrange(1, len(ids) + 1)]
            while ids[-1] == gemma.config.image_token_id:
                ids.pop()
            whole = ids.count(gemma.config.image_token_id) // gemma.config.tokens_per_image
            pictures = pictures[:whole]
        elif step == "swap" and pictures:
            pictures[dice.randrange(len(pictures))] = shown(dice.randrange(4, 8))
        elif step == "mark" and session.held:
            gemma.engine.run(session.mark)
        prompt = Prompt(np.array(ids, dtype=np.int32), tuple(pictures))
        got = last_logits(gemma, session, prompt, chunk=dice.choice((1, 7, None)))
        np.testing.assert_allclose(got, fresh_logits(gemma, prompt), atol=EXACT)


def test_a_longer_prompt_computes_only_its_end(gemma: mlx_gemma.Gemma) -> None:
    """A prompt that continues what is held reuses all of that, pictures included."""
    session = session_of(gemma)
    first = Prompt(np.array([2, *image_ids(gemma), *range(100, 130)], dtype=np.int32), (shown(1),))
    last_logits(gemma, session, first)
    longer = Prompt(np.concatenate([first.ids, [200, 201]]).astype(np.int32), first.pictures)
    last_logits(gemma, session, longer)
    assert session.reused == len(first.ids)


def test_another_picture_is_noticed(gemma: mlx_gemma.Gemma) -> None:
    """The same ids with another picture share only what stands before the picture."""
    session = session_of(gemma, slack=40)
    ids = np.array([2, 100, *image_ids(gemma), 101, 102], dtype=np.int32)
    last_logits(gemma, session, Prompt(ids, (shown(1),)))
    last_logits(gemma, session, Prompt(ids, (shown(2),)))
    assert session.reused == 3


def test_a_mark_can_be_returned_to_past_the_window(gemma: mlx_gemma.Gemma) -> None:
    """When the windows have moved on, a prompt that shares the marked point starts there, not at nothing."""
    session = session_of(gemma)
    stem = list(range(100, 140))
    last_logits(gemma, session, Prompt(np.array(stem, dtype=np.int32)))
    gemma.engine.run(session.mark)
    last_logits(gemma, session, Prompt(np.array([*stem, *range(200, 240)], dtype=np.int32)))
    other = Prompt(np.array([*stem, 300, 301], dtype=np.int32))
    got = last_logits(gemma, session, other)
    assert session.reused == len(stem)
    np.testing.assert_allclose(got, fresh_logits(gemma, other), atol=EXACT)


def test_a_failed_prefill_leaves_nothing_behind(
    gemma: mlx_gemma.Gemma, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error in the middle of a prompt the session starts anew, and is right again."""
    session = session_of(gemma)
    prompt = Prompt(np.arange(100, 120, dtype=np.int32))

    def fail(*_: object) -> None:
        raise MemoryError

    last_logits(gemma, session, prompt)
    with monkeypatch.context() as patched:
        patched.setattr(type(session.model), "hidden", fail)
        with pytest.raises(MemoryError):
            last_logits(gemma, session, Prompt(np.arange(100, 140, dtype=np.int32)))
    assert session.held == 0
    np.testing.assert_allclose(last_logits(gemma, session, prompt), fresh_logits(gemma, prompt), atol=EXACT)


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 100])
def test_pieces_never_part_a_picture(chunk: int) -> None:
    """Pieces cover the prompt in order, and every run of one picture lies in one piece."""
    blocks = [0, 1, 1, 1, 0, 2, 2, 2, 3, 3, 3, 0, 0]
    cut = list(pieces(blocks, 0, chunk))
    assert [place for piece in cut for place in range(piece.start, piece.stop)] == list(range(len(blocks)))
    for piece in cut[:-1]:
        assert not (blocks[piece.stop] and blocks[piece.stop] == blocks[piece.stop - 1])
    assert len(cut) == 1 or chunk < len(blocks)


def test_the_prefill_step_bounds_the_scores() -> None:
    """Heads x step x context in float32 stays under a gigabyte for every size at full context."""
    assert capped_chunk(GEMMA3_4B, 1000) == 1024
    for config in (GEMMA3_4B, GEMMA3_27B):
        assert 4 * config.heads * capped_chunk(config, config.context) * config.context <= 1 << 30
