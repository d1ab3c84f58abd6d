"""`mlx_gemma doctor`: what this machine computes with, which models it has, and whether pictures are truly seen."""

import json
from dataclasses import asdict
from math import isnan
from typing import Annotated, Any

import typer

from tui import terminal


def doctor(
    model: Annotated[
        str | None, typer.Option(help="The model whose eyes are tested; else the default.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Replay the golden cases in float32, bfloat16 and 4-bit.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Examine this machine. Exit code 1: pictures do not change the answer, or a golden case fails."""
    from mlx_gemma import memory
    from mlx_gemma.library import DEMO, cached_models
    from tui.machine import this_machine
    from vision import BLAS

    found: dict[str, Any] = {
        "machine": asdict(this_machine(BLAS)),
        "free_memory_bytes": memory.available(),
        "models": [DEMO, *cached_models()],
        "eyes": _eyes(model),
        "self_test": _self_test() if self_test else None,
    }
    print(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(_lines(found)))
    if found["eyes"]["sees"] is False or not all(case["passed"] for case in found["self_test"] or ()):
        raise typer.Exit(1)


def _eyes(model: str | None) -> dict[str, Any]:
    """How far a picture moves a model's logits; `sees` is null for a model that only reads."""
    from mlx_gemma.selftest.influence import influence
    from tui.models import open_model

    gemma = open_model(model, note_demo=False)
    if gemma.config.vision is None:
        return {"model": gemma.name, "sees": None}
    with terminal.said_if_slow("looking at two pictures ..."):
        measured = influence(gemma)
    return {"model": gemma.name, "sees": measured.sees, **asdict(measured)}


def _self_test() -> list[dict[str, Any]]:
    """Every golden case in every precision; an error that is no number becomes null, as JSON has none."""
    from mlx_gemma.selftest.replay import replay

    with terminal.said_if_slow("replaying the golden cases ..."):
        done = list(replay())
    return [
        {**asdict(each), "error": None if isnan(each.error) else each.error, "passed": each.passed}
        for each in done
    ]


def _lines(found: dict[str, Any]) -> list[str]:
    from tui.info import size

    machine = found["machine"]
    rows = {
        "system": f"{machine['system']}, Python {machine['python']}, MLX {machine['mlx']}",
        "device": machine["device"],
        "BLAS": machine["blas"],
        "memory": f"{size(machine['memory_bytes'])}, of which a model may take {size(found['free_memory_bytes'])}",
        "models": ", ".join(found["models"]),
        "eyes": _eyes_in_words(found["eyes"]),
    }
    lines = [f"{key:8}{value}" for key, value in rows.items()]
    return lines if found["self_test"] is None else [*lines, *_self_test_in_words(found["self_test"])]


def _eyes_in_words(eyes: dict[str, Any]) -> str:
    if eyes["sees"] is None:
        return f"{eyes['model']} has none: it reads text only"
    verdict = "sees" if eyes["sees"] else "DOES NOT SEE"
    other, same = eyes["other_picture"], eyes["same_picture"]
    return f"{eyes['model']} {verdict}: another picture changes its logits by {other:.3g}, the same one by {same:.2g}"


def _self_test_in_words(cases: list[dict[str, Any]]) -> list[str]:
    """A line for each precision, and one for each case that failed."""
    lines: list[str] = []
    for precision in dict.fromkeys(case["precision"] for case in cases):
        group = [case for case in cases if case["precision"] == precision]
        passed = sum(case["passed"] for case in group)
        worst = max((case["error"] for case in group if case["error"] is not None), default=0.0)
        lines.append(
            f"golden  {precision}: {passed} of {len(group)} cases agree with the reference, "
            f"largest error {worst:.2g} (allowed {group[0]['tolerance']:g})"
        )
        lines += [f"        FAILED {case['case']}: {case['error']}" for case in group if not case["passed"]]
    return lines
