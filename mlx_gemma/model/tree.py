"""A module's tensors by their dotted names, and back."""

from collections.abc import Iterable
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten, tree_unflatten  # pyright: ignore[reportUnknownVariableType]


def named(tree: Any) -> dict[str, mx.array]:
    """The arrays of a tree of parameters, gradients or optimiser state, by dotted name."""
    return dict(cast("list[tuple[str, mx.array]]", tree_flatten(tree)))


def place(model: nn.Module, tensors: Iterable[tuple[str, mx.array]]) -> None:
    """Set a module's tensors by their dotted names."""
    model.update(cast("dict[str, Any]", tree_unflatten(list(tensors))))
