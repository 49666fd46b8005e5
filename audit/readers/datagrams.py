"""Datagrams of one conversation: DNS, STUN, DTLS and QUIC by their bytes, else for the search."""

from __future__ import annotations

from itertools import accumulate
from typing import Final, NamedTuple

from audit.identifiers.content import classify_content
from audit.readers.dns_rows import DnsRows, Place
from audit.readers.dnsmessage import is_dns, parse_dns
from audit.readers.stun import parse_stun
from audit.readers.stun_rows import add_stun
from audit.readers.talk import JUDGED_LIMIT, Talk
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction

JOINED_LIMIT: Final = 1 << 20
"""Bytes of one direction's datagrams that are searched joined as well."""
DNS_PORTS: Final = (53, 5353, 5355)


class Datagram(NamedTuple):
    """The payload of one UDP datagram or ICMP message."""

    data: bytes
    direction: Direction
    from_originator: bool
    ts: int
    numbers: tuple[int, ...]
    """Packets that carried it: several where IP cut it into fragments."""
    lead: int
    """Offset of ``data`` in the frame (of fragments: in the datagram put together)."""


class DatagramReader:
    """Reads the datagrams of one conversation in order of time."""

    def __init__(self, talk: Talk, *, is_dns_port: bool) -> None:
        self._talk = talk
        self._dns = DnsRows(talk=talk, protocol="udp")
        self._is_dns_port = is_dns_port
        self._unknown: dict[Direction, list[Datagram]] = {}
        self._left = dict.fromkeys(("sent", "received"), JOINED_LIMIT)

    def add(self, datagram: Datagram) -> None:
        """Add the rows of one datagram."""
        if not (self._add_dns(datagram) or self.add_stun(datagram)):
            self._add_unknown(datagram)

    def _place(self, datagram: Datagram) -> Place:
        def place(start: int, end: int) -> Reference:
            return self._ref(datagram, start, end) if end else self._whole(datagram, "dns")

        return place

    def add_raw(self, datagram: Datagram) -> None:
        """Hand a datagram to the search as it is, and judge nothing."""
        if datagram.data:
            ref = self._ref(datagram, 0, len(datagram.data))
            self._talk.raw_payload(datagram.direction, datagram.data, ref)

    def _whole(self, datagram: Datagram, part: str) -> Reference:
        return Reference(file=self._talk.file, records=datagram.numbers, part=part)

    def _ref(self, datagram: Datagram, start: int, end: int) -> Reference:
        part = "frame" if len(datagram.numbers) == 1 else "datagram"
        lead = datagram.lead
        return Reference(
            file=self._talk.file,
            records=datagram.numbers,
            part=part,
            start=lead + start,
            end=lead + end,
        )

    def _add_dns(self, datagram: Datagram) -> bool:
        if not self._is_dns_port and not is_dns(datagram.data):
            return False
        message = parse_dns(datagram.data)
        if message is None:
            return False
        self._dns.add(
            message, datagram.data, datagram.direction, datagram.ts, self._place(datagram)
        )
        return True

    def add_stun(self, datagram: Datagram) -> bool:
        """Add the row of a datagram that is a STUN message; else return false."""
        message = parse_stun(datagram.data)
        if message is None or message.length != len(datagram.data):
            return False
        ref = self._ref(datagram, 0, message.length)
        add_stun(self._talk, message, datagram.data, datagram.direction, datagram.ts, ref)
        return True

    def _add_unknown(self, datagram: Datagram) -> None:
        if datagram.data:
            if self._talk.judged < JUDGED_LIMIT:
                self._talk.judged += 1
                self._talk.saw("plaintext", classify_content(datagram.data))
            self.add_raw(datagram)
            self._left[datagram.direction] -= len(datagram.data)
            if self._left[datagram.direction] >= 0:
                self._unknown.setdefault(datagram.direction, []).append(datagram)

    def finish(self) -> None:
        """Hand datagrams of no known protocol to the search once more, joined by direction."""
        for direction, datagrams in self._unknown.items():
            if len(datagrams) < 2:
                continue
            data = b"".join(datagram.data for datagram in datagrams)
            ref = Reference(
                file=self._talk.file,
                records=tuple(sorted({n for one in datagrams for n in one.numbers})),
                part=f"udp.{direction}",
            )
            self._talk.raw_payload(direction, data, ref.at(0, len(data)))
            ends = accumulate(len(datagram.data) for datagram in datagrams[:-1])
            self._talk.extract.payloads[-1].seams = tuple(ends)
