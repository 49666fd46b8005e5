"""Where a match stands: the way to it, its path, and whether it is a whole field there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from audit.identifiers.binary import Leaf
from audit.identifiers.frames import Frame, find_frames, frames_of
from audit.identifiers.piece import Piece

MAX_INNER: Final = 4
"""Structures inside one another without a decoder between them, such as a form in JSON."""
_OPENING: Final = frozenset(b"\"'>=&;?")
_DATA_URL: Final = re.compile(rb"data:[^,\"'\s]{0,200},\Z")
_CLOSING: Final = frozenset(b"\"'<&;#")


@dataclass(frozen=True, slots=True)
class Place:
    """What surrounds a range of a piece, as far as its own bytes tell."""

    steps: tuple[str, ...]
    """Structures on the way, outermost first, such as ``('json',)``."""
    path: str
    """JSON path, form key, field number ...; ``''``: no structure is known."""
    whole: bool
    """Whether the range is one whole field."""
    key: bool
    """Whether it lies in the name of a field."""
    number: bool = False
    """Whether the field is a number of a binary format."""


def find_place(piece: Piece, start: int, end: int) -> Place:
    """Tell where a range of a piece stands."""
    data = piece.data
    low, high = 0, len(data)
    steps: list[str] = []
    paths: list[str] = []
    whole = piece.field and (start, end) == (0, len(data))
    key = number = False
    hint = piece.hint
    for _ in range(MAX_INNER):
        frame, leaf = _frame(piece, low, high, (start - low, end - low), hint)
        if frame is None or leaf is None:
            break
        steps.append(frame.name)
        paths.append(leaf.path)
        key = leaf.type == "key" and (start - low, end - low) == (leaf.start, leaf.end)
        number = leaf.type == "number" and frame.name != "json"
        whole = whole or (start - low, end - low) in frame.ranges
        if number and not whole:
            whole = _is_number(data[low + leaf.start : start], data[end : low + leaf.end])
        if (leaf.end - leaf.start) == high - low or leaf.type in ("number", "key", "head"):
            break
        low, high = low + leaf.start, low + leaf.end
        hint = ""
    if not whole and not key:
        whole, key = _by_marks(data, start, end)
        if start == 0 and piece.field and end < len(data):
            whole = data[end] in b"#&;"  # a fragment or a further parameter follows
    return Place(tuple(steps), " > ".join(paths), whole, key, number)


def _is_number(before: bytes, behind: bytes) -> bool:
    """Whether the bytes around a value only widen it to the size of its number."""
    rest = before + behind
    return rest in (b"\0" * len(rest), b"\xff" * len(rest))


def _frame(
    piece: Piece, low: int, high: int, span: tuple[int, int], hint: str
) -> tuple[Frame | None, Leaf | None]:
    """Return the structure of a stretch and its field that holds a range.

    Of several that the bytes can be read as, the first in which the range is a whole field.
    """
    known = (
        frames_of(piece) if (low, high) == (0, len(piece.data)) else piece.frames.get((low, high))
    )
    if known is None:
        known = piece.frames[low, high] = find_frames(piece.data[low:high], hint)
    held = [(frame, leaf) for frame in known if (leaf := frame.at(*span)) is not None]
    for frame, leaf in held:
        if span in frame.ranges or leaf.type == "number":
            return frame, leaf
    return held[0] if held else (None, None)


def _by_marks(data: bytes, start: int, end: int) -> tuple[bool, bool]:
    """Judge by the neighbouring bytes alone: whether a whole field, whether a field's name."""
    before = data[start - 1] if start else None
    after = data[end] if end < len(data) else None
    if before == 0x2C and _DATA_URL.search(data, max(0, start - 240), start):
        return after is None or after in _CLOSING or after in b" \r\n", False
    if _NAMED_BEFORE.search(data, max(0, start - 80), start) and _ALONE_BEHIND.match(data, end):
        return True, False
    if before is None or before not in _OPENING:
        return False, False
    if before in b"\"'":
        rest = data[end : end + 12].lstrip(b"\\")
        if rest[:1] != bytes([before]):
            return False, False
        return True, rest[1:].lstrip()[:1] == b":"
    if before == 0x3E:  # '>text<'
        return after == 0x3C, False
    whole = after is None or after in _CLOSING or after in b" \r\n"
    return whole and before == 0x3D, False


_NAMED_BEFORE: Final = re.compile(
    rb"(?:<!\[CDATA\[|(?:\A|\n)[ \t-]*[A-Za-z_][\w.-]{0,60}[ \t]*[:=][ \t]*)\Z"
)
"""The name of a value that fills its line (YAML, INI, headers in text), or XML's quoted text."""
_ALONE_BEHIND: Final = re.compile(rb"\]\]>|[ \t]*(?:\r?\n|\Z)")
_LIST_HEADERS: Final = re.compile(
    r"(?:accept-language|content-language|x-.*(?:locale|language|time-?zone|model|device).*)\Z"
)
_AGENT_HEADERS: Final = re.compile(r"(?:x-)?(?:.*user-agent.*|sec-ch-ua.*|server|via)\Z")
_LIST_MARKS: Final = frozenset(b" ,;=\"'()/[]")


def telling(piece: Piece, place: Place, start: int, end: int, header: str) -> bool:
    """Whether the place of a low-entropy value gives it meaning.

    A whole field value does (not a name of a field), and an element of a header that is made for
    such values (``Accept-Language``, ``User-Agent``).
    """
    if place.whole and not place.key:
        return True
    if header and (_LIST_HEADERS.match(header) or _AGENT_HEADERS.match(header)):
        data = piece.data
        return (start == 0 or data[start - 1] in _LIST_MARKS) and (
            end == len(data) or data[end] in _LIST_MARKS
        )
    return False


_NAMED_FOR: Final = {
    "user_name": re.compile(r"user|usr|login|account|uid|owner|author|member|nick|name"),
    "host_name": re.compile(r"host.?name|machine|computer|device|station|netbios|node.?name"),
    "device_model": re.compile(r"device|model|hardware|product|phone|machine|brand"),
    "display_name": re.compile(r"name|nick|alias|user|author|owner|from|sender|profile"),
}
_NOT_NAMED_FOR: Final = re.compile(r"(?:x-)?.*user-agent\Z")


def named_for(kind: str, name: str) -> bool:
    """Whether the name of a field says that it holds a value of a kind.

    A word that everybody's programs use (``root``, ``Linux``) is the subject's there alone.
    ``name`` is a header's, a cookie's or a key's, or a path whose last part tells.
    """
    wanted = _NAMED_FOR.get(kind)
    last = re.split(r"[.>\s\[\]]+", name.lower().rstrip("[]0123456789."))[-1]
    return wanted is None or bool(wanted.search(last) and not _NOT_NAMED_FOR.match(last))
