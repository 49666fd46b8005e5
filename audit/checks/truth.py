"""Three-valued logic (Kleene): a comparison that nothing can decide is neither true nor false."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Truth = int
"""One of the three values below."""
Truths = NDArray[np.int8]
"""A truth a row. *And* is the minimum, *or* the maximum, *not* the distance from ``TRUE``."""

FALSE: Final = 0
UNKNOWN: Final = 1
TRUE: Final = 2


def truth_of(answer: bool) -> Truth:
    """Return the truth of a decided question."""
    return TRUE if answer else FALSE


def full(size: int, truth: Truth) -> Truths:
    """Return the same truth for every row."""
    return np.full(size, truth, dtype=np.int8)


def negate(truths: Truths) -> Truths:
    """Return *not*; unknown stays unknown."""
    return np.subtract(np.int8(TRUE), truths)
