"""The real Gemma 3 270M: what transformers makes of the same GGUF, read and dequantised by transformers itself."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import mlx_gemma
from mlx_gemma.gemma import Gemma

pytestmark = pytest.mark.real_weights

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "gemma_3_270m.json").read_text(encoding="utf-8")
)
EXACT = 1e-3  # its logits reach 42


@pytest.fixture(scope="module")
def gemma(real_270m: Path) -> Gemma:
    """The checkpoint in float32, 1.07 GB."""
    return mlx_gemma.load(real_270m, dtype="float32")


def mean_log_likelihood(logits: mx.array, ids: list[int]) -> float:
    """Of each id after the first, given those before it."""
    rows = np.array(logits)[:-1].astype(np.float64)
    rows -= rows.max(axis=1, keepdims=True)
    scores = rows[np.arange(len(rows)), ids[1:]] - np.log(np.exp(rows).sum(axis=1))
    return float(scores.mean())


@pytest.mark.parametrize("chunk", [None, 100])
def test_log_likelihood(gemma: Gemma, chunk: int | None) -> None:
    """The mean log-likelihood of four paragraphs, longer than the window, and the last logits are the reference's."""
    ids = REFERENCE["ids"]
    assert len(ids) > gemma.config.decoder.window
    logits = gemma.logits(ids, chunk=chunk)
    assert mean_log_likelihood(logits, ids) == pytest.approx(REFERENCE["mean_log_likelihood"], abs=EXACT)
    np.testing.assert_allclose(np.array(logits[-1])[::4096], REFERENCE["logits"], atol=EXACT)


@pytest.mark.parametrize("said", REFERENCE["greedy"], ids=lambda said: said["prompt"].strip())
def test_greedy_text(gemma: Gemma, said: dict[str, Any]) -> None:
    """48 tokens from each prompt are the reference's, whose likeliest token led by more than an error each time."""
    assert said["lead"] > EXACT
    assert list(gemma.stream_ids(said["ids"], max_tokens=len(said["made"]))) == said["made"]


def test_prompts_are_encoded_alike(gemma: Gemma) -> None:
    """The checkpoint's tokenizer.model gives the ids that the reference was asked with."""
    paragraph = (Path(__file__).parents[1] / "golden" / "paragraph.txt").read_text(encoding="utf-8")
    bos = gemma.config.bos_token_id
    assert [bos, *gemma.tokenizer.encode(paragraph)] == REFERENCE["ids"]
    for said in REFERENCE["greedy"]:
        assert [bos, *gemma.tokenizer.encode(said["prompt"])] == said["ids"]
