"""Redacted packets: values overwritten where they lie, addresses others, TLS secrets left out.

Frames keep their numbers, lengths and times. Checksums are computed anew. What is neither TCP nor
UDP is blanked whole: neighbour discovery and multicast carry addresses in too many shapes.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.bundle.pcapng import read_blocks, section_block
from audit.cli.redacting_flows import SECRET_HEADERS
from audit.errors import CaptureError
from audit.identifiers.blanking import Blanker, filler
from audit.tables.extract import Payload
from audit.tables.reference import Reference

_EXPERIMENTAL: Final = b"\x88\xb5"
"""EtherType for local experiments (IEEE 802, RFC 9542): what frames that are blanked have."""
_SECRET: Final = re.compile(
    rb"(?im)^(?:" + b"|".join(sorted(SECRET_HEADERS)) + rb"):[ \t]*([^\r\n]+)"
)
_TCP, _UDP = 6, 17


@dataclass(slots=True)
class Frame:
    """One packet of the file, and where its parts lie in it."""

    data: bytearray
    head: int = 0
    """Offset of the IP header; 0: it has none that is read."""
    layer: int = 0
    """Offset of the transport header."""
    payload: int = 0
    end: int = 0
    """One past the payload."""
    proto: int = 0
    flow: tuple[bytes, int, bytes, int] = (b"", 0, b"", 0)
    seq: int = 0
    flags: int = 0


@dataclass(slots=True, kw_only=True)
class PacketRedaction:
    """Redacts a capture file, and counts what it had to drop."""

    blanker: Blanker
    addresses: dict[bytes, bytes]
    """Packed address (IPv4, IPv6 or MAC) -> the one in its place."""
    frames: list[Frame] = field(default_factory=list)
    blanked_frames: int = 0
    """Frames that are neither TCP nor UDP."""
    blanked_payloads: int = 0
    """Payloads that were blanked whole, for a value in them lies in no one place."""
    secrets: int = 0
    """Blocks of TLS secrets that were left out."""
    _blocks: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Blocks before and behind each frame's bytes."""
    _options: dict[bytes, bytes] = field(default_factory=dict)
    """Options -> the same without values: most packets have those of another."""
    _streams: Streams = field(init=False)
    _tail: bytes = b""

    def load(self, source: Path) -> None:
        """Read a pcapng file; raises :class:`CaptureError` for another."""
        links: list[int] = []
        pending = b""
        for kind, order, block in read_blocks(source):
            if kind == 0x0A0D0D0A:
                links, pending = [], pending + section_block(order)
            elif kind == 1:
                links.append(struct.unpack_from(order + "H", block, 8)[0])
                pending += block[:16] + self._bare(block, 16)
            elif kind == 6:
                face, size = (struct.unpack_from(order + "I", block, at)[0] for at in (8, 20))
                link = links[face] if face < len(links) else -1
                frame = headers(bytearray(block[28 : 28 + size]), link)
                self.frames.append(frame)
                self._blocks.append((pending + block[:28], self._bare(block, 28 + size)))
                pending = b""
            elif kind == 5:
                pending += block
            elif kind in {2, 3}:
                raise CaptureError(
                    "packets without a time or of an old kind are not redacted", source=source.name
                )
            else:
                self.secrets += kind == 10
        self._tail = pending
        self._streams = Streams(self.frames)

    def _bare(self, block: bytes, at: int) -> bytes:
        """Return the options of a block and its end, values blanked."""
        size = len(block) - 4
        options = block[at:size]
        if options not in self._options:
            self._options[options] = self.blanker.data(options)
        return self._options[options] + block[size:]

    def write(self, target: Path) -> None:
        """Write the file, checksums computed anew."""
        with target.open("wb") as file:
            for frame, (before, behind) in zip(self.frames, self._blocks, strict=True):
                sealed(frame)
                file.write(before + bytes(frame.data) + behind)
            file.write(self._tail)

    def disguise(self) -> None:
        """Put other addresses in the place of the subject's, and blank what is no TCP or UDP."""
        for frame in self.frames:
            if frame.proto not in {_TCP, _UDP}:
                self.blanked_frames += 1
                size = len(frame.data)
                frame.data[:] = (bytes(12) + _EXPERIMENTAL + bytes(size))[:size]
                continue
            front = bytes(frame.data[: frame.layer])
            for old, new in self.addresses.items():
                front = front.replace(old, new)
            frame.data[: frame.layer] = front

    def blank(self, payloads: Sequence[Payload]) -> int:
        """Overwrite what stands in the payloads that a reader made; return how many places."""
        open_ones = [one for one in payloads if not str(one.ref.part or "").startswith("tls.")]
        count = 0
        for payload, spans in zip(open_ones, self.blanker.spans_of(open_ones), strict=True):
            for start, end in spans:
                count += 1
                offset = payload.ref.start or 0
                self._overwrite(payload, payload.ref.at(offset + start, offset + end))
        return count

    def _overwrite(self, payload: Payload, ref: Reference) -> None:
        assert ref.start is not None  # noqa: S101 - it was narrowed
        assert ref.end is not None  # noqa: S101
        if ref.part == "frame" and len(ref.records) == 1:
            frame = self.frames[ref.records[0] - 1]
            shift = ref.start - (payload.ref.start or 0)
            text = payload.data[shift : shift + ref.end - ref.start]
            old = bytes(frame.data[ref.start : ref.end])
            if payload.location == "dns" and len(text) == len(old):
                new = _labels(old, text)
            else:
                new = filler(old)
            frame.data[ref.start : ref.end] = new
        elif ref.part in {"tcp.sent", "tcp.received"}:
            self._streams.overwrite(ref.records[0], ref.start, ref.end)
        else:
            self.blanked_payloads += 1
            for number in ref.records:
                self.drop(number)

    def drop(self, number: int) -> None:
        """Blank the whole payload of a packet, and every other copy of its bytes."""
        frame = self.frames[number - 1]
        if frame.proto == _TCP:
            self._streams.overwrite_packet(number)
        else:
            low = frame.payload or 14
            frame.data[low:] = filler(bytes(frame.data[low:]))

    def blank_secrets(self) -> None:
        """Blank credentials in the heads of readable HTTP."""
        for start, data, number in self._streams.texts():
            for match in _SECRET.finditer(data):
                low, high = match.span(1)
                self._streams.overwrite(number, start + low, start + high)


