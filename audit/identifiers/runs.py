"""Runs of base64, base32 and hexadecimal text, wherever they stand in other bytes (RFC 4648)."""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_hex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit.identifiers.beginnings import STANDARD, begins, is_name
from audit.identifiers.frames import binary_frame
from audit.identifiers.gates import LONG_RUN, SHORT_RUN
from audit.identifiers.piece import Piece
from audit.identifiers.text import is_text

_RUN: Final = re.compile(rb"([A-Za-z0-9+/_-]+)(={0,6}(?:%3[Dd]){0,6})")
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_RUN_OR_NUL: Final = bytes(byte if byte in _LETTERS else 0 for byte in range(256))
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{16,}")
SHORT_HEX: Final = re.compile(rb"[0-9A-Fa-f]{8,}")
"""Hexadecimal text inside short runs."""
_HEX_PAIR: Final = re.compile(rb"[0-9A-Fa-f]{2}")
_SIGN: Final = re.compile(rb"[+/_-]")
BEFORE_TRIGGER: Final = 256
"""Letters before a trigger among which the encoded text may begin."""
BEHIND_TRIGGER: Final = 4096
"""Letters behind the beginning of a trigger that are decoded with it."""
MAX_SIGNS: Final = 8
"""Signs before a trigger behind each of which the encoded text may begin."""
LONG_NAME: Final = 1024
"""Letters up to which a run may be names and encoded text side by side."""
DIGEST_LETTERS: Final = frozenset((22, 27, 38, 43, 64, 86))
"""Letters of base64 that the digests of 16, 20, 28, 32, 48 and 64 bytes take: ``sha256-`` ... may
stand before them, as in Subresource Integrity (W3C)."""
_SEGMENT: Final = re.compile(rb"[A-Za-z0-9]{8,}")
"""Letters between the signs that base64 shares with paths and names."""
_LONG_BASE32: Final = re.compile(rb"[A-Z2-7]{16,}|[a-z2-7]{16,}")
SHORT_BASE32: Final = re.compile(rb"[A-Z2-7]{8,}|[a-z2-7]{8,}")
"""Base32 text, of either case, inside short runs."""
_HEX_DASH: Final = b"0123456789abcdefABCDEF-"
_FROM_BASE32: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz234567",
    b"0123456789abcdefghijklmnop0123456789abcdefghijklmnopqrstuv",
)
_BASE32_PART: Final = 1024
"""Letters that are decoded as one number: a multiple of eight."""
_LINE_END: Final = re.compile(rb"\r?\n[ \t]?")
_JWT: Final = re.compile(rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,3}")
MIME_LINE: Final = 60
"""Characters from which a line of base64 may go on in the next (PEM has 64, MIME 76)."""
_DATA_URL: Final = re.compile(rb"data:[^,\"'\s]{0,200};base64,\Z")


@dataclass(frozen=True, slots=True)
class Run:
    """A run of letters of the alphabets, and every place of a piece where it stands."""

    piece: Piece
    text: bytes
    """The letters, without padding."""
    padding: bytes
    """Signs of padding (``=``, in a form also ``%3D``) behind them."""
    places: Sequence[int]
    """Where it begins."""

    def part(self, low: int, high: int) -> Run:
        """Return a stretch of the run as a run of its own."""
        return Run(
            self.piece,
            self.text[low:high],
            self.padding if high == len(self.text) else b"",
            [place + low for place in self.places],
        )

    @property
    def pad(self) -> int:
        """Signs of padding."""
        return len(self.padding) if self.padding[:1] != b"%" else len(self.padding) // 3

    def child(self, data: bytes, step: str, *, whole: bool) -> Piece:
        """Return what a decoder made of the run."""
        places = self.places
        start = places[0]
        size = len(self.text) + len(self.padding)
        piece = Piece(data, self.piece, start, start + size, step, field=whole)
        if len(places) > 1:
            piece.others = [(place, place + size) for place in places[1:]]
        return piece


