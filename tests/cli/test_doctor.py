"""`mlx_gemma doctor`: the machine as it is, and a model that does not look is found out."""

import json
import shutil
from pathlib import Path
from typing import cast

import mlx.core as mx
import pytest

from tests.cli.conftest import Run, said
from vision.backend import Blas, load_blas


@pytest.fixture
def blind(seeing: Path, tmp_path: Path) -> Path:
    """A checkpoint whose projector lets nothing through: every picture looks the same to its decoder."""
    folder = shutil.copytree(seeing, tmp_path / "blind")
    tensors = cast("dict[str, mx.array]", mx.load(str(folder / "model.safetensors")))
    mx.eval(tensors)  # read before the file is written over
    name = "multi_modal_projector.mm_input_projection_weight"
    tensors[name] = mx.zeros_like(tensors[name])
    mx.save_safetensors(str(folder / "model.safetensors"), tensors)
    return folder


def test_a_seeing_model_passes(run: Run, seeing: Path) -> None:
    """Another picture changes the logits, the same picture does not."""
    done = run("doctor", "--model", seeing, "--json")
    eyes = json.loads(done.stdout)["eyes"]
    assert (done.returncode, eyes["model"], eyes["sees"]) == (0, "seeing", True)
    assert eyes["other_picture"] > 0.1
    assert eyes["same_picture"] == 0


def test_a_blind_model_is_found_out(run: Run, blind: Path) -> None:
    """A model that ignores its pictures fails the examination, in words, with exit code 1."""
    done = run("doctor", "--model", blind)
    assert done.returncode == 1
    assert "eyes    blind DOES NOT SEE" in done.stdout


def test_a_text_model_has_no_eyes(run: Run, reading: Path) -> None:
    """Having no eyes is no fault."""
    done = run("doctor", "--model", reading, "--json")
    assert (done.returncode, json.loads(done.stdout)["eyes"]) == (0, {"model": "reading", "sees": None})


def test_cached_models_are_listed(run: Run, seeing: Path, environment: dict[str, str]) -> None:
    """A MedGemma in the hub's cache is found by its repository's name, and is the default model, announced."""
    repository = Path(environment["HF_HOME"]) / "hub" / "models--google--medgemma-4b-it"
    shutil.copytree(seeing, repository / "snapshots" / "abc")
    done = run("doctor", "--json")
    assert json.loads(done.stdout)["models"] == ["demo", "google/medgemma-4b-it"]
    assert json.loads(done.stdout)["eyes"]["sees"] is True
    assert said(done.stderr) == ["model: google/medgemma-4b-it from the hub's cache"]


def test_blas_is_the_one_loaded(run: Run, seeing: Path, environment: dict[str, str]) -> None:
    """Doctor names the BLAS that was picked up, and what to install where none was."""
    here: Blas = load_blas()
    said = json.loads(run("doctor", "--model", seeing, "--json").stdout)["machine"]
    assert said["blas_fast"] == (here.library is not None or not here.needed)
    if here.needed:
        assert here.library is None or said["blas"] == here.library
        environment["MLX_GEMMA_BLAS"] = "off"
        without = json.loads(run("doctor", "--model", seeing, "--json").stdout)["machine"]
        assert not without["blas_fast"]
        assert "libopenblas" in without["blas"]


def test_late_blas_is_said_to_be_late() -> None:
    """A BLAS that was loaded after MLX helps nobody, and is not claimed to."""
    from tui.machine import blas_in_words

    late = Blas(library="libopenblas.so.0", too_late=True, needed=True)
    assert "came too late" in blas_in_words(late)
    assert not late.fast


def test_self_test_replays_every_case(run: Run, seeing: Path) -> None:
    """`--self-test` runs every golden case in float32, bfloat16 and 4-bit on this device, and all pass."""
    from mlx_gemma.selftest.cases import CASES

    done = run("doctor", "--model", seeing, "--self-test", "--json")
    cases = json.loads(done.stdout)["self_test"]
    assert done.returncode == 0
    assert {(case["case"], case["precision"]) for case in cases} == {
        (case.name, precision) for case in CASES for precision in ("float32", "bfloat16", "4-bit")
    }
    assert all(case["passed"] for case in cases)
