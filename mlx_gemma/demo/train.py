"""Trains the demo model with MLX: python -m mlx_gemma.demo.train

Two things are learned at once: to say the answer (cross entropy of the answers' ids), and to know what lies where
(for each image token, which findings its part of the picture holds). The second is read by a probe that is thrown
away; it is what makes a tower learn to see from 50,000 drawings instead of millions.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten

from mlx_gemma.demo import checkpoint
from mlx_gemma.demo.film import KINDS
from mlx_gemma.demo.lessons import Batch, Shape, make_batch
from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.multimodal import Gemma3
from mlx_gemma.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Plan:
    """How long and how fast: `steps` batches, the rate warm for `warm` steps, then flat, then falling to nothing."""

    steps: int = 1800
    warm: int = 60
    fall: float = 0.35
    rate: float = 1.2e-3
    decay: float = 0.02
    clip: float = 1.0
    probe_weight: float = 3.0

    def rate_at(self, step: int) -> float:
        left = (self.steps - step) / (self.fall * self.steps)
        return self.rate * min(1.0, (step + 1) / self.warm, max(left, 0.01))


class Pupil(nn.Module):
    """The model with the probe that reads its image features."""

    def __init__(self, gemma: Gemma3, width: int) -> None:
        super().__init__()
        self.gemma = gemma
        self.probe = nn.Linear(width, len(KINDS) + 1)

    def losses(self, batch: Batch) -> tuple[mx.array, mx.array]:
        """(cross entropy of an answer's id, binary cross entropy of a cell's findings), means in nats."""
        features = self.gemma.image_features(mx.array(batch.pixels))
        hidden = self.gemma.hidden(batch.ids, features)
        said = np.flatnonzero(batch.answers)
        before = hidden.reshape(-1, hidden.shape[-1])[
            mx.array(said - 1)
        ]  # a place's id is foretold one place before
        logits = self.gemma.language_model.head(before)
        say = nn.losses.cross_entropy(logits, mx.array(batch.ids.reshape(-1)[said]), reduction="mean")
        see = nn.losses.binary_cross_entropy(self.probe(features), mx.array(batch.cells), reduction="mean")
        return say, see


def learn(
    pupil: Pupil, optimizer: optim.Optimizer, batch: Batch, plan: Plan, step: int
) -> tuple[float, float]:
    """One step; the two losses before it."""

    def loss(batch: Batch) -> tuple[mx.array, mx.array, mx.array]:
        say, see = pupil.losses(batch)
        return say + plan.probe_weight * see, say, see

    (_, say, see), grads = nn.value_and_grad(pupil, loss)(batch)
    grads, _ = optim.clip_grad_norm(grads, plan.clip)
    optimizer.learning_rate = mx.array(plan.rate_at(step))
    optimizer.update(pupil, grads)
    mx.eval(pupil.parameters(), optimizer.state, say, see)
    return say.item(), see.item()


def batches(seed: int, first: int, steps: int, shape: Shape, vocabulary: Path) -> Iterator[Batch]:
    """Batches `first` to `steps`, drawn ahead by another process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        ahead: deque[Future[Batch]] = deque()
        for step in range(first, steps):
            while len(ahead) < 8 and step + len(ahead) < steps:
                ahead.append(pool.submit(_make, (seed, step + len(ahead)), shape, vocabulary))
            yield ahead.popleft().result()


def _make(seed: tuple[int, int], shape: Shape, vocabulary: Path) -> Batch:
    return make_batch(seed, shape, Tokenizer.from_file(vocabulary))


def save_state(folder: Path, step: int, pupil: Pupil, optimizer: optim.Optimizer) -> None:
    """Everything needed to go on from here."""
    state = {f"pupil.{k}": v for k, v in tree_flatten(pupil.parameters())}
    state |= {f"optimizer.{k}": v for k, v in tree_flatten(optimizer.state)}
    mx.save_safetensors(str(folder / "state.new.safetensors"), state, {"step": str(step)})
    (folder / "state.new.safetensors").rename(folder / "state.safetensors")


def load_state(folder: Path, pupil: Pupil, optimizer: optim.Optimizer) -> int:
    """The step to go on from; 0 when there is no state."""
    file = folder / "state.safetensors"
    if not file.is_file():
        return 0
    state, facts = mx.load(str(file), return_metadata=True)
    part = {
        p: [(k[len(p) :], v) for k, v in state.items() if k.startswith(p)] for p in ("pupil.", "optimizer.")
    }
    pupil.update(tree_unflatten(part["pupil."]))
    optimizer.state = tree_unflatten(part["optimizer."])
    return int(facts["step"])


def main() -> None:
    """Train, or go on training, and write the checkpoint."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=checkpoint.FOLDER, help="the checkpoint's folder")
    options.add_argument(
        "--state", type=Path, default=Path("build/demo"), help="where to keep what is unfinished"
    )
    options.add_argument("--steps", type=int, default=Plan.steps)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    plan = Plan(steps=given.steps)
    given.state.mkdir(parents=True, exist_ok=True)
    vocabulary = checkpoint.FOLDER / "tokenizer.model"
    tokenizer = Tokenizer.from_file(vocabulary)
    config = GemmaConfig.from_dict(checkpoint.config_json(tokenizer))
    assert config.vision is not None
    mx.random.seed(given.seed)
    pupil = Pupil(checkpoint.fresh(config, given.seed), config.decoder.hidden)
    optimizer = optim.AdamW(plan.rate, betas=[0.9, 0.98], weight_decay=plan.decay)
    optimizer.init(pupil.trainable_parameters())
    first = load_state(given.state, pupil, optimizer)
    shape = Shape(checkpoint.layout(config), config.vision.image_size)
    log = (given.state / "train.log").open("a", encoding="utf-8")
    started, recent = time.monotonic(), deque[tuple[float, float]](maxlen=50)
    for step, batch in enumerate(batches(given.seed, first, plan.steps, shape, vocabulary), first):
        recent.append(learn(pupil, optimizer, batch, plan, step))
        if (step + 1) % 50 == 0:
            say, see = np.mean(recent, axis=0).tolist()
            line = {"step": step + 1, "say": round(say, 4), "see": round(see, 4)}
            line |= {"rate": round(plan.rate_at(step), 6), "seconds": round(time.monotonic() - started)}
            print(json.dumps(line), file=log, flush=True)
            print(json.dumps(line), flush=True)
        if (step + 1) % 200 == 0 or step + 1 == plan.steps:
            save_state(given.state, step + 1, pupil, optimizer)
            checkpoint.write(pupil.gemma, tokenizer, given.out)


if __name__ == "__main__":
    main()
