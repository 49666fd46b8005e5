"""The datagrams of one conversation: fragments joined, QUIC and DTLS told apart from the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final

from audit.readers.conversation import Conversation
from audit.readers.datagrams import DNS_PORTS, Datagram, DatagramReader
from audit.readers.dtls import DtlsHellos, is_dtls, says_no_hello
from audit.readers.fragments import Pieces
from audit.readers.frames import ICMP, ICMP6, UDP
from audit.readers.packetstore import Packets
from audit.readers.quic import QuicHellos, is_quic
from audit.readers.sealed_rows import add_dtls, add_quic
from audit.readers.tails import HELLO_LIMIT, SNIFF_LIMIT
from audit.readers.talk import Talk
from audit.readers.tunnels import tunnel_of

_ERRORS: Final = {(ICMP, 3), (ICMP, 5), (ICMP, 11), (ICMP, 12), *((ICMP6, n) for n in range(1, 5))}
_NEIGHBOURS: Final = (130, 131, 132, 133, 134, 135, 136, 137, 143)
_ECHO: Final = {(ICMP, 8), (ICMP, 0), (ICMP6, 128), (ICMP6, 129)}
CONVERSATION_LIMIT: Final = 64 << 20
"""Payload bytes of one conversation that go to the search."""
_UDP_HEADER: Final = 8
_STEP: Final = 16
"""Packets looked up at a time: of many a conversation only the first are read."""


def open_datagrams(
    talk: Talk,
    conversation: Conversation,
    packets: Packets,
    read: Callable[[int, int], bytes],
    *,
    from_a: bool,
) -> None:
    """Add the rows of a UDP conversation, the payloads of pings, what else the client sends."""
    datagrams = _datagrams(talk, packets, read, from_a=from_a)
    if conversation.proto != UDP and (conversation.proto, conversation.a.port) not in _ECHO:
        _note_tunnel(talk, conversation, b"")
        _read_others(talk, conversation, datagrams)
        return
    first: list[Datagram] = []
    for datagram in islice(datagrams, SNIFF_LIMIT):
        first.append(datagram)
        if is_quic(datagram.data):
            _open_quic(talk, first, datagrams, packets)
            return
    if any(is_dtls(datagram.data) for datagram in first):
        _open_dtls(talk, first, datagrams)
    else:
        ports = (conversation.a.port, conversation.b.port)
        _note_tunnel(talk, conversation, first[0].data if first else b"")
        reader = DatagramReader(talk, is_dns_port=any(port in DNS_PORTS for port in ports))
        _read_plain(talk, reader, first, datagrams)


def _note_tunnel(talk: Talk, conversation: Conversation, data: bytes) -> None:
    """Say of a tunnel that the conversations in it are not told apart."""
    ports = (conversation.a.port, conversation.b.port) if conversation.proto == UDP else ()
    name = tunnel_of(conversation.proto, ports, data)
    if name is None:
        return
    talk.speaks(name)
    count = sum(conversation.packets)
    if name == "esp":
        talk.saw("metadata-only", "opaque")
    else:
        talk.cut(f"{count} packets carry others ({name}): the conversations inside are not opened")


def _read_others(talk: Talk, conversation: Conversation, datagrams: Iterator[Datagram]) -> None:
    """Search what the client sends by other protocols; nothing there is judged.

    Errors of ICMP quote a packet, of whose header addresses are a part: that is left out. So are
    messages that find neighbours, which stay on the link and consist of addresses.
    """
    skip = 0
    kind = conversation.a.port
    if conversation.proto == ICMP6 and kind in _NEIGHBOURS:
        return
    if (conversation.proto, kind) in _ERRORS:
        skip = 48 if conversation.proto == ICMP6 else 28
    reader = DatagramReader(talk, is_dns_port=False)
    left = CONVERSATION_LIMIT
    for datagram in datagrams:
        if datagram.direction == "sent":
            left -= len(datagram.data)
            if left < 0:
                talk.cut(f"only {CONVERSATION_LIMIT} bytes of its packets were read")
                return
            reader.add_raw(datagram._replace(data=datagram.data[skip:], lead=datagram.lead + skip))


def _read_plain(
    talk: Talk, reader: DatagramReader, first: list[Datagram], later: Iterator[Datagram]
) -> None:
    left = CONVERSATION_LIMIT
    for datagrams in (first, later):
        for datagram in datagrams:
            left -= len(datagram.data)
            if left < 0:
                talk.cut(f"only {CONVERSATION_LIMIT} bytes of its datagrams were read")
                reader.finish()
                return
            reader.add(datagram)
    reader.finish()


def _open_quic(
    talk: Talk, first: list[Datagram], later: Iterator[Datagram], packets: Packets
) -> None:
    found = QuicHellos()
    reader = DatagramReader(talk, is_dns_port=False)
    limit = SNIFF_LIMIT + HELLO_LIMIT
    in_pieces = bool((packets.fragment >= 0).any())
    for datagram in chain(first, islice(later, limit - len(first))):
        if not found.done:
            found.add(datagram.data, datagram.numbers[-1], from_client=datagram.from_originator)
            if datagram.from_originator:
                reader.add_raw(datagram)  # connection ids and tokens are in clear
        elif not in_pieces:
            if len(packets) < limit:
                _note_cut(talk, int((packets.wire > packets.length).sum()))
            break
    talk.saw("metadata-only", "opaque")
    add_quic(talk, found, first[0].ts)


def _note_cut(talk: Talk, count: int) -> None:
    if count:
        talk.cut(f"{count} datagrams are cut off by the capture")


def _open_dtls(talk: Talk, first: list[Datagram], later: Iterator[Datagram]) -> None:
    """DTLS carries media or data besides STUN; that, hellos and what is no DTLS are in clear."""
    found = DtlsHellos()
    reader = DatagramReader(talk, is_dns_port=False)
    looked, left = 0, CONVERSATION_LIMIT
    for datagrams in (first, later):
        for datagram in datagrams:
            if reader.add_stun(datagram):
                continue
            if not is_dtls(datagram.data) or says_no_hello(datagram.data):
                left -= len(datagram.data)
                if left < 0:
                    talk.cut(f"only {CONVERSATION_LIMIT} bytes of its datagrams were read")
                    break
                reader.add_raw(datagram)
            elif looked < HELLO_LIMIT:
                looked += 1
                found.add(datagram.data, datagram.numbers[-1])
    talk.saw("metadata-only", "opaque")
    add_dtls(talk, found, first[0].ts)


def _datagrams(
    talk: Talk, packets: Packets, read: Callable[[int, int], bytes], *, from_a: bool
) -> Iterator[Datagram]:
    """Yield whole datagrams in order of time, then the parts of those that are not whole."""
    open_pieces: dict[tuple[bool, int], Pieces] = {}
    heads: dict[tuple[bool, int], Datagram] = {}
    cut = contradictory = 0
    for datagram, wire, fragment, more, ident in _singles(talk, packets, read, from_a=from_a):
        cut += wire > len(datagram.data)
        if fragment < 0:
            yield datagram
            continue
        key = (datagram.from_originator, ident)
        pieces = open_pieces.setdefault(key, Pieces())
        heads.setdefault(key, datagram)
        at = max(fragment - _UDP_HEADER, 0)
        whole = pieces.add(at, datagram.data, datagram.numbers[0], is_last=not more)
        if whole is not None:
            del open_pieces[key]
            head = heads.pop(key)
            yield _joined(head, whole, pieces.numbers)
            others = pieces.others(whole)
            for data in others:
                yield _joined(head, data, pieces.numbers)
            contradictory += bool(others)
    for key, pieces in open_pieces.items():
        for _, data in pieces.parts():
            yield _joined(heads[key], data, pieces.numbers)
    if open_pieces:
        talk.cut(f"{len(open_pieces)} datagrams lack fragments")
    if contradictory:
        talk.cut(f"{contradictory} datagrams have fragments that contradict each other")
    _note_cut(talk, cut)


def _singles(
    talk: Talk, packets: Packets, read: Callable[[int, int], bytes], *, from_a: bool
) -> Iterator[tuple[Datagram, int, int, bool, int]]:
    """Yield each packet's datagram, bytes on the wire, fragment offset, more, identification."""
    directions = {is_own: talk.direction(from_originator=is_own) for is_own in (True, False)}
    step = _STEP
    for begin in range(0, len(packets), step):
        part = slice(begin, begin + step)
        columns = (
            packets.offset, packets.length, packets.from_a, packets.ts, packets.number,
            packets.lead, packets.wire, packets.fragment, packets.more, packets.ident,
        )  # fmt: skip
        for offset, length, is_a, ts, number, lead, *rest in zip(
            *[column[part].tolist() for column in columns], strict=True
        ):
            own = is_a == from_a
            data = read(offset, length)
            yield Datagram(data, directions[own], own, ts, (number,), lead), *rest


def _joined(head: Datagram, data: bytes, numbers: list[int]) -> Datagram:
    return Datagram(
        data=data,
        direction=head.direction,
        from_originator=head.from_originator,
        ts=head.ts,
        numbers=tuple(sorted(numbers)),
        lead=0,
    )