def _labels(old: bytes, text: bytes) -> bytes:
    """Return a DNS name with its letters blanked and the lengths of its labels kept."""
    return bytes(
        ord("x") if byte == letter else byte for byte, letter in zip(old, text, strict=True)
    )


class Streams:
    """Where the bytes of TCP streams lie in frames, every copy of them."""

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames
        self._place: dict[int, tuple[int, int]] = {}
        """Packet number -> its connection's direction, and offset in that stream."""
        self._members: defaultdict[int, list[int]] = defaultdict(list)
        base: dict[int, int] = {}
        current: dict[tuple[bytes, int, bytes, int], int] = {}
        opened: dict[tuple[bytes, int, bytes, int], int] = {}
        for number, frame in enumerate(frames, start=1):
            if frame.proto != _TCP:
                continue
            is_opening = bool(frame.flags & 2)
            if is_opening and opened.get(frame.flow, frame.seq) != frame.seq:
                current.pop(frame.flow, None)
            if is_opening:
                opened[frame.flow] = frame.seq
            if frame.flow not in current:
                current[frame.flow] = len(base)
                base[current[frame.flow]] = (frame.seq + is_opening) & 0xFFFFFFFF
            way = current[frame.flow]
            offset = ((frame.seq + is_opening - base[way] + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
            self._place[number] = (way, offset)
            self._members[way].append(number)
        self._settle()

    def _settle(self) -> None:
        """Count offsets from the first byte of each stream, whatever order it came in."""
        for numbers in self._members.values():
            lowest = min(self._place[number][1] for number in numbers)
            for number in numbers if lowest < 0 else ():
                way, offset = self._place[number]
                self._place[number] = (way, offset - lowest)

    def overwrite(self, number: int, start: int, end: int) -> None:
        """Overwrite a range of the stream that a packet is part of, in all its packets."""
        way, _ = self._place[number]
        for other in self._members[way]:
            frame, offset = self._frames[other - 1], self._place[other][1]
            low = max(start - offset, 0) + frame.payload
            high = min(end - offset + frame.payload, frame.end)
            if low < high:
                frame.data[low:high] = filler(bytes(frame.data[low:high]))

    def overwrite_packet(self, number: int) -> None:
        """Overwrite the bytes of a packet wherever they were sent."""
        frame, (_, offset) = self._frames[number - 1], self._place[number]
        self.overwrite(number, offset, offset + frame.end - frame.payload)

    def texts(self) -> Iterable[tuple[int, bytes, int]]:
        """Yield start, bytes and one packet of each stretch of a stream without a gap."""
        for numbers in self._members.values():
            ordered = sorted(numbers, key=lambda number: self._place[number][1])
            start, data, first = 0, bytearray(), 0
            for number in ordered:
                frame, offset = self._frames[number - 1], self._place[number][1]
                text = frame.data[frame.payload : frame.end]
                if not text:
                    continue
                if offset > start + len(data) or not first:
                    if data:
                        yield start, bytes(data), first
                    start, data, first = offset, bytearray(), number
                data += text[start + len(data) - offset :]
            if data:
                yield start, bytes(data), first


def headers(data: bytearray, link: int) -> Frame:
    """Return a frame with its parts found; ``proto`` is 0 where it is no whole TCP or UDP."""
    frame = Frame(data)
    at = 0
    if link == 1:
        kind, at = int.from_bytes(data[12:14], "big"), 14
        while kind in {0x8100, 0x88A8} and len(data) >= at + 4:
            kind, at = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
    elif link in {12, 14, 101, 228, 229}:
        kind = {4: 0x0800, 6: 0x86DD}.get(data[0] >> 4 if data else 0, 0)
    elif link in {113, 276}:
        kind = int.from_bytes(data[14:16] if link == 113 else data[0:2], "big")
        at = 16 if link == 113 else 20
    else:
        kind = 0
    if kind == 0x0800 and len(data) >= at + 20:
        if int.from_bytes(data[at + 6 : at + 8], "big") & 0x3FFF:
            return frame
        proto, ends = data[at + 9], (bytes(data[at + 12 : at + 16]), bytes(data[at + 16 : at + 20]))
        layer = at + (data[at] & 15) * 4
    elif kind == 0x86DD and len(data) >= at + 40:
        proto, ends = data[at + 6], (bytes(data[at + 8 : at + 24]), bytes(data[at + 24 : at + 40]))
        layer = at + 40
    else:
        return frame
    size = 20 if proto == _TCP else 8
    if proto not in {_TCP, _UDP} or len(data) < layer + size:
        return frame
    sport, dport = struct.unpack_from(">HH", data, layer)
    frame.head, frame.layer, frame.proto = at, layer, proto
    frame.flow = (ends[0], sport, ends[1], dport)
    if proto == _TCP:
        frame.seq, frame.flags = struct.unpack_from(">I", data, layer + 4)[0], data[layer + 13]
        size = (data[layer + 12] >> 4) * 4
    frame.payload = min(layer + size, len(data))
    length = _length(data, at, kind)
    frame.end = min(max(at + length, frame.payload), len(data)) if length else len(data)
    return frame


def _length(data: bytearray, at: int, kind: int) -> int:
    """Return the length of a packet by its IP header; 0: it does not say (offloaded)."""
    if kind == 0x0800:
        return int.from_bytes(data[at + 2 : at + 4], "big")
    size = int.from_bytes(data[at + 4 : at + 6], "big")
    return size + 40 if size else 0


def sealed(frame: Frame) -> None:
    """Compute the checksums of a frame anew (RFC 1071, RFC 8200 section 8.1)."""
    if not frame.proto:
        return
    data, head, layer = frame.data, frame.head, frame.layer
    four = data[head] >> 4 == 4
    if four:
        data[head + 10 : head + 12] = b"\0\0"
        data[head + 10 : head + 12] = checksum(bytes(data[head:layer])).to_bytes(2, "big")
        ends = bytes(data[head + 12 : head + 20])
    else:
        ends = bytes(data[head + 8 : head + 40])
    at = layer + (16 if frame.proto == _TCP else 6)
    if frame.proto == _UDP and four and data[at : at + 2] == b"\0\0":
        return  # it was sent without one
    data[at : at + 2] = b"\0\0"
    body = bytes(data[layer : frame.end])
    size = (
        struct.pack(">HH", frame.proto, len(body))
        if four
        else struct.pack(">IxxxB", len(body), frame.proto)
    )
    total = checksum(ends + size + body)
    if frame.proto == _UDP and total == 0:
        total = 0xFFFF
    data[at : at + 2] = total.to_bytes(2, "big")


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = int(sum(struct.unpack(f">{len(padded) // 2}H", padded)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def disguises(values: Iterable[str], taken: bytes) -> dict[str, str]:
    """Return another address for each of the subject's: from documentation ranges, unused.

    ``taken`` are bytes in which the new addresses must not stand already (packed).
    """
    found: dict[str, str] = {}
    four: Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address] = iter(
        ipaddress.ip_network("192.0.2.0/24").hosts()
    )
    six: Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address] = (
        ipaddress.IPv6Address(f"3fff::{number:x}") for number in range(1, 1 << 16)
    )
    for count, value in enumerate(sorted(set(values)), start=1):
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            if re.fullmatch(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}", value):
                found[value] = f"02:00:00:00:00:{count:02x}"
            continue
        pool = four if address.version == 4 else six
        found[value] = str(next(one for one in pool if packed(str(one)) not in taken))
    return found


def packed(address: str) -> bytes:
    """Return the bytes of an IP or MAC address."""
    try:
        return ipaddress.ip_address(address).packed
    except ValueError:
        return bytes.fromhex(re.sub("[:-]", "", address))
