"""A 4B with almost nothing in it: 34 layers in the 4B's pattern, so narrow that only the host's work is left."""

from dataclasses import replace

import mlx.core as mx

from mlx_gemma.model.config import GEMMA3_4B, DecoderConfig
from mlx_gemma.model.decoder import LanguageModel

NARROW = replace(GEMMA3_4B, vocab=256, hidden=64, mlp=128, head_dim=16, query_scalar=16)


def narrow(config: DecoderConfig = NARROW) -> LanguageModel:
    """Our decoder in that shape, with random weights."""
    model = LanguageModel(config)
    mx.eval(model.parameters())
    return model
