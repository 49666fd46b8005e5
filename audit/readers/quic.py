"""QUIC Initial packets opened: the hellos inside (RFC 9000, RFC 9001, RFC 9369).

Their keys follow from a connection id that stands in clear, so everybody on the way can read them.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from audit.readers.tlshello import messages_of
from audit.readers.tlskeys import hkdf_expand

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

V1, V2 = 0x00000001, 0x6B3343CF
_SALTS: Final = {
    V1: bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
    V2: bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
}
_DRAFT_29_SALT: Final = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")
_DRAFT_23_SALT: Final = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")
KNOWN_VERSIONS: Final = (V1, V2, *range(0xFF000017, 0xFF000023))
"""Versions whose Initials are opened: RFC 9000, RFC 9369, drafts 23 to 34."""
CRYPTO_LIMIT: Final = 1 << 17
"""Bytes of one direction's CRYPTO stream that are kept."""
_KEY_LIMIT: Final = 8
"""Connection ids of one conversation that keys are derived from (a Retry brings a new one)."""
_PIECES_LIMIT: Final = 512
_PACKET_LIMIT: Final = 64
"""Coalesced packets read of one datagram."""


class _Initial(NamedTuple):
    version: int
    dcid: bytes
    start: int
    number_at: int
    """Offset of the packet number, which is protected."""
    end: int


@dataclass(slots=True)
class QuicHellos:
    """Collects the CRYPTO streams of one conversation from its Initial packets."""

    version: int | None = None
    _ids: list[bytes] = field(default_factory=list)
    _crypto: dict[bool, dict[int, bytes]] = field(default_factory=lambda: {True: {}, False: {}})
    numbers: dict[bool, list[int]] = field(default_factory=lambda: {True: [], False: []})
    """Packets that carried a direction's CRYPTO frames."""
    done: bool = False
    """Whether both hellos are known: later packets need not be looked at."""

    def add(self, data: bytes, number: int, *, from_client: bool) -> None:
        """Take a datagram."""
        for packet in initials_of(data):
            self.version = packet.version
            if from_client and packet.dcid not in self._ids and len(self._ids) < _KEY_LIMIT:
                self._ids.append(packet.dcid)
            text = self._opened(data, packet, from_client=from_client)
            if text is not None:
                self._take(text, number, from_client=from_client)

    def message(self, kind: int, *, from_client: bool) -> bytes | None:
        """Return the body of the first handshake message of a type, if it is whole."""
        stream = bytearray()
        for offset, piece in sorted(self._crypto[from_client].items()):
            if offset > len(stream):
                break
            stream += piece[len(stream) - offset :]
        return next((body for found, body in messages_of(bytes(stream)) if found == kind), None)

    def pieces(self) -> list[bytes]:
        """Return the pieces of the client's CRYPTO stream, in order."""
        return [piece for _, piece in sorted(self._crypto[True].items())]

    def _take(self, text: bytes, number: int, *, from_client: bool) -> None:
        kept = self._crypto[from_client]
        for offset, piece in _crypto_frames(text):
            room = len(kept) < _PIECES_LIMIT and offset + len(piece) <= CRYPTO_LIMIT
            if room and len(kept.get(offset, b"")) < len(piece):
                kept[offset] = piece
                self.numbers[from_client].append(number)
        if all(self._crypto.values()):
            self.done = (
                self.message(1, from_client=True) is not None
                and self.message(2, from_client=False) is not None
            )

    def _opened(self, data: bytes, packet: _Initial, *, from_client: bool) -> bytes | None:
        for dcid in reversed(self._ids):
            text = _open(data, packet, _lane(packet.version, dcid, from_client))
            if text is not None:
                return text
        return None


def is_quic(data: bytes, at: int = 0) -> bool:
    """Whether a long header of a version that is known begins there."""
    if len(data) < at + 7 or data[at] & 0xC0 != 0xC0:
        return False
    return _salt(int.from_bytes(data[at + 1 : at + 5], "big")) is not None and data[at + 5] <= 20


