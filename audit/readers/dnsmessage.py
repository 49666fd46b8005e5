"""DNS messages (RFC 1035), from any transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audit.readers.endpoint import packed_text
from audit.readers.octets import Octets, TooShortError

_JUMP_LIMIT: Final = 64
_NAME_LIMIT: Final = 255
_RECORD_LIMIT: Final = 2_000
"""Records read of one message."""
OPT: Final = 41


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; ``start`` is the offset of the name's first letter in the message."""

    name: bytes
    """Labels joined by dots, case as sent."""
    qtype: int
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """One resource record."""

    name: bytes
    rtype: int
    value: str | None
    """Address, name or text of the record; ``None`` for other types."""
    start: int
    """Offset of the name's first letter; of a compressed one that of its pointer's second byte."""
    is_answer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsMessage:
    """A message, as far as the tables need it."""

    id: int
    is_response: bool
    questions: tuple[Question, ...]
    records: tuple[DnsRecord, ...]
    options: tuple[tuple[int, int, int], ...]
    """EDNS options (RFC 6891): code, start and end of the data in the message."""


def name_text(name: bytes) -> str:
    """Return a name as the tables have it: lower case, other bytes escaped, no final dot."""
    return name.decode("ascii", "backslashreplace").lower()


def parse_dns(data: bytes) -> DnsMessage | None:
    """Read a message; ``None`` for bytes that are none.

    A message with a cut or damaged record section keeps what stood before.
    """
    if len(data) < 12:
        return None
    flags = int.from_bytes(data[2:4], "big")
    counts = [int.from_bytes(data[at : at + 2], "big") for at in (4, 6, 8, 10)]
    if sum(counts) > _RECORD_LIMIT or not sum(counts):
        return None
    octets = Octets(data, 12)
    questions: list[Question] = []
    records: list[DnsRecord] = []
    options: list[tuple[int, int, int]] = []
    try:
        for _ in range(counts[0]):
            name, start = _name(octets)
            questions.append(Question(name=name, qtype=octets.number(2), start=start))
            octets.number(2)
    except TooShortError:
        return None
    try:
        for place in range(sum(counts[1:])):
            _record(octets, records, options, is_answer=place < counts[1])
    except TooShortError:
        if not questions and not records:
            return None
    return DnsMessage(
        id=int.from_bytes(data[:2], "big"),
        is_response=bool(flags & 0x8000),
        questions=tuple(questions),
        records=tuple(records),
        options=tuple(options),
    )


def is_dns(data: bytes) -> bool:
    """Whether bytes on any port are a message: standard query, one question of class IN, whole."""
    if len(data) < 17 or data[4:6] != b"\0\1" or data[2] & 0x78 or data[3] & 0x40:
        return False
    octets = Octets(data, 12)
    try:
        name, _ = _name(octets)
        octets.number(2)
        return octets.number(2) & 0x7FFF == 1 and bool(name) and _is_printable(name)
    except TooShortError:
        return False


def _is_printable(name: bytes) -> bool:
    return all(33 <= letter < 127 for letter in name)


def _record(
    octets: Octets,
    records: list[DnsRecord],
    options: list[tuple[int, int, int]],
    *,
    is_answer: bool,
) -> None:
    name, start = _name(octets)
    rtype = octets.number(2)
    octets.take(6)
    length = octets.number(2)
    begin = octets.at
    octets.take(length)
    if rtype == OPT:
        at = begin
        while at + 4 <= octets.at:
            code, size = (int.from_bytes(octets.data[at + i : at + i + 2], "big") for i in (0, 2))
            options.append((code, at + 4, min(at + 4 + size, octets.at)))
            at += 4 + size
        return
    value = _value(octets.data, rtype, begin, length)
    records.append(DnsRecord(name=name, rtype=rtype, value=value, start=start, is_answer=is_answer))


def _value(data: bytes, rtype: int, at: int, length: int) -> str | None:
    body = data[at : at + length]
    if (rtype, length) in {(1, 4), (28, 16)}:
        return packed_text(body)
    skipped = {2: 0, 5: 0, 12: 0, 39: 0, 15: 2, 33: 6, 64: 2, 65: 2}.get(rtype)
    if skipped is not None and skipped < length:
        try:
            return name_text(_name(Octets(data, at + skipped))[0]) or None
        except TooShortError:
            return None
    if rtype == 16 and length:
        return body[1:].decode("utf-8", "backslashreplace")
    return None


def _name(octets: Octets) -> tuple[bytes, int]:
    """Return a name and the offset of its first letter; raises :class:`TooShortError`."""
    labels: list[bytes] = []
    start = octets.at + 1
    cursor, jumps, size = octets, 0, 0
    while True:
        length = cursor.number(1)
        if length == 0:
            return b".".join(labels), start
        if length >= 0xC0:
            target = (length & 0x3F) << 8 | cursor.number(1)
            jumps += 1
            if jumps > _JUMP_LIMIT:
                raise TooShortError
            cursor = Octets(octets.data, target)
            continue
        size += length + 1
        if length > 63 or size > _NAME_LIMIT:
            raise TooShortError
        labels.append(cursor.take(length))
