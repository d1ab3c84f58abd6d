"""Chance that is the same on every machine: whole numbers of PCG64, and nothing that a maths library may round.

NumPy promises the bit stream of its generators, not of the distributions it makes from them; a weight that came out
differently on a user's computer would look like a broken kernel.
"""

import math

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Shape = tuple[int, ...]

_MEAN = 2 * 65535.0  # of four numbers drawn evenly from 0..65535
_SPREAD = math.sqrt(4 * (65536**2 - 1) / 12)


class Chance:
    """A seeded source. Each method takes one 64-bit number of the stream for each number that it gives."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def below(self, bound: int, shape: Shape) -> NDArray[np.int64]:
        """Whole numbers in 0 .. bound - 1."""
        return (self._raw(shape) % np.uint64(bound)).astype(np.int64)

    def uniform(self, low: float, high: float, shape: Shape) -> Doubles:
        return low + (high - low) * ((self._raw(shape) >> np.uint64(11)).astype(np.float64) * 2.0**-53)

    def normal(self, shape: Shape) -> Doubles:
        """Nearly normal, mean 0 and variance 1: the sum of the four quarters of one 64-bit number."""
        quarters = self._raw(shape)[..., None].view(np.uint16)
        return (quarters.sum(-1, dtype=np.uint32).astype(np.float64) - _MEAN) / _SPREAD

    def _raw(self, shape: Shape) -> NDArray[np.uint64]:
        return np.asarray(self._bits.random_raw(shape), dtype=np.uint64)
