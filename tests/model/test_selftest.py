"""The self-test that users run: it passes here, in each precision, and fails when a kernel does."""

from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from mlx_gemma.selftest import replay as replays
from mlx_gemma.selftest.cases import CASES
from mlx_gemma.selftest.draw import draw_weights
from mlx_gemma.selftest.folder import PRECISIONS, Precision, write_folder
from mlx_gemma.selftest.replay import GOLDEN, Replayed, replay
from tests.model.folders import case_named

SEEN = case_named("image longer than the window")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_case_passes(precision: Precision) -> None:
    """All cases agree with the reference, within the tolerance stated for the precision."""
    done = list(replay([precision]))
    assert [each.case for each in done] == [case.name for case in CASES]
    assert not [each for each in done if not each.passed]


def test_it_travels_light() -> None:
    """The golden answers take less than a fifth of a megabyte in the wheel."""
    assert GOLDEN.stat().st_size < 200_000


@pytest.mark.parametrize("name", ["two images longer than the window", "shaped like 27B"])
def test_one_golden_serves_all(tmp_path: Path, name: str) -> None:
    """bfloat16 and 4-bit hold the very numbers that float32 holds: what differs in them is arithmetic alone."""
    case = case_named(name)
    drawn = draw_weights(case.config, case.seed)
    write_folder(tmp_path, case.config, drawn, "4-bit")
    stored = mx.load(str(tmp_path / "model.safetensors"))
    assert isinstance(stored, dict)
    packed = 0
    for tensor, values in drawn.items():
        held, module = stored[tensor], tensor.removesuffix(".weight")
        if f"{module}.scales" in stored:
            packed += 1
            held = mx.dequantize(
                held, stored[f"{module}.scales"], stored[f"{module}.biases"], group_size=64, bits=4
            )
        assert held.dtype == mx.bfloat16
        np.testing.assert_array_equal(np.array(held.astype(mx.float32)), values)
    assert packed == 7 * len(case.config.get("text_config", case.config)["layer_types"]) + 1


def test_packed_weights_stay_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The 4-bit replay multiplies by quantised kernels, even where loading would rather widen."""
    used: list[str] = []
    exact = mx.quantized_matmul

    def counted(*given: Any, **options: Any) -> mx.array:
        used.append("quantized_matmul")
        return exact(*given, **options)

    monkeypatch.setattr(mx, "quantized_matmul", counted)
    assert next(iter(replay(["4-bit"], [SEEN]))).passed
    assert len(used) >= 7 * 7 + 1


def attention_without_mask(patch: pytest.MonkeyPatch) -> None:
    """Everything sees everything."""
    exact = mx.fast.scaled_dot_product_attention
    kernel = "scaled_dot_product_attention"
    patch.setattr(mx.fast, kernel, lambda *given, **options: exact(*given, **{**options, "mask": None}))


def rope_of_neighbours(patch: pytest.MonkeyPatch) -> None:
    """Pairs of neighbours are turned instead of halves."""
    exact = mx.fast.rope
    patch.setattr(
        mx.fast, "rope", lambda *given, **options: exact(*given, **{**options, "traditional": True})
    )


def norm_without_mean(patch: pytest.MonkeyPatch) -> None:
    """A norm that is a hundredth too large."""
    exact = mx.fast.rms_norm
    patch.setattr(mx.fast, "rms_norm", lambda *given: exact(*given) * 1.01)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("broken", [attention_without_mask, rope_of_neighbours])
def test_a_broken_kernel_fails(monkeypatch: pytest.MonkeyPatch, broken: Any, precision: Precision) -> None:
    """With a kernel that computes something else the case fails, in every precision."""
    broken(monkeypatch)
    (done,) = replay([precision], [SEEN])
    assert not done.passed


def test_a_slightly_broken_kernel_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32 a norm that is off by one in a hundred is enough."""
    norm_without_mean(monkeypatch)
    (done,) = replay(["float32"], [case_named("text only")])
    assert not done.passed


def test_a_broken_quantised_kernel_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quantised product that loses its biases fails 4-bit and leaves the other precisions alone."""
    exact = mx.quantized_matmul
    monkeypatch.setattr(
        mx,
        "quantized_matmul",
        lambda x, weight, scales, biases=None, **options: exact(
            x, weight, scales, mx.zeros_like(biases), **options
        ),
    )
    assert [each.passed for each in replay(PRECISIONS, [SEEN])] == [True, True, False]


def test_no_number_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits that are not numbers fail, though no comparison with them is ever true."""
    monkeypatch.setattr(replays, "answer", lambda _, case: mx.full((len(case.ids), 320), float("nan")))
    (done,) = replay(["float32"], [SEEN])
    assert not done.passed
    assert Replayed("any", "float32", 1e-4, 1e-4).passed
