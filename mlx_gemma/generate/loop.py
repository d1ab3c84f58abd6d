"""Tokens one after another, the next one already under way when the last is read."""

import os
from collections.abc import Iterator
from typing import cast

import mlx.core as mx

from mlx_gemma.generate.sampling import Sampler, forbid
from mlx_gemma.generate.session import Session


def decode(
    session: Session, logits: mx.array, sampler: Sampler, *, limit: int, seed: int | None, forbidden: mx.array
) -> Iterator[int]:
    """At most `limit` sampled ids, stop tokens included; the caller stops at those. logits: (1, V), the prompt's last.

    Each id joins the session's as it is yielded. Its keys and values may be in the caches by then, as the next step is
    queued before an id is read; `Session.held` knows.
    """
    key = mx.random.key(seed if seed is not None else int.from_bytes(os.urandom(8), "little"))
    recent = mx.array(session.ids[-sampler.repetition_window :], dtype=mx.uint32)

    def choose(logits: mx.array) -> mx.array:
        nonlocal key, recent
        draw = key
        if sampler.temperature:
            key, draw = mx.random.split(key)
        token = sampler(forbid(logits, forbidden) if forbidden.size else logits, recent, draw)
        if sampler.repetition_penalty != 1.0:
            recent = mx.concatenate([recent, token.astype(mx.uint32)])[-sampler.repetition_window :]
        return token

    token = choose(logits)
    mx.async_eval(token)
    for made in range(1, limit + 1):
        following = token
        if made < limit:
            following = choose(session.model.language_model(token[None], session.cache)[:, -1])
            mx.async_eval(following)
        index = cast("int", token.item())
        session.ids.append(index)
        yield index
        token = following
