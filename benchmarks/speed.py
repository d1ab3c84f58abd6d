"""Decoding, reading a prompt and loading on the real 270M in float32, ours beside mlx-lm's.

Both sides in one process with the same BLAS, each through its own generation (`Gemma.stream_ids`, and mlx-lm's
`generate_step`), greedily, on the same ids; the ids they make must be the same. "Prefill" is a prompt's tokens by the
seconds to the first token. "Decode" counts the tokens after the first. A load's peak is MLX's own count of bytes in a
fresh process, against the weights as held.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import utils

import mlx_gemma
from benchmarks import rival
from benchmarks.paired import Result, Target, paired, report

TEXT = (
    "The heart is a muscular organ that pumps blood through the vessels of the body. It has four chambers: two atria, "
    "which receive the blood, and two ventricles, which send it on. "
)
DECODED = 48  # tokens of which a decode figure is the mean
PREFILL = (128, 512, 1024)
AT_LEAST_AS_FAST = Target("at least", 1.0)

Generate = Callable[[list[int], int], Iterator[int]]  # a prompt and how many tokens to make


def prefill(generate: Generate, ids: list[int]) -> float:
    """Tokens of the prompt a second, up to the first token made."""
    began = time.perf_counter()
    next(iter(generate(ids, 1)))
    return len(ids) / (time.perf_counter() - began)


def decode(generate: Generate, ids: list[int]) -> float:
    """Tokens a second after the first."""
    made = generate(ids, DECODED + 1)
    next(made)
    began = time.perf_counter()
    count = sum(1 for _ in made)
    if count != DECODED:
        raise RuntimeError(f"the model stopped after {count} tokens; a decode figure needs {DECODED}")
    return count / (time.perf_counter() - began)


def prompt(gemma: mlx_gemma.Gemma) -> list[int]:
    """More ids of plain text than any figure needs."""
    return [gemma.config.bos_token_id, *gemma.tokenizer.encode(TEXT * 40)]


def compare(pairs: int, lengths: tuple[int, ...]) -> list[Result]:
    folder = rival.folder_for_both()
    gemma = mlx_gemma.load(folder, dtype="float32")
    ours: Generate = lambda ids, count: gemma.stream_ids(ids, max_tokens=count)  # noqa: E731
    theirs: Generate = partial(rival.generate, rival.load(folder))
    text = prompt(gemma)
    said = [list(generate(text[:64], DECODED)) for generate in (ours, theirs)]
    if said[0] != said[1]:
        raise RuntimeError(f"the two do not say the same: {said}")
    cases: list[tuple[str, Callable[[Generate, list[int]], float], int]] = [
        ("decode after 64 tokens", decode, 64),
        *((f"prefill of {length} tokens", prefill, length) for length in lengths),
    ]
    return [
        paired(
            name,
            "tokens/s",
            partial(measure, ours, text[:length]),
            partial(measure, theirs, text[:length]),
            pairs=pairs,
            target=AT_LEAST_AS_FAST,
        )
        for name, measure, length in cases
    ]


def load_once(side: str, folder: Path) -> dict[str, int]:
    """Load in this process; bytes at MLX's peak, and of the weights as they are held then."""
    model: Any = mlx_gemma.load(folder).model if side == "ours" else rival.load(folder)
    leaves: Any = utils.tree_flatten(model.parameters())
    held = sum(value.nbytes for _, value in leaves)
    return {"peak": mx.get_peak_memory(), "held": held}


def in_bfloat16() -> Path:
    """The same weights as most repositories have them, which are widened at load where there is no GPU."""
    source = rival.folder_for_both()
    made = source.with_name("gemma-3-270m-bfloat16")
    if not (made / "config.json").is_file():
        made.mkdir(exist_ok=True)
        weights: Any = mx.load(str(source / "model.safetensors"))
        narrowed = {name: value.astype(mx.bfloat16) for name, value in weights.items()}
        mx.save_safetensors(str(made / "model.safetensors"), narrowed, {"format": "pt"})
        config = json.loads((source / "config.json").read_text())
        (made / "config.json").write_text(json.dumps({**config, "torch_dtype": "bfloat16"}))
    return made


def loads() -> list[Result]:
    """Peak of a load over the weights as held: ours of float32 and bfloat16 files, and mlx-lm's of float32."""

    def measured(side: str, folder: Path) -> dict[str, int]:
        command = [sys.executable, "-m", "benchmarks.speed", "--load", side, str(folder)]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    both, narrow = rival.folder_for_both(), in_bfloat16()
    cases = (
        ("load of float32: peak, weights held", "ours", both, Target("at most", 1.1)),
        ("load of bfloat16: peak, weights held", "ours", narrow, Target("at most", 1.1)),
        ("mlx-lm's load of float32: peak, weights held", "theirs", both, None),
    )
    results: list[Result] = []
    for name, side, folder, target in cases:
        taken = measured(side, folder)
        results.append(Result(name, "GB", (taken["peak"] / 1e9,), (taken["held"] / 1e9,), target))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--prefill", type=int, nargs="*", default=PREFILL, help="lengths of prompts")
    parser.add_argument("--json", type=Path, dest="json_file")
    parser.add_argument("--load", nargs=2, metavar=("SIDE", "FOLDER"), help="measure one load; for the above")
    options = parser.parse_args()
    if options.load:
        print(json.dumps(load_once(options.load[0], Path(options.load[1]))))
        return
    results = [*compare(options.pairs, tuple(options.prefill)), *loads()]
    report("Decode, prefill and load", __doc__ or "", results, options.json_file)


if __name__ == "__main__":
    main()
