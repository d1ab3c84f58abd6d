"""Every name a Gemma 3 tensor goes by, and the one place in our tree that each belongs to.

Five spellings are in use: Hugging Face's old one (A, which is ours), its new one (B), either without the inner
`vision_model` (C), text only (D), and the MLX community's (E: A, packed, often with a needless copy of the head).
"""

from collections.abc import Iterable

from vision.errors import WeightsError

TIED = None  # a head that repeats the embedding, which the config has said is tied

# The first prefix that fits is replaced. A, then B, then D: their prefixes do not overlap in this order.
PREFIXES: tuple[tuple[str, str | None], ...] = (
    ("language_model.lm_head.", TIED),
    ("lm_head.", TIED),
    ("language_model.model.", "language_model.model."),
    ("vision_tower.vision_model.", "vision_tower.vision_model."),
    ("vision_tower.", "vision_tower.vision_model."),
    ("multi_modal_projector.", "multi_modal_projector."),
    ("model.language_model.", "language_model.model."),
    ("model.vision_tower.vision_model.", "vision_tower.vision_model."),
    ("model.vision_tower.", "vision_tower.vision_model."),
    ("model.multi_modal_projector.", "multi_modal_projector."),
    ("model.", "language_model.model."),
)


def canonical(name: str) -> str | None:
    """Our name for a source's tensor, or None for a tied head. Raises WeightsError for a name of no spelling."""
    for prefix, ours in PREFIXES:
        if name.startswith(prefix):
            return ours if ours is None else ours + name.removeprefix(prefix)
    raise WeightsError(f"{name}: not a tensor of a Gemma 3 checkpoint")


def assign(sources: Iterable[str]) -> dict[str, str]:
    """Our names to the sources', tied heads left out. Raises WeightsError when two sources claim one place."""
    assigned: dict[str, str] = {}
    unknown: list[str] = []
    for source in sources:
        try:
            ours = canonical(source)
        except WeightsError:
            unknown.append(source)
            continue
        if ours is None:
            continue
        if ours in assigned:
            raise WeightsError(
                f"{assigned[ours]} and {source} are the same tensor ({ours}); keep one of them"
            )
        assigned[ours] = source
    if unknown:
        raise WeightsError(
            f"not tensors of a Gemma 3 checkpoint: {some(unknown)}; is this another model, or an adapter?"
        )
    return assigned


def some(names: Iterable[str], most: int = 6) -> str:
    """The first few of many names, in order, and how many more there are."""
    listed = sorted(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
