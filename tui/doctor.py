"""`mlx_gemma doctor`: what this machine computes with, which models it has, and whether pictures are truly seen."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from mlx_gemma import memory
from mlx_gemma.library import DEMO, cached_models
from mlx_gemma.selftest.influence import influence
from tui import models, terminal
from tui.info import size
from tui.machine import this_machine
from vision import BLAS


def doctor(
    model: Annotated[
        str | None, typer.Option(help="The model whose eyes are tested; else the default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Examine this machine. Exit code 1: pictures do not change the answer, or a golden case fails."""
    found: dict[str, Any] = {
        "machine": asdict(this_machine(BLAS)),
        "free_memory_bytes": memory.available(),
        "models": [DEMO, *cached_models()],
        "eyes": _eyes(model),
    }
    print(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(_lines(found)))
    if found["eyes"]["sees"] is False:
        raise typer.Exit(1)


def _eyes(model: str | None) -> dict[str, Any]:
    """What a picture does to a model's logits; null figures for a model that only reads."""
    gemma = models.open_model(model, note_demo=False)
    if gemma.config.vision is None:
        return {"model": gemma.name, "sees": None}
    with terminal.said_if_slow("looking at two pictures ..."):
        measured = influence(gemma)
    return {"model": gemma.name, "sees": measured.sees, **asdict(measured)}


def _lines(found: dict[str, Any]) -> list[str]:
    machine, eyes = found["machine"], found["eyes"]
    rows = {
        "system": f"{machine['system']}, Python {machine['python']}, MLX {machine['mlx']}",
        "device": machine["device"],
        "BLAS": machine["blas"],
        "memory": f"{size(machine['memory_bytes'])}, of which a model may take {size(found['free_memory_bytes'])}",
        "models": ", ".join(found["models"]),
        "eyes": _eyes_in_words(eyes),
    }
    return [f"{key:8}{value}" for key, value in rows.items()]


def _eyes_in_words(eyes: dict[str, Any]) -> str:
    if eyes["sees"] is None:
        return f"{eyes['model']} has none: it reads text only"
    verdict = "sees" if eyes["sees"] else "DOES NOT SEE"
    other, same = eyes["other_picture"], eyes["same_picture"]
    return f"{eyes['model']} {verdict}: another picture changes its logits by {other:.3g}, the same one by {same:.1g}"
