"""TLS records and the handshake messages that are in clear (RFC 5246, RFC 8446)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from audit.readers.octets import Octets, TooShortError

CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
RECORD_LIMIT: Final = 16_384 + 2_048
"""Longest record of TLS 1.2 (RFC 5246 §6.2.3)."""
MESSAGE_LIMIT: Final = 1 << 18
"""Longest handshake message read."""
TLS12: Final = 0x0303
TLS13: Final = 0x0304
_RETRY_RANDOM: Final = bytes.fromhex(
    "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
)
"""Random of a ServerHello that is a HelloRetryRequest (RFC 8446 §4.1.3)."""
_HEAD: Final = struct.Struct("!HH").unpack_from
_RECORD: Final = struct.Struct("!BHH").unpack_from
_VERSIONS: Final = {
    0x0300: "SSLv3", 0x0301: "TLSv1.0", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3",
    0xFEFF: "DTLSv1.0", 0xFEFD: "DTLSv1.2", 0xFEFC: "DTLSv1.3",
}  # fmt: skip


class Record(NamedTuple):
    """One TLS record; offsets count in the stream."""

    type: int
    version: int
    start: int
    """Offset of the record's header."""
    length: int
    """Bytes of the fragment, which follows the 5 bytes of header."""

    @property
    def end(self) -> int:
        """One past the record."""
        return self.start + 5 + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHello:
    """What a client offers."""

    version: int
    """``legacy_version``."""
    random: bytes
    suites: bytes
    """Cipher suites offered, two bytes each."""
    extensions: tuple[tuple[int, bytes], ...]
    by_kind: dict[int, bytes]
    """Data of each extension; of one that was sent twice the first."""

    @property
    def sni_bytes(self) -> bytes:
        """Server name as sent (RFC 6066 §3); empty where there is none."""
        data = self.by_kind.get(0)
        if not data or len(data) < 5 or data[2] != 0:
            return b""
        return data[5 : 5 + (data[3] << 8 | data[4])]

    @property
    def sni(self) -> str | None:
        """Server name, lower case, no final dot; ``None``: not sent."""
        name = self.sni_bytes.decode("ascii", "backslashreplace")
        return name.rstrip(".").lower() or None

    @property
    def alpn(self) -> tuple[str, ...]:
        """Protocols offered (RFC 7301)."""
        return alpn_names(self.by_kind.get(16))

    @property
    def has_ech(self) -> bool:
        """Whether an encrypted ClientHello is inside (extension 0xfe0d)."""
        return 0xFE0D in self.by_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHello:
    """What a server chose."""

    version: int
    """Version agreed, ``supported_versions`` included."""
    random: bytes
    cipher: int
    extensions: tuple[tuple[int, bytes], ...]
    """Number and data of each."""

    @property
    def is_retry(self) -> bool:
        """Whether it is a HelloRetryRequest."""
        return self.random == _RETRY_RANDOM


def version_name(number: int) -> str:
    """Return the name of a protocol version, as the table has it."""
    return _VERSIONS.get(number, f"0x{number:04x}")


@lru_cache(maxsize=256)
def alpn_names(data: bytes | None) -> tuple[str, ...]:
    """Return the names in an ALPN extension; what is cut off is left out."""
    names, at, data = [], 2, data or b""
    while at < len(data):
        size = data[at]
        name = data[at + 1 : at + 1 + size]
        if not size or len(name) < size:
            break
        names.append(name.decode("ascii", "backslashreplace"))
        at += 1 + size
    return tuple(names)


def records_of(data: bytes, at: int = 0) -> Iterator[Record]:
    """Yield whole records from ``at`` on; ends before the first thing that is none."""
    end = len(data)
    while at + 5 <= end:
        kind, version, length = _RECORD(data, at)
        if not 20 <= kind <= 24 or not 0x0300 <= version <= 0x0304:
            return
        if length > RECORD_LIMIT or at + 5 + length > end:
            return
        yield Record(kind, version, at, length)
        at += 5 + length


def first_records(data: bytes, at: int, limit: int) -> list[Record]:
    """Return at most ``limit`` whole records from ``at`` on."""
    return list(islice(records_of(data, at), limit))


def begins_like_tls(data: bytes, message: int) -> bool:
    """Whether a stream begins with a handshake record; ``message``: 1 client, 2 server."""
    return (
        len(data) >= 6
        and data[0] == HANDSHAKE
        and data[1] == 3
        and data[2] <= 4
        and 0 < int.from_bytes(data[3:5], "big") <= RECORD_LIMIT
        and data[5] == message
    )


def is_sealed(data: bytes) -> bool:
    """Whether bytes from the middle of a connection are TLS: two records, or one that ends it."""
    for seen, record in enumerate(records_of(data), start=1):
        if record.version not in {0x0301, 0x0302, TLS12} or record.type == HANDSHAKE:
            return False
        if seen == 2 or record.end == len(data):
            return record.type == APPLICATION or seen == 2
    return False


def messages_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of whole handshake messages."""
    at = 0
    while at + 4 <= len(data):
        length = int.from_bytes(data[at + 1 : at + 4], "big")
        if length > MESSAGE_LIMIT or at + 4 + length > len(data):
            return
        yield data[at], data[at + 4 : at + 4 + length]
        at += 4 + length


def parse_client_hello(body: bytes, *, datagram: bool = False) -> ClientHello | None:
    """Read a ClientHello; ``None`` for bytes that are none. ``datagram``: of DTLS."""
    try:
        at = 35 + body[34]
        if datagram:
            at += 1 + body[at]
        end = at + 2 + (body[at] << 8 | body[at + 1])
        suites = body[at + 2 : end]
        extensions = _extensions(body, end + 1 + body[end])
    except IndexError:
        return None
    return (
        None
        if extensions is None
        else ClientHello(
            version=body[0] << 8 | body[1],
            random=body[2:34],
            suites=suites,
            extensions=extensions,
            by_kind=dict(reversed(extensions)),
        )
    )


def parse_server_hello(body: bytes) -> ServerHello | None:
    """Read a ServerHello; ``None`` for bytes that are none."""
    try:
        at = 35 + body[34]
        cipher = body[at] << 8 | body[at + 1]
        extensions = _extensions(body, at + 3)
    except IndexError:
        return None
    if extensions is None:
        return None
    version, random = body[0] << 8 | body[1], body[2:34]
    for kind, data in extensions:
        if kind == 43 and len(data) == 2:
            version = data[0] << 8 | data[1]
    return ServerHello(version=version, random=random, cipher=cipher, extensions=extensions)


def leaf_certificate(body: bytes, *, tls13: bool) -> bytes | None:
    """Return the first certificate of a Certificate message, ``None`` where there is none."""
    octets = Octets(body)
    try:
        if tls13:
            octets.block(1)
        return Octets(octets.block(3)).block(3) or None
    except TooShortError:
        return None


def _extensions(body: bytes, at: int) -> tuple[tuple[int, bytes], ...] | None:
    """Return the extensions behind their length; ``None`` where the hello ends before them."""
    if at >= len(body):
        return () if at == len(body) else None
    end = at + 2 + (body[at] << 8 | body[at + 1])
    if end > len(body):
        return None
    found = []
    at += 2
    while at + 4 <= end:
        kind, size = _HEAD(body, at)
        begin, at = at + 4, at + 4 + size
        if at > end:  # a hello that ends badly still has what stood before
            break
        found.append((kind, body[begin:at]))
    return tuple(found)
