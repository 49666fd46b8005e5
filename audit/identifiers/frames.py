"""Structure that leaves the bytes where they are: what field a range lies in, and its path.

A frame is found only where something was found, so clean bytes cost nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from audit.identifiers import binary
from audit.identifiers.binary import Leaf
from audit.identifiers.text import is_text

if TYPE_CHECKING:
    from audit.identifiers.piece import Piece

FrameName = Literal["json", "multipart", "form", "msgpack", "cbor", "protobuf"]
RAW: Final = ("msgpack", "cbor", "protobuf")
"""Structures that are never text."""
BINARY: Final = ("multipart", "msgpack", "cbor", "protobuf")
"""Structures whose fields may hold any bytes."""
MAX_TOKENS: Final = 400_000
"""JSON tokens up to which paths are told; beyond, a hit has its place only."""
MAX_PARTS: Final = 10_000
"""Parts of a multipart body, or pairs of a form, that are told apart."""

_TOKEN: Final = re.compile(
    rb'[\s]*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<mark>[{}\[\],:])'
    rb"|(?P<scalar>-?[0-9][0-9.eE+-]*|true|false|null|NaN))",
    re.DOTALL,
)
_FORM: Final = re.compile(rb"[^\s=&\"<>{},;:()/]{1,200}=(?!=)[^\s\"<>{}]+\Z")
_BOUNDARY: Final = re.compile(rb"(?:\r\n|\A|(?<=[^A-Za-z0-9-]))--([^\s\"'<>]{1,100})[ \t]*\r\n")
_PART_NAME: Final = re.compile(rb"name=\"?([^\";\r\n]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Frame:
    """The fields of one stretch of bytes, sorted by start, not overlapping."""

    name: FrameName
    leaves: Sequence[Leaf]
    starts: Sequence[int]
    ranges: Mapping[tuple[int, int], Leaf]
    """Every range that is a whole field, those that hold fields themselves included."""

    def at(self, start: int, end: int) -> Leaf | None:
        """Return the field that holds a range; None where it lies in none or in several."""
        whole = self.ranges.get((start, end))
        if whole is not None:
            return whole
        index = bisect_right(self.starts, start) - 1
        if index < 0:
            return None
        leaf = self.leaves[index]
        return leaf if end <= leaf.end else None


def find_frames(data: bytes, hint: str = "") -> list[Frame]:
    """Return every structure that some bytes can be read as, the likeliest first."""
    return list(_frames(data, hint))


def find_frame(data: bytes, hint: str = "") -> Frame | None:
    """Return the likeliest structure of some bytes, if they have one that is known."""
    return next(_frames(data, hint), None)


def frames_of(piece: Piece) -> list[Frame]:
    """Return every structure that a piece can be read as; it is found once."""
    span = (0, len(piece.data))
    known = piece.frames.get(span)
    if known is None:
        known = piece.frames[span] = find_frames(piece.data, piece.hint)
    return known


def binary_frame(piece: Piece) -> Frame | None:
    """Return the likeliest structure of a piece that is a field of a binary format.

    Letters of its lengths and tags are no part of the text beside them.
    """
    if not piece.field or is_text(piece.data):
        return None
    return next((frame for frame in frames_of(piece) if frame.name in BINARY), None)


def _frames(data: bytes, hint: str) -> Iterator[Frame]:
    raw = not is_text(data)
    for name, reader in READERS.items():
        if (name in RAW and not raw and name not in hint) or (name == "form" and raw):
            continue
        leaves = reader(data, hint)
        if leaves is not None:
            ordered = sorted(
                (leaf for leaf in leaves[1] if leaf.type != "message"), key=lambda leaf: leaf.start
            )
            yield Frame(
                leaves[0],
                ordered,
                [leaf.start for leaf in ordered],
                {(leaf.start, leaf.end): leaf for leaf in leaves[1]},
            )


Reading = tuple[FrameName, list[Leaf]] | None


def _read_json(data: bytes, hint: str) -> Reading:
    head = data.lstrip(b" \t\r\n\xef\xbb\xbf")[:1]
    if head not in (b"{", b"["):
        return None
    leaves = JsonReader(data).read()
    if not leaves and "json" not in hint:
        return None
    return "json", leaves


class JsonReader:
    """Tells the path of every string and number of a JSON text, as far as it is one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._leaves: list[Leaf] = []
        self._path: list[str] = []
        self._counts: list[int] = []
        self._key: str | None = None

    def read(self) -> list[Leaf]:
        """Return the leaves up to the end, the first error or the bound."""
        at = self._data.find(b"{")
        bracket = self._data.find(b"[")
        at = min((pos for pos in (at, bracket) if pos >= 0), default=0)
        pending: tuple[int, int] | None = None
        for _ in range(MAX_TOKENS):
            match = _TOKEN.match(self._data, at)
            if not match:
                break
            at = match.end()
            mark = match["mark"]
            if mark is None:
                if pending:
                    break
                pending = match.span("string" if match["string"] else "scalar")
                continue
            if mark == b":":
                if not pending:
                    break
                self._take_key(*pending)
            elif pending:
                self._take_value(*pending)
            pending = None
            if not self._structure(mark):
                break
        if pending:
            self._take_value(*pending)
        return self._leaves

    def _structure(self, mark: bytes) -> bool:
        if mark in b"{[":
            self._path.append(self._here() if self._counts else "$")
            self._counts.append(-1 if mark == b"{" else 0)
            self._key = None
        elif mark in b"}]":
            if not self._counts:
                return False
            self._counts.pop()
            self._path.pop()
            self._key = None
        elif mark == b",":
            if not self._counts:
                return False
            if self._counts[-1] >= 0:
                self._counts[-1] += 1
            self._key = None
        return True

    def _here(self) -> str:
        if not self._counts:
            return "$"
        if self._counts[-1] >= 0:
            return f"{self._path[-1]}[{self._counts[-1]}]"
        return self._path[-1] + "." + (self._key or "?")

    def _take_key(self, start: int, end: int) -> None:
        quoted = self._data[start : start + 1] == b'"'
        inner = (start + 1, end - 1) if quoted else (start, end)
        self._key = self._data[inner[0] : inner[1]].decode("utf-8", "replace")[:200]
        self._leaves.append(Leaf(*inner, self._here(), "key"))

    def _take_value(self, start: int, end: int) -> None:
        if self._data[start : start + 1] == b'"':
            self._leaves.append(Leaf(start + 1, end - 1, self._here(), "text"))
        else:
            self._leaves.append(Leaf(start, end, self._here(), "number"))


