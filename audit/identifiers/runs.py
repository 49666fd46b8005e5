"""Runs of base64, base32 and hexadecimal text, wherever they stand in other bytes (RFC 4648)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit.identifiers.frames import binary_frame
from audit.identifiers.needles import SHORTEST_RUN
from audit.identifiers.piece import Piece

_RUN: Final = re.compile(rb"([A-Za-z0-9+/_-]+)(={0,6})")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{8,}")
_HEX_GROUPS: Final = re.compile(
    rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{2}([-:. ,+])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){2,}"
    rb"(?!\1?[0-9A-Fa-f])"
    rb"|(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{4}){1,2}([-:. ])(?:[0-9A-Fa-f]{4}){1,3}"
    rb"(?:\2(?:[0-9A-Fa-f]{4}){1,3})+(?!\2?[0-9A-Fa-f])"
)
_GROUP_BEFORE: Final = re.compile(rb"[0-9A-Fa-f][-:. ,+]\Z")
_HEX_PREFIXED: Final = re.compile(rb"0[xX][0-9A-Fa-f]{2}(?:[\s,;]{1,2}0[xX][0-9A-Fa-f]{2}){3,}")
_SEGMENT: Final = re.compile(rb"[A-Za-z0-9]{8,}")
"""Letters between the signs that base64 shares with paths and names."""
_BASE32: Final = re.compile(rb"[A-Z2-7]{8,}|[a-z2-7]{8,}")
_NOT_HEX: Final = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
_URL: Final = bytes.maketrans(b"-_", b"+/")
_FROM_BASE32: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz234567",
    b"0123456789abcdefghijklmnop0123456789abcdefghijklmnopqrstuv",
)
_LINE_END: Final = re.compile(rb"\r?\n[ \t]?")
_JWT: Final = re.compile(rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,3}")
_MIME_LINE: Final = 60
"""Characters from which a line of base64 may go on in the next (PEM has 64, MIME 76)."""
_DATA_URL: Final = re.compile(rb"data:[^,\"'\s]{0,200};base64,\Z")


@dataclass(frozen=True, slots=True)
class Run:
    """A run of letters of the alphabets, and every place of a piece where it stands."""

    piece: Piece
    text: bytes
    """The letters, without padding."""
    pad: int
    """Signs of padding (``=``) behind them."""
    places: Sequence[int]
    """Where it begins."""

    def part(self, low: int, high: int) -> Run:
        """Return a stretch of the run as a run of its own."""
        return Run(
            self.piece,
            self.text[low:high],
            self.pad if high == len(self.text) else 0,
            [place + low for place in self.places],
        )

    def child(self, data: bytes, step: str, *, pad: int, whole: bool, name: str = "") -> Piece:
        """Return what a decoder made of the run."""
        size = len(self.text) + pad
        return Piece(
            data,
            parent=self.piece,
            start=self.places[0],
            end=self.places[0] + size,
            step=step,
            name=name,
            field=whole,
            others=[(place, place + size) for place in self.places[1:]],
        )


def decode_runs(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Decode every run that begins at one of ``starts``; equal runs are decoded once."""
    data = piece.data
    tokens: dict[tuple[bytes, bytes], list[int]] = {}
    frame = binary_frame(piece) if starts else None
    for start in starts:
        match = _RUN.match(data, start)
        if match and (frame is None or frame.at(*match.span(1))):
            tokens.setdefault((match[1], match[2]), []).append(start)
    jwts = _jwt_parts(data) if b"eyJ" in data else {}
    for (text, pad), places in tokens.items():
        run = Run(piece, text, len(pad), places)
        part = jwts.get(places[0])
        if part:
            yield from decode_base64(run, step="jwt", name=part)
        else:
            yield from _decode_run(run)
    yield from _joined_lines(piece, starts)


def _decode_run(run: Run) -> Iterator[Piece]:
    text = run.text
    if text.translate(None, _NOT_HEX) != text or len(text) < 2 * SHORTEST_RUN:
        yield from RUN_DECODERS["base64"](run)
        for match in _SEGMENT.finditer(text):
            if match.end() - match.start() < len(text):
                yield from RUN_DECODERS["base64"](run.part(*match.span()), offsets=1)
    for name, pattern in (("hex", _HEX), ("base32", _BASE32)):
        for match in pattern.finditer(text):
            yield from RUN_DECODERS[name](run.part(*match.span()))


