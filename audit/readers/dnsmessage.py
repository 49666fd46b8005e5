"""DNS messages (RFC 1035), from any transport."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from audit.readers.endpoint import packed_text

_JUMP_LIMIT: Final = 64
_NAME_LIMIT: Final = 255
_RECORD_LIMIT: Final = 2_000
"""Records read of one message."""
OPT: Final = 41
CLIENT_SUBNET: Final = 8
"""Code of the EDNS option that tells the client's address (RFC 7871)."""
_ADDRESS_BYTES: Final = {1: 4, 2: 16}
"""Address families (IANA) -> bytes of an address."""
_HEAD: Final = struct.Struct("!HHHHHH").unpack_from
_QUESTION: Final = struct.Struct("!HH").unpack_from
_RECORD: Final = struct.Struct("!HHIH").unpack_from
_NAMED: Final = {2: 0, 5: 0, 12: 0, 39: 0, 15: 2, 33: 6, 64: 2, 65: 2}
"""Types whose data is a name -> bytes before it."""


class _CutError(Exception):
    """The bytes end before what they claim to hold, or are no name."""


class Question(NamedTuple):
    """One question; ``start`` is the offset of the name's first letter in the message."""

    name: bytes
    """Labels joined by dots, case as sent."""
    qtype: int
    start: int


class DnsRecord(NamedTuple):
    """One resource record."""

    name: bytes
    rtype: int
    value: str | None
    """Address, name or text of the record; ``None`` for other types."""
    start: int
    """Offset of the name's first letter; of a compressed one that of its pointer's second byte."""
    is_answer: bool


class DnsMessage(NamedTuple):
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


def client_subnet(data: bytes) -> str | None:
    """Return the address in an EDNS client subnet option as text; ``None`` where there is none.

    Where not all of its bytes were sent (RFC 7871 §6), it is a network such as ``192.0.2.0/24``.
    """
    if len(data) < 5:
        return None
    size = _ADDRESS_BYTES.get(int.from_bytes(data[:2], "big"))
    sent = data[4:]
    if size is None or not 0 < len(sent) <= size:
        return None
    text = packed_text(sent.ljust(size, b"\0"))
    return text if len(sent) == size else f"{text}/{min(data[2], 8 * len(sent))}"


def parse_dns(data: bytes) -> DnsMessage | None:
    """Read a message; ``None`` for bytes that are none.

    A message with a cut or damaged record section keeps what stood before.
    """
    if len(data) < 12:
        return None
    ident, flags, *counts = _HEAD(data)
    total = sum(counts)
    if total > _RECORD_LIMIT or not total:
        return None
    at = 12
    questions: list[Question] = []
    records: list[DnsRecord] = []
    options: list[tuple[int, int, int]] = []
    try:
        for _ in range(counts[0]):
            name, start, at = _name(data, at)
            if at + 4 > len(data):
                return None
            questions.append(Question(name, data[at] << 8 | data[at + 1], start))
            at += 4
    except _CutError:
        return None
    try:
        for place in range(total - counts[0]):
            at = _record(data, at, records, options, is_answer=place < counts[1])
    except _CutError:
        if not questions and not records:
            return None
    is_response = bool(flags & 0x8000)
    return DnsMessage(ident, is_response, tuple(questions), tuple(records), tuple(options))


def is_dns(data: bytes) -> bool:
    """Whether bytes on any port are a message: standard query, one question of class IN, whole."""
    if len(data) < 17 or data[4:6] != b"\0\1" or data[2] & 0x78 or data[3] & 0x40:
        return False
    try:
        name, _, at = _name(data, 12)
    except _CutError:
        return False
    if at + 4 > len(data):
        return False
    return _QUESTION(data, at)[1] & 0x7FFF == 1 and bool(name) and _is_printable(name)


def _is_printable(name: bytes) -> bool:
    return all(33 <= letter < 127 for letter in name)


def _record(
    data: bytes,
    at: int,
    records: list[DnsRecord],
    options: list[tuple[int, int, int]],
    *,
    is_answer: bool,
) -> int:
    """Add the record at ``at``; return where the next one begins. Raises :class:`_CutError`."""
    name, start, at = _name(data, at)
    if at + 10 > len(data):
        raise _CutError
    rtype, _, _, length = _RECORD(data, at)
    begin = at + 10
    end: int = begin + length
    if end > len(data):
        raise _CutError
    if rtype == OPT:
        at = begin
        while at + 4 <= end:
            code, size = _QUESTION(data, at)
            options.append((code, at + 4, min(at + 4 + size, end)))
            at += 4 + size
        return end
    value = _value(data, rtype, begin, length)
    records.append(DnsRecord(name, rtype, value, start, is_answer))
    return end


def _value(data: bytes, rtype: int, at: int, length: int) -> str | None:
    body = data[at : at + length]
    if (rtype == 1 and length == 4) or (rtype == 28 and length == 16):
        return packed_text(body)
    skipped = _NAMED.get(rtype)
    if skipped is not None and skipped < length:
        try:
            return name_text(_name(data, at + skipped)[0]) or None
        except _CutError:
            return None
    if rtype == 16 and length:
        return body[1:].decode("utf-8", "backslashreplace")
    return None


def _name(data: bytes, at: int) -> tuple[bytes, int, int]:
    """Return a name, the offset of its first letter and where it ends in place.

    Raises :class:`_CutError`.
    """
    labels: list[bytes] = []
    start = at + 1
    after, jumps, size, end = -1, 0, 0, len(data)
    while True:
        if at >= end:
            raise _CutError
        length = data[at]
        at += 1
        if length == 0:
            return b".".join(labels), start, at if after < 0 else after
        if length >= 0xC0:
            if at >= end:
                raise _CutError
            jumps += 1
            if jumps > _JUMP_LIMIT:
                raise _CutError
            if after < 0:
                after = at + 1
            at = (length & 0x3F) << 8 | data[at]
            continue
        size += length + 1
        if length > 63 or size > _NAME_LIMIT or at + length > end:
            raise _CutError
        labels.append(data[at : at + length])
        at += length