def _read_multipart(data: bytes, hint: str) -> Reading:  # noqa: ARG001 - one signature for all
    if b"--" not in data[:2048]:
        return None
    opening = _BOUNDARY.search(data, 0, 4096)
    if not opening or not is_text(data[: opening.start()]):
        return None
    mark = b"--" + opening[1]
    leaves: list[Leaf] = []
    at = opening.end()
    while len(leaves) < MAX_PARTS:
        head_end = data.find(b"\r\n\r\n", at - 2)
        if head_end < 0:
            break
        body = head_end + 4
        end = data.find(b"\r\n" + mark, body - 2)
        end = max(end, body) if end >= 0 else len(data)
        name = _PART_NAME.search(data, at, head_end)
        path = name[1].decode("utf-8", "replace") if name else str(len(leaves))
        leaves.append(Leaf(body, end, path, "bytes"))
        if head_end > at:
            leaves.append(Leaf(at, head_end, path, "head"))
        at = end + 2 + len(mark) + 2
        if at >= len(data) or data[at - 2 : at] == b"--":
            break
    return ("multipart", leaves) if leaves else None


def _read_form(data: bytes, hint: str) -> Reading:
    if b"=" not in data or ("form" not in hint and not _FORM.match(data)):
        return None
    leaves: list[Leaf] = []
    at = 1 if data[:1] in (b"?", b"#") else 0
    while at < len(data) and len(leaves) < 2 * MAX_PARTS:
        end = data.find(b"&", at)
        end = len(data) if end < 0 else end
        middle = data.find(b"=", at, end)
        middle = end if middle < 0 else middle
        path = data[at:middle].decode("utf-8", "replace")[:200]
        leaves.append(Leaf(at, middle, path, "key"))
        if middle + 1 < end:
            leaves.append(Leaf(middle + 1, end, path, "text"))
        at = end + 1
    return "form", leaves


def _binary(name: FrameName, walk: Callable[[bytes], list[Leaf] | None]) -> Reader:
    def read(data: bytes, hint: str) -> Reading:  # noqa: ARG001 - one signature for all
        leaves = walk(data)
        return (name, leaves) if leaves else None

    return read


Reader = Callable[[bytes, str], Reading]
READERS: Final[dict[FrameName, Reader]] = {
    "json": _read_json,
    "multipart": _read_multipart,
    "form": _read_form,
    "msgpack": _binary("msgpack", binary.walk_msgpack),
    "cbor": _binary("cbor", binary.walk_cbor),
    "protobuf": _binary("protobuf", binary.walk_protobuf),
}
"""Every structure that is known, tried in this order."""