def initials_of(data: bytes) -> Iterator[_Initial]:
    """Yield the Initial packets of a datagram."""
    start, end = 0, len(data)
    for _ in range(_PACKET_LIMIT):
        if not is_quic(data, start):
            return
        version = int.from_bytes(data[start + 1 : start + 5], "big")
        kind = data[start] >> 4 & 3
        try:
            at = start + 6 + data[start + 5]
            dcid = data[start + 6 : at]
            at += 1 + data[at]
            if kind == (0 if version == V2 else 3):  # Retry takes the rest of the datagram
                return
            is_initial = kind == (1 if version == V2 else 0)
            if is_initial:
                size, at = _varint(data, at)
                at += size
            size, at = _varint(data, at)
        except IndexError:
            return
        if at + size > end:
            return
        if is_initial:
            yield _Initial(version, dcid, start, at, at + size)
        start = at + size


def _salt(version: int) -> bytes | None:
    if 0xFF000017 <= version <= 0xFF00001C:
        return _DRAFT_23_SALT
    if 0xFF00001D <= version <= 0xFF000022:
        return _DRAFT_29_SALT
    return _SALTS.get(version)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a variable-length integer (RFC 9000 §16) and where it ends.

    Raises ``IndexError`` where the data ends before.
    """
    first = data[at]
    size = 1 << (first >> 6)
    if size == 1:
        return first, at + 1
    end = at + size
    if end > len(data):
        raise IndexError
    return int.from_bytes(data[at:end], "big") & ((1 << 8 * size - 2) - 1), end


def _label(secret: bytes, label: str, length: int) -> bytes:
    name = b"tls13 " + label.encode()
    info = length.to_bytes(2, "big") + bytes((len(name),)) + name + b"\0"
    return hkdf_expand(secret, info, length, "sha256")


def _keys(version: int, dcid: bytes, *, from_client: bool) -> tuple[bytes, bytes, bytes]:
    """Return key, IV and header key of Initial packets (RFC 9001 §5.2)."""
    initial = hmac.digest(_salt(version) or b"", dcid, "sha256")
    secret = _label(initial, "client in" if from_client else "server in", 32)
    prefix = "quicv2" if version == V2 else "quic"
    sizes = (("key", 16), ("iv", 12), ("hp", 16))
    key, iv, header = (_label(secret, f"{prefix} {name}", size) for name, size in sizes)
    return key, iv, header


@lru_cache(maxsize=16)
def _lane(version: int, dcid: bytes, from_client: bool) -> tuple[AESGCM, CipherContext, int]:
    """Return what opens Initial packets, what hides their numbers, and the IV."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, iv, header_key = _keys(version, dcid, from_client=from_client)
    cipher = Cipher(algorithms.AES(header_key), modes.ECB())  # noqa: S305 - RFC 9001 §5.4.3
    return AESGCM(key), cipher.encryptor(), int.from_bytes(iv, "big")


def _open(data: bytes, packet: _Initial, lane: tuple[AESGCM, CipherContext, int]) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    opener, hider, iv = lane
    at = packet.number_at
    sample = data[at + 4 : at + 20]
    if len(sample) < 16 or at + 20 > packet.end:
        return None
    mask = hider.update(sample)
    first = data[packet.start] ^ (mask[0] & 0x0F)
    size = (first & 3) + 1
    number = bytes([one ^ two for one, two in zip(data[at : at + size], mask[1:], strict=False)])
    header = bytes((first,)) + data[packet.start + 1 : at] + number
    nonce = (iv ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    try:
        return opener.decrypt(nonce, data[at + size : packet.end], header)
    except InvalidTag:
        return None


def _crypto_frames(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield offset and data of the CRYPTO frames among those an Initial may hold."""
    at, end = 0, len(text)
    try:
        while at < end:
            if not text[at]:  # padding fills most of an Initial
                at = end - len(text[at:].lstrip(b"\0"))
                continue
            kind, at = _varint(text, at)
            if kind == 6:
                offset, at = _varint(text, at)
                size, at = _varint(text, at)
                if at + size > end:
                    return
                yield offset, text[at : at + size]
                at += size
            elif kind in {2, 3}:
                at = _skip_ack(text, at, with_counts=kind == 3)
            elif kind not in {0, 1}:  # PADDING written long, PING
                return
    except IndexError:
        return


def _skip_ack(text: bytes, at: int, *, with_counts: bool) -> int:
    _, at = _varint(text, at)
    _, at = _varint(text, at)
    ranges, at = _varint(text, at)
    for _ in range(min(2 * ranges + 1, len(text) - at) + (3 if with_counts else 0)):
        _, at = _varint(text, at)
    return at
