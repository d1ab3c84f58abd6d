"""Replay the golden cases on this device, each in the precisions that checkpoints ship in, through the usual `load`."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import mlx.core as mx
import numpy as np

from mlx_gemma.gemma import Gemma, load
from mlx_gemma.selftest.cases import CASES, KEPT_COLUMNS, Case, draw_past, draw_pixels
from mlx_gemma.selftest.draw import Floats, draw_weights
from mlx_gemma.selftest.folder import PRECISIONS, Precision, write_folder

GOLDEN = Path(__file__).with_name("golden.safetensors")

# The largest error allowed of a logit of order 1. Seen on a CPU, over all cases: 1.4e-5, 0.13 and 0.31 (there quantised
# products are summed in bfloat16; a GPU sums them in float32). A mask one key too wide is off by 0.06 to 4.
TOLERANCE: Mapping[Precision, float] = {"float32": 1e-4, "bfloat16": 0.25, "4-bit": 0.6}


@dataclass(frozen=True)
class Replayed:
    """One case in one precision. error: the largest distance of a logit from the reference's; nan if not a number."""

    case: str
    precision: Precision
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        return self.error <= self.tolerance  # which nan is not


def replay(
    precisions: Sequence[Precision] = PRECISIONS, cases: Sequence[Case] = CASES, golden: Path = GOLDEN
) -> Iterator[Replayed]:
    """Load and run each case in each precision, one after another, and say how far off it is."""
    wanted = cast("dict[str, mx.array]", mx.load(str(golden)))
    for case in cases:
        weights = draw_weights(case.config, case.seed)
        for precision in precisions:
            with tempfile.TemporaryDirectory(prefix="mlx_gemma_") as folder:
                write_folder(Path(folder), case.config, weights, precision)
                gemma = load(folder, dtype="float32" if precision == "float32" else "bfloat16", widen=False)
                logits: Floats = np.asarray(answer(gemma, case), dtype=np.float32)
            off = np.abs(logits[:, KEPT_COLUMNS] - np.array(wanted[f"{case.name}/logits"]))
            yield Replayed(case.name, precision, float(off.max()), TOLERANCE[precision])


def answer(gemma: Gemma, case: Case) -> mx.array:
    """The logits of a case's ids (L, vocabulary), its past put into the caches first where it has one."""
    if not case.past:
        return gemma.logits(case.ids, draw_pixels(case))
    language_model, past = gemma.model.language_model, draw_past(case)

    def work() -> mx.array:
        cache = language_model.make_cache()
        dtype = language_model.model.embed(mx.array([case.ids])).dtype
        keys, values = (mx.array(each)[None].astype(dtype) for each in past)
        for layer in cache:
            layer.update_and_fetch(keys, values)
        logits = language_model(mx.array([case.ids]), cache)[0].astype(mx.float32)
        mx.eval(logits)
        return logits

    return gemma.engine.run(work)
