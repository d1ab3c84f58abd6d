"""Trains the demo model with MLX: python -m mlx_gemma.demo.train

First the tower learns to see: each patch, which findings lie in it, and each image token, which findings the whole
picture has, and on which side. Probes read that and are thrown away afterwards. Then the decoder learns to say what
is seen, while the probes go on. Without them, a tower this small would need far more pictures to see anything.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import cast

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_unflatten

from mlx_gemma.demo import checkpoint
from mlx_gemma.demo.exposures import Eye, Pictures, make_pictures
from mlx_gemma.demo.lessons import Batch, Shape, make_batch
from mlx_gemma.demo.pupil import Plan, Pupil, learn, make_optimizer, quick_gelu
from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.tree import named, place
from mlx_gemma.text.tokenizer import Tokenizer

PICTURES = 24  # in a step of the first stage

Work = Pictures | Batch


def works(seed: int, first: int, plan: Plan) -> Iterator[Work]:
    """The pictures or conversations of the steps from `first` on, drawn ahead by another process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        ahead: deque[Future[Work]] = deque()
        for step in range(first, plan.steps):
            while len(ahead) < 8 and (at := step + len(ahead)) < plan.steps:
                ahead.append(pool.submit(make, seed, at, at < plan.look))
            yield ahead.popleft().result()


def make(seed: int, step: int, looking: bool) -> Work:
    """The work of one step, always the same."""
    tokenizer = Tokenizer.from_folder(checkpoint.FOLDER)
    config = GemmaConfig.from_dict(checkpoint.config_json(tokenizer))
    assert config.vision is not None
    eye = Eye(config.vision.image_size, config.vision.grid)
    if looking:
        return make_pictures((seed, step), eye, PICTURES)
    return make_batch((seed, step), Shape(), eye, tokenizer, checkpoint.layout(config))


def save_state(folder: Path, step: int, pupil: Pupil, optimizer: optim.MultiOptimizer) -> None:
    """Everything needed to go on from here."""
    state = {f"pupil.{k}": v for k, v in named(pupil.parameters()).items()}
    state |= {f"optimizer.{k}": v for k, v in named(optimizer.state).items()}
    mx.save_safetensors(str(folder / "state.new.safetensors"), state, {"step": str(step)})
    (folder / "state.new.safetensors").rename(folder / "state.safetensors")


def load_state(folder: Path, pupil: Pupil, optimizer: optim.MultiOptimizer) -> int:
    """The step to go on from; 0 when there is no state."""
    file = folder / "state.safetensors"
    if not file.is_file():
        return 0
    loaded = mx.load(str(file), return_metadata=True)
    state, facts = cast("tuple[dict[str, mx.array], dict[str, str]]", loaded)

    def part(prefix: str) -> list[tuple[str, mx.array]]:
        return [
            (name.removeprefix(prefix), value) for name, value in state.items() if name.startswith(prefix)
        ]

    place(pupil, part("pupil."))
    optimizer.state = tree_unflatten(part("optimizer."))
    return int(facts["step"])


def main() -> None:
    """Train, or go on training, and write the checkpoint."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=checkpoint.FOLDER, help="the checkpoint's folder")
    options.add_argument(
        "--state", type=Path, default=Path("build/demo"), help="where to keep what is unfinished"
    )
    options.add_argument("--look", type=int, default=Plan.look, help="steps of the first stage")
    options.add_argument("--steps", type=int, default=Plan.steps, help="steps in all")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    plan = Plan(look=given.look, steps=given.steps)
    given.state.mkdir(parents=True, exist_ok=True)
    nn.gelu_approx = quick_gelu  # the model's modules look it up there
    tokenizer = Tokenizer.from_folder(checkpoint.FOLDER)
    config = GemmaConfig.from_dict(checkpoint.config_json(tokenizer))
    mx.random.seed(given.seed)
    pupil = Pupil(checkpoint.fresh(config, given.seed), config)
    optimizer = make_optimizer(pupil, plan)
    first = load_state(given.state, pupil, optimizer)
    started, recent = time.monotonic(), deque[tuple[float, float]](maxlen=50)
    with (given.state / "train.log").open("a", encoding="utf-8") as log:
        for step, work in enumerate(works(given.seed, first, plan), first):
            recent.append(learn(pupil, optimizer, step, plan, work))
            if (step + 1) % 50 == 0:
                say, see = np.mean(recent, axis=0).tolist()
                line = {"step": step + 1, "say": round(say, 4), "see": round(see, 4)}
                line |= {
                    "rates": [float(f"{rate:.2g}") for rate in plan.rates_at(step)],
                    "seconds": round(time.monotonic() - started),
                }
                print(json.dumps(line), flush=True)
                print(json.dumps(line), file=log, flush=True)
            if (step + 1) % 200 == 0 or step + 1 == plan.steps:
                save_state(given.state, step + 1, pupil, optimizer)
                checkpoint.write(pupil.gemma, tokenizer, given.out)


if __name__ == "__main__":
    main()
