"""One step of learning: the model with its probes, its two losses, the rates and the optimiser.

N pictures  P patches  M tokens a picture  R conversations  L tokens  K, F see exposures.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np

from mlx_gemma.demo.exposures import SEEN, Pictures
from mlx_gemma.demo.film import KINDS
from mlx_gemma.demo.lessons import Batch
from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.multimodal import Gemma3


@dataclass(frozen=True)
class Plan:
    """How long and how fast. Either stage starts warm for `warm` steps.

    look: steps of pictures only; after `coarse` of them the tower goes on at `slower` of its rate.
    steps: all steps, those of conversations included. fall: the part of these in which all rates fall to 0.
    """

    look: int = 3000
    coarse: int = 1600
    steps: int = 4090
    warm: int = 40
    fall: float = 0.6
    rate: float = 1e-3
    slower: float = 0.4
    decay: float = 0.02
    clip: float = 1.0
    probe_weight: float = 2.0

    def rates_at(self, step: int) -> tuple[float, float, float]:
        """Rates of one step for the patch embedding, the rest of the tower, and the decoder.

        The patch embedding has a tenth: its 588 inputs rise and fall together.
        """
        since = step if step < self.look else step - self.look
        left = (self.steps - step) / (self.fall * (self.steps - self.look))
        rate = self.rate * min(1.0, (since + 1) / self.warm, max(left, 0.01))
        tower = rate if step < self.coarse else self.slower * rate
        return 0.1 * tower, tower, rate


class Pupil(nn.Module):
    """The model with the probes that read its tower, patch by patch, and its image tokens."""

    def __init__(self, gemma: Gemma3, config: GemmaConfig) -> None:
        super().__init__()
        assert config.vision is not None
        self.gemma = gemma
        self.patch_probe = nn.Linear(config.vision.hidden, len(KINDS) + 1)
        self.token_probe = nn.Linear(config.decoder.hidden, len(SEEN) + 1)

    def see(self, pictures: Pictures) -> tuple[mx.array, mx.array]:
        """Image features (N, M, hidden), and the probes' binary cross entropies, mean nats, added."""
        patches = self.gemma.vision_tower(mx.array(pictures.pixels))  # N P D
        tokens = self.gemma.multi_modal_projector(patches)  # N M hidden
        fine = nn.losses.binary_cross_entropy(self.patch_probe(patches), mx.array(pictures.patches))
        found = self.token_probe(tokens)  # N M F
        truth = mx.broadcast_to(mx.array(pictures.findings)[:, None], found.shape)
        return tokens, fine + nn.losses.binary_cross_entropy(found, truth)

    def say(self, batch: Batch, features: mx.array) -> mx.array:
        """Mean cross entropy of an id of an answer, in nats."""
        hidden = self.gemma.hidden(batch.ids, features)  # R L hidden
        said = np.flatnonzero(batch.answers)
        before = hidden.reshape(-1, hidden.shape[-1])[mx.array(said - 1)]  # one place foretells the next
        logits = self.gemma.language_model.head(before)
        return nn.losses.cross_entropy(logits, mx.array(batch.ids.reshape(-1)[said]), reduction="mean")


def make_optimizer(pupil: Pupil, plan: Plan) -> optim.MultiOptimizer:
    """AdamW for the three parts that `Plan.rates_at` tells apart."""
    parts = [optim.AdamW(plan.rate, betas=[0.9, 0.98], weight_decay=plan.decay) for _ in range(3)]

    def is_patches(name: str, _: mx.array) -> bool:
        return "patch_embedding" in name

    def is_seeing(name: str, _: mx.array) -> bool:
        return "language_model" not in name

    optimizer = optim.MultiOptimizer(parts, [is_patches, is_seeing])
    optimizer.init(pupil.trainable_parameters())
    return optimizer


def learn(
    pupil: Pupil, optimizer: optim.MultiOptimizer, step: int, plan: Plan, work: Pictures | Batch
) -> tuple[float, float]:
    """One step on pictures, or on conversations about them; the losses (say, see) before it, say 0 for pictures."""

    def loss(work: Pictures | Batch) -> tuple[mx.array, mx.array, mx.array]:
        if isinstance(work, Pictures):
            _, see = pupil.see(work)
            return see, mx.array(0.0), see
        features, see = pupil.see(work.pictures)
        say = pupil.say(work, features)
        return say + plan.probe_weight * see, say, see

    graded = cast(
        "Callable[..., tuple[tuple[mx.array, mx.array, mx.array], Any]]", nn.value_and_grad(pupil, loss)
    )
    (_, say, see), grads = graded(work)
    grads, _ = optim.clip_grad_norm(grads, plan.clip)
    parts = cast("list[optim.Optimizer]", optimizer.optimizers)
    for part, rate in zip(parts, plan.rates_at(step), strict=True):
        part.learning_rate = mx.array(rate)
    optimizer.update(pupil, grads)
    mx.eval(pupil.parameters(), optimizer.state, say, see)
    return cast("float", say.item()), cast("float", see.item())


@mx.compile
def quick_gelu(x: mx.array) -> mx.array:
    """nn.gelu_approx to 3e-4, its tanh a ratio of polynomials: on MLX's CPU backend tanh takes most of a step."""
    u = mx.clip(0.7978845608 * (x + 0.044715 * x * x * x), -5, 5)
    q = u * u
    tanh = u * (135135 + q * (17325 + q * (378 + q))) / (135135 + q * (62370 + q * (3150 + 28 * q)))
    return 0.5 * x * (1 + tanh)