def decode_runs(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Decode the long runs that begin at ``starts``; equal ones once."""
    jwts = _jwt_parts(piece.data) if b"eyJ" in piece.data else {}
    offsets = 1 if is_text(piece.data) else 4
    for run in find_runs(piece, starts):
        part = jwts.get(run.places[0])
        if part:
            for child in RUN_DECODERS["base64"](run):
                child.step, child.name = "jwt", part
                yield child
        else:
            yield from _decode_long(run, offsets)
    yield from _joined_lines(piece, starts)


def decode_triggered(piece: Piece, inside: Sequence[int]) -> Iterator[Piece]:
    """Decode the runs around some offsets in every way: a trigger tells of a value there.

    Of long runs it is the part around the offset: from its beginning they are decoded anyway.
    """
    done = -1
    for offset in inside:
        if offset <= done:
            continue
        low = max(0, offset - BEFORE_TRIGGER)
        begin = low + piece.data[low : offset + 1].translate(_RUN_OR_NUL).rfind(b"\0") + 1
        match = _RUN.match(piece.data, begin, offset + BEHIND_TRIGGER)
        if not match or is_in_percent(piece.data, begin):
            continue
        done = match.end()
        run = Run(piece, match[1], match[2], (begin,))
        yield from _decode_all(run, offsets=4)
        signs = [sign.end() for sign in _SIGN.finditer(run.text, 0, offset - begin)]
        for sign in signs[-MAX_SIGNS:]:
            yield from _decode_all(run.part(sign, len(run.text)))
        for segment in _SEGMENT.finditer(run.text):
            if segment.end() - segment.start() < len(run.text):
                yield from _decode_all(run.part(*segment.span()))


def is_in_percent(data: bytes, start: int) -> bool:
    """Whether a run begins with the digits of a percent-encoded byte: that is decoded first."""
    return data[start - 1 : start] == b"%" and _HEX_PAIR.match(data, start) is not None


def is_short_run(data: bytes, offset: int) -> bool:
    """Whether the run around an offset is no long one, which is decoded as a whole anyway."""
    low = max(0, offset - LONG_RUN)
    before = data[low : offset + 1].translate(_RUN_OR_NUL).rfind(b"\0")
    behind = data[offset : offset + LONG_RUN + 1].translate(_RUN_OR_NUL).find(b"\0")
    return before >= 0 or low == 0 or behind >= 0


def find_runs(
    piece: Piece, starts: Sequence[int], pattern: re.Pattern[bytes] = _RUN
) -> Iterator[Run]:
    """Yield the distinct runs that begin at some offsets and are no part of a binary frame."""
    data = piece.data
    tokens: dict[tuple[bytes, bytes], list[int]] = {}
    frame = binary_frame(piece) if starts else None
    for start in starts:
        match = pattern.match(data, max(0, start))
        if is_in_percent(data, start):
            continue
        if match and (frame is None or frame.at(*match.span(1))):
            tokens.setdefault((match[1], match[2]), []).append(match.start())
    for (text, pad), places in tokens.items():
        yield Run(piece, text, pad, places)


def _decode_long(run: Run, offsets: int) -> Iterator[Piece]:
    text = run.text
    size = len(text)
    if text.translate(None, _HEX_DASH):
        yield from RUN_DECODERS["base64"](run, offsets=offsets)
        for match in _SIGN.finditer(text, 0, LONG_NAME):
            start = match.end()
            rest = size - start
            if rest in DIGEST_LETTERS or (
                rest >= SHORT_RUN and (begins(text, start) or is_name(text, start))
            ):
                yield from RUN_DECODERS["base64"](run.part(start, size))
    if size > LONG_NAME:
        if _HEX.fullmatch(text):
            yield from RUN_DECODERS["hex"](run)
        elif _LONG_BASE32.fullmatch(text):
            yield from RUN_DECODERS["base32"](run)
        return
    for name, pattern in (("hex", _HEX), ("base32", _LONG_BASE32)):
        for match in pattern.finditer(text):
            yield from RUN_DECODERS[name](run.part(*match.span()))


def _decode_all(run: Run, *, offsets: int = 1) -> Iterator[Piece]:
    """Decode a short run by each alphabet that it is written in."""
    yield from RUN_DECODERS["base64"](run, offsets=offsets)
    for name, pattern in (("hex", SHORT_HEX), ("base32", SHORT_BASE32)):
        for match in pattern.finditer(run.text):
            yield from RUN_DECODERS[name](run.part(*match.span()))


def decode_base64(run: Run, *, offsets: int = 1) -> Iterator[Piece]:
    """Decode base64 or base64url, at ``offsets=4`` also if letters stand right before it.

    Behind ``/ + - _`` may be the beginning of the encoded text or its middle. Read from there
    the middle gives nothing, or the right bytes: before them stands no letter or digit then, as
    the last six bits there are 62 or 63.
    """
    size = len(run.text)
    pad = min(run.pad, 2)
    text = run.text.translate(STANDARD)
    step = "base64"
    if text != run.text or (pad == 0 and size % 4 != 0):
        step = "base64url"
    if is_data_url(run.piece.data, run.places[0]):
        step = "data-url+" + step
    whole = size % 4 != 1  # padding that does not fit is the sign of a form behind it
    for phase in range(offsets):
        length = size - phase
        if length % 4 == 1:
            length -= 1
        if length < SHORT_RUN - 2:
            break
        decoded = a2b_base64(text[phase : phase + length] + b"==")
        yield run.child(decoded, step, whole=whole and phase == 0)


def decode_hex(run: Run) -> Iterator[Piece]:
    """Decode hexadecimal text; where its pairs may begin at either digit, both ways."""
    size = len(run.text)
    for phase in (0, 1) if size % 2 else (0,):
        digits = run.text[phase : phase + ((size - phase) & ~1)]
        yield run.child(a2b_hex(digits), "hex", whole=phase == 0 and size % 2 == 0)


def decode_base32(run: Run) -> Iterator[Piece]:
    """Decode base32 of either case."""
    whole = len(run.text) % 8 in (0, 2, 4, 5, 7)
    yield run.child(from_base32(run.text), "base32", whole=whole)


def from_base32(text: bytes) -> bytes:
    """Return what base32 text of either case, without padding, decodes to."""
    parts: list[bytes] = []
    for at in range(0, len(text), _BASE32_PART):
        letters = text[at : at + _BASE32_PART].translate(_FROM_BASE32)
        bits = len(letters) * 5
        parts.append((int(letters, 32) >> bits % 8).to_bytes(bits // 8, "big"))
    return b"".join(parts)


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
        if not match or len(match[1]) < MIME_LINE or match[2]:
            continue
        parts = [match[1]]
        end = match.end()
        while (line := _LINE_END.match(data, end)) and (more := _RUN.match(data, line.end())):
            if more[1].startswith(b"--"):
                break  # the boundary of a multipart body, behind a last line that is full
            parts.append(more[1])
            end = more.end()
            if len(more[1]) < len(parts[0]):
                break
        done = end
        if len(parts) > 1:
            for child in RUN_DECODERS["base64"](Run(piece, b"".join(parts), b"", (start,))):
                child.end = end
                yield child
