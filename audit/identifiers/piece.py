"""A run of bytes under search, how it came out of another one, and the bounds of the search."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from audit.identifiers.frames import Frame

MAX_DEPTH: Final = 9
"""Decoders inside one another: containers to depth 6, and three layers of a form on top."""
MAX_STEPS: Final = 400_000
"""Pieces that one payload may give."""
MAX_OUTPUT: Final = 32 << 20
"""Bytes that one decoder may give from one piece."""
MAX_TOTAL: Final = 96 << 20
"""Bytes that all decoders together may give from one payload."""
MAX_RATIO: Final = 1200
"""Bytes out per byte in beyond the first MiB (deflate cannot reach 1 033)."""
MAX_MATCHES: Final = 20_000
"""Matches of one payload that are kept."""
FREE_OUTPUT: Final = 1 << 20
"""Bytes that a decoder may give whatever the ratio."""


@dataclass(slots=True)
class Budget:
    """What is left of the bounds of one payload, and what they cut."""

    steps: int = MAX_STEPS
    total: int = MAX_TOTAL
    matches: int = MAX_MATCHES
    cut: dict[str, None] = field(default_factory=dict)
    """Sentences, without duplicates, in order."""

    def allowed(self, size: int) -> int:
        """Return how many bytes a decoder may give from ``size`` bytes."""
        return max(0, min(MAX_OUTPUT, self.total, FREE_OUTPUT + MAX_RATIO * size))

    def spend(self, size: int) -> bool:
        """Take one step and ``size`` bytes; False (and noted) where nothing is left."""
        self.steps -= 1
        self.total -= size
        if self.steps < 0 or self.total < 0:
            what = "steps" if self.steps < 0 else "decoded bytes"
            self.cut[f"the identifier search ran out of {what} inside one payload"] = None
            return False
        return True


@dataclass(frozen=True, slots=True)
class Segments:
    """How decoded bytes lie in the encoded ones.

    Segment i reaches from item i to item i + 1 of both lists. Segments of equal length
    correspond byte by byte, others only as a whole.
    """

    decoded: Sequence[int]
    encoded: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a half-open range of decoded bytes lies among the encoded ones."""
        first = bisect_right(self.decoded, start) - 1
        last = bisect_right(self.decoded, end - 1) - 1
        low = self.encoded[first]
        if self._linear(first):
            low += start - self.decoded[first]
        if self._linear(last):
            high = self.encoded[last] + end - self.decoded[last]
        else:
            high = self.encoded[last + 1]
        return low, high

    def _linear(self, at: int) -> bool:
        return self.decoded[at + 1] - self.decoded[at] == self.encoded[at + 1] - self.encoded[at]


class Piece:
    """Bytes to search: a payload, or what a decoder made of a part of another piece."""

    __slots__ = (
        "budget", "covered", "data", "depth", "end", "field", "frames", "hint", "name", "others", "owner",
        "parent", "ragged", "segments", "start", "step",
    )  # fmt: skip

    def __init__(
        self,
        data: bytes,
        *,
        parent: Piece | None = None,
        start: int = 0,
        end: int = 0,
        step: str = "",
        name: str = "",
        segments: Segments | None = None,
        field: bool = False,
        others: Sequence[tuple[int, int]] = (),
        hint: str = "",
    ) -> None:
        self.data = data
        self.parent = parent
        self.start = start
        """Where the encoded bytes begin in the parent."""
        self.end = end
        self.step = step
        """Name of the decoder, as chains show it."""
        self.name = name
        """What the decoder calls this part, such as a member of a ZIP; ``''``: nothing."""
        self.segments = segments
        """Where single bytes lie in the parent; None: the encoded bytes are one whole."""
        self.field = field
        """Whether the bytes are one whole field."""
        self.others = others
        """Further places in the parent where the same encoded bytes stand."""
        self.covered = False
        """Whether the whole piece is compressed: what its bytes seem to say is chance."""
        self.ragged = False
        """Whether bytes before the first one may be missing."""
        self.hint = hint
        """Media type, where it is known."""
        self.frames: dict[tuple[int, int], list[Frame]] = {}
        """Structures found so far, by range."""
        if parent is None:
            self.depth = 0
            self.owner = 0
            self.budget = Budget()
        else:
            self.depth = parent.depth + 1
            self.owner = parent.owner
            self.budget = parent.budget
            self.ragged = parent.ragged and start == 0

    def in_parent(self, start: int, end: int) -> tuple[int, int]:
        """Return where a range of this piece lies in the parent, in whole encoded spans."""
        if self.segments is None:
            return self.start, self.end
        return self.segments.span(start, end)
