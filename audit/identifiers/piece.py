"""A run of bytes under search, how it came out of another one, and the bounds of the search."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from audit.identifiers.frames import Frame

MAX_DEPTH: Final = 9
"""Decoders inside one another: containers to depth 6, and three layers of a form on top."""
DEEPER: Final = 24
"""Bytes of text that one more decoder must give for the bound of depth to have cut something."""
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

    def changes(self) -> tuple[list[int], list[int]]:
        """Return where decoded bytes differ from the encoded ones: starts and ends, sorted."""
        starts: list[int] = []
        ends: list[int] = []
        for at in range(len(self.decoded) - 1):
            if not self._linear(at):
                low, high = self.decoded[at], self.decoded[at + 1]
                if ends and ends[-1] == low:
                    ends[-1] = high
                else:
                    starts.append(low)
                    ends.append(high)
        return starts, ends

    def _linear(self, at: int) -> bool:
        return self.decoded[at + 1] - self.decoded[at] == self.encoded[at + 1] - self.encoded[at]


class Piece:
    """Bytes to search: a payload, or what a decoder made of a part of another piece."""

    name = ""
    """What the decoder calls this part, such as a member of a ZIP; ``''``: nothing."""
    hint = ""
    """Media type, where it is known."""
    others: Sequence[tuple[int, int]] = ()
    """Further places in the parent where the same encoded bytes stand."""
    covered = False
    """Whether the whole piece is compressed: what its bytes seem to say is chance."""
    ragged = False
    """Whether bytes before the first one may be missing."""
    remap: Callable[[], Segments] | None = None
    """Works out ``segments``."""
    dense = False
    """Whether a decoder changed so much that everything is to be searched anew."""
    depth = 0
    """Decoders on the way."""
    owner = 0
    """Index of the payload."""

    def __init__(
        self,
        data: bytes,
        parent: Piece | None = None,
        start: int = 0,
        end: int = 0,
        step: str = "",
        *,
        field: bool = False,
        segments: Segments | None = None,
    ) -> None:
        self.data = data
        self.parent = parent
        self.start = start
        """Where the encoded bytes begin in the parent."""
        self.end = end
        self.step = step
        """Name of the decoder, as chains show it."""
        if segments is not None:
            self.segments = segments
        self.field = field
        """Whether the bytes are one whole field."""
        if parent is None:
            self.budget = Budget()
        else:
            self.depth = parent.depth + 1
            self.owner = parent.owner
            self.budget = parent.budget
            if parent.ragged and start == 0:
                self.ragged = True

    @cached_property
    def segments(self) -> Segments | None:
        """Where single bytes lie in the parent; None: the encoded bytes are one whole."""
        return None if self.remap is None else self.remap()

    @cached_property
    def frames(self) -> dict[tuple[int, int], list[Frame]]:
        """Structures found so far, by range."""
        return {}

    def in_parent(self, start: int, end: int) -> tuple[int, int]:
        """Return where a range of this piece lies in the parent, in whole encoded spans."""
        if self.segments is None:
            return self.start, self.end
        return self.segments.span(start, end)

    @cached_property
    def _changes(self) -> tuple[list[int], list[int]] | None:
        if self.remap is None or self.dense or self.segments is None:
            return None
        return self.segments.changes()

    def is_new(self, start: int, end: int) -> bool:
        """Whether a range holds, or touches, something that the decoder changed.

        Where it does not, the parent shows the same bytes and was searched.
        """
        if self._changes is None:
            return True
        starts, ends = self._changes
        at = bisect_left(ends, start)
        return at < len(starts) and starts[at] <= end

    def part(self, start: int, end: int) -> Piece:
        """Return a field of this piece as a piece of its own; nothing was decoded for it."""
        child = Piece(
            self.data[start:end],
            self,
            start,
            end,
            field=True,
            segments=Segments((0, end - start), (start, end)),
        )
        child.depth = self.depth
        return child