def decode_base64(run: Run, *, step: str = "", name: str = "", offsets: int = 4) -> Iterator[Piece]:
    """Decode base64 or base64url at all four offsets: letters may stand right before it.

    Behind ``/ + - _`` may be the beginning of the encoded text or its middle. Read from there
    (``offsets=1``) the middle gives nothing, or the right bytes: before them stands no letter or
    digit then, as the last six bits there are 62 or 63.
    """
    size = len(run.text)
    pad = min(run.pad, 2)
    text = run.text.translate(_URL)
    if not step:
        is_url = text != run.text or (pad == 0 and size % 4 != 0)
        step = "base64url" if is_url else "base64"
        if is_data_url(run.piece.data, run.places[0]):
            step = "data-url+" + step
    whole = size % 4 != 1 and ((size + pad) % 4 == 0 or pad == 0)
    for phase in range(offsets):
        length = size - phase
        if length % 4 == 1:
            length -= 1
        if length < SHORTEST_RUN - 2:
            break
        decoded = binascii.a2b_base64(text[phase : phase + length] + b"==")
        yield run.child(decoded, step, pad=pad, whole=whole and phase == 0, name=name)


def decode_hex(run: Run) -> Iterator[Piece]:
    """Decode hexadecimal text; where its pairs may begin at either digit, both ways."""
    size = len(run.text)
    for phase in (0, 1) if size % 2 or size >= 24 else (0,):
        digits = run.text[phase : phase + ((size - phase) & ~1)]
        decoded = bytes.fromhex(digits.decode("ascii"))
        yield run.child(decoded, "hex", pad=0, whole=phase == 0 and size % 2 == 0)


def decode_base32(run: Run) -> Iterator[Piece]:
    """Decode base32 of either case."""
    size = len(run.text)
    bits = size * 5
    number = int(run.text.translate(_FROM_BASE32), 32) >> bits % 8
    decoded = number.to_bytes(bits // 8, "big")
    yield run.child(decoded, "base32", pad=run.pad, whole=size % 8 in (0, 2, 4, 5, 7))


RUN_DECODERS: Final[dict[str, Callable[..., Iterator[Piece]]]] = {
    "base64": decode_base64,
    "base32": decode_base32,
    "hex": decode_hex,
}
"""Every decoder of runs."""


def is_data_url(data: bytes, start: int) -> bool:
    """Whether the base64 text at ``start`` is the content of a data URL (RFC 2397)."""
    return data[start - 8 : start] == b";base64," and bool(
        _DATA_URL.search(data, max(0, start - 240), start)
    )


def _jwt_parts(data: bytes) -> dict[int, str]:
    parts: dict[int, str] = {}
    for match in _JWT.finditer(data):
        at = match.start()
        for name, text in zip(("header", "payload"), match[0].split(b".")[:2], strict=True):
            parts[at] = name
            at += len(text) + 1
    return parts


def _joined_lines(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Decode base64 that is broken into lines (MIME, PEM) as one run."""
    data = piece.data
    done = 0
    for start in starts:
        if start < done:
            continue
        match = _RUN.match(data, start)
        if not match or len(match[1]) < _MIME_LINE or match[2]:
            continue
        parts = [match[1]]
        end = match.end()
        while (line := _LINE_END.match(data, end)) and (more := _RUN.match(data, line.end())):
            parts.append(more[1])
            end = more.end()
            if len(more[1]) < len(parts[0]):
                break
        done = end
        if len(parts) > 1:
            for child in RUN_DECODERS["base64"](Run(piece, b"".join(parts), 0, (start,))):
                child.end = end
                yield child


def decode_hex_groups(piece: Piece) -> Iterator[Piece]:
    """Decode hexadecimal text with separators, such as ``de:ad:be:ef`` or ``0xde, 0xad``."""
    data = piece.data
    frame = binary_frame(piece)
    for pattern in (_HEX_GROUPS, _HEX_PREFIXED):
        for match in pattern.finditer(data):
            start, end = match.span()
            text = match[0].lower().replace(b"0x", b"")
            digits = text.translate(None, _NOT_HEX)
            if len(digits) % 2 == 0 and (frame is None or frame.at(start, end)):
                decoded = bytes.fromhex(digits.decode("ascii"))
                child = Piece(decoded, parent=piece, start=start, end=end, step="hex", field=True)
                if _GROUP_BEFORE.search(data, max(0, start - 2), start):
                    child.ragged, child.field = True, False
                yield child
