"""Each conversation opened: who began it, what its packets carry, its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from audit.readers.applications import is_from_client, is_from_server, open_streams
from audit.readers.behind import add_behind
from audit.readers.bytestream import ByteStream
from audit.readers.conversation import Conversation, Endpoint
from audit.readers.datagram_opening import open_datagrams
from audit.readers.frames import TCP
from audit.readers.glance import glance
from audit.readers.keylog import KeyLog
from audit.readers.lanes import LaneReader
from audit.readers.owners import NO_OWNER, Owner
from audit.readers.packetstore import Packets, Sorted
from audit.readers.recordchunk import Interface
from audit.readers.sealed import HANDSHAKE_LIMIT, clip, is_settled
from audit.readers.segments import Run
from audit.readers.tails import PEEKED
from audit.readers.talk import Talk, instant
from audit.readers.tcp import STREAM_LIMIT, Connection, Side, reassemble
from audit.readers.tlshello import begins_like_tls
from audit.tables.extract import Extract
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction

_KNOWN_PORTS: Final = 1024
CAPTURE_LIMIT: Final = 2 << 30
"""Bytes of streams that are put together of one capture, each of which has its own limit."""
_PEEK: Final = 64
_RANDOM_AT: Final = 11
"""Offset of the client's random: record and message header, version."""


@dataclass(slots=True, kw_only=True)
class Opening:
    """Opens the conversations of one capture."""

    extract: Extract
    capture: str
    file: str
    client: frozenset[str]
    keys: KeyLog
    read: Callable[[int, int], bytes]
    interfaces: tuple[Interface, ...]
    owners: tuple[Owner, ...]
    behind: dict[int, list[list[int]]] = field(default_factory=dict)
    """Conversation -> bytes that headers pass over: see :class:`audit.readers.behind.Behind`."""
    opened_bytes: int = 0
    """Bytes of streams that were put together so far, handshakes aside."""
    _found: Sorted = field(init=False)
    _spans: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    _lanes: LaneReader = field(init=False)

    def turn_to(self, found: Sorted) -> None:
        """Take the packets of the conversations that come next."""
        self._found, self._spans = found, found.spans()
        self._lanes = LaneReader(found, self.read)

    def misjudged(self, conversations: Iterable[Conversation]) -> frozenset[int]:
        """Return which of the conversations need what was left out of them."""
        return frozenset(
            conversation.index
            for conversation in conversations
            if conversation.proto == TCP and not self._is_enough(conversation)
        )

    def _is_enough(self, conversation: Conversation) -> bool:
        group, begin, end = self._spans.get(conversation.index, (0, 0, 0))
        packets = self._found.packets.take(slice(begin, end))
        if not packets.several.any():
            return True
        syn = conversation.syn_from_a
        if self._lanes.sealed(group, self.keys.of, syn_from_a=syn):
            return True
        return self._holds_enough(packets)

    def _holds_enough(self, packets: Packets) -> bool:
        limit = self._limit(packets)
        if limit != HANDSHAKE_LIMIT:
            return False
        connections = reassemble(packets, self.read, limit)
        return len(connections) == 1 and all(
            side.unread is None
            or (
                bool(side.runs)
                and side.runs[0].start == 0
                and (len(side.runs[0].data) < side.unread or is_settled(side.runs[0].data))
            )
            for side in (connections[0].a, connections[0].b)
        )

    def add(self, conversation: Conversation) -> bool:
        """Add the conversation's row and everything in it.

        Returns false, and adds nothing, where it needs what was left out of it.
        """
        group, begin, end = self._spans.get(conversation.index, (0, 0, 0))
        if begin < end and conversation.proto == TCP:
            return self._add_tcp(conversation, group, slice(begin, end))
        from_a = self._originator_is_a(conversation, [])
        talk = self._talk(conversation, from_a=from_a)
        if begin < end:
            packets = self._found.packets.take(slice(begin, end))
            open_datagrams(talk, conversation, packets, self.read, from_a=from_a)
        self._finish(talk)
        return True

    def _add_tcp(self, conversation: Conversation, group: int, rows: slice) -> bool:
        syn = conversation.syn_from_a
        sealed = self._lanes.sealed(group, self.keys.of, syn_from_a=syn)
        if sealed is not None:
            talk = self._talk(conversation, from_a=sealed.is_from_a)
            if not glance(talk, sealed):
                self._open_connection(talk, sealed.connection, from_a=sealed.is_from_a)
                self._finish(talk)
            return True
        packets = self._found.packets.take(rows)
        if packets.several.any() and not self._holds_enough(packets):
            return False
        connections = self._reassembled(packets, group)
        from_a = self._originator_is_a(conversation, connections)
        talk = self._talk(conversation, from_a=from_a)
        for connection in connections:
            self._open_connection(talk, connection, from_a=from_a)
        self._finish(talk)
        return True

    def _finish(self, talk: Talk) -> None:
        talk.row["host"] = talk.host
        talk.row["application"] = talk.application
        talk.row["transport"] = talk.transport()
        talk.row["content"] = talk.content()

    def _reassembled(self, packets: Packets, group: int) -> list[Connection]:
        if not packets.wire.any():
            return []
        limit = self._limit(packets)
        connections = self._joined(packets, group, limit)
        if limit == HANDSHAKE_LIMIT:
            firsts = [
                side.runs[0]
                for one in connections
                for side in (one.a, one.b)
                if side.runs and side.runs[0].start == 0
            ]
            are_odd = [clip(run) for run in firsts]
            if not any(are_odd):
                return connections
            connections = self._joined(packets, group, self._most())
        sides = [side for one in connections for side in (one.a, one.b)]
        self.opened_bytes += sum(len(run.data) for side in sides for run in side.runs)
        return connections

    def _joined(self, packets: Packets, group: int, limit: int) -> list[Connection]:
        simple = self._lanes.whole(group, limit)
        return [simple] if simple else reassemble(packets, self.read, limit)

    def _most(self) -> int:
        """Return how many bytes of a direction may still be put together."""
        return min(STREAM_LIMIT, max(CAPTURE_LIMIT - self.opened_bytes, HANDSHAKE_LIMIT))

    def _limit(self, packets: Packets) -> int:
        """Return how many bytes to put together: of TLS that stays closed only the handshake."""
        for index in np.flatnonzero(packets.length > 0)[:PEEKED]:
            data = self.read(int(packets.offset[index]), min(int(packets.length[index]), _PEEK))
            if begins_like_tls(data, 1):
                random = data[_RANDOM_AT : _RANDOM_AT + 32]
                if not self.keys.of(random):
                    return HANDSHAKE_LIMIT
        return self._most()

    # -- roles

    def _originator_is_a(self, conversation: Conversation, connections: list[Connection]) -> bool:
        """SYN, else what the bytes say, else the client, else the lesser-known port."""
        if conversation.syn_from_a is not None:
            return conversation.syn_from_a
        if conversation.proto == TCP:
            for connection in connections:
                for side, is_a in ((connection.a, True), (connection.b, False)):
                    begin = side.runs[0].data if side.runs else b""
                    if is_from_client(begin):
                        return is_a
                    if is_from_server(begin):
                        return not is_a
            a, b = conversation.a, conversation.b
            if (a.address in self.client) != (b.address in self.client):
                return a.address in self.client
            if None not in (a.port, b.port):
                known = [(end.port or 0) < _KNOWN_PORTS for end in (a, b)]
                if known[0] != known[1]:
                    return known[1]
        return conversation.first_from_a

    def _talk(self, conversation: Conversation, *, from_a: bool) -> Talk:
        origin, target = conversation.a, conversation.b
        if not from_a:
            origin, target = target, origin
        client_is_originator = origin.address in self.client or target.address not in self.client
        talk = Talk(
            extract=self.extract,
            capture=self.capture,
            file=self.file,
            text=f"{conversation.name} {origin} > {target}",
            responder_ip=target.address,
            responder_port=target.port,
            client_is_originator=client_is_originator,
        )
        talk.row = self._row(talk, conversation, origin, target, from_a=from_a)
        talk.index = self.extract.add("conversations", talk.row)
        if conversation.index in self.behind:
            add_behind(talk, self.behind[conversation.index], self.read, from_a=from_a)
        return talk

    def _row(
        self,
        talk: Talk,
        conversation: Conversation,
        origin: Endpoint,
        target: Endpoint,
        *,
        from_a: bool,
    ) -> dict[str, object]:
        out, back = (0, 1) if from_a else (1, 0)
        ref = Reference(file=self.file, records=(conversation.first_number,))
        names = [
            self.interfaces[index].name
            for index in conversation.interfaces
            if index < len(self.interfaces)
        ]
        owner = self._owner(conversation) if conversation.owners else NO_OWNER
        first = instant(conversation.first_ts)
        last = conversation.last_ts
        row = talk.common(ref, conversation.first_ts, "plaintext")
        row |= {
            "proto": conversation.name,
            "originator_ip": origin.address,
            "originator_port": origin.port,
            "responder_port": target.port,
            "community_id": conversation.community_id,
            "iface": ",".join(dict.fromkeys(name for name in names if name)) or None,
            "packets_out": conversation.packets[out],
            "packets_in": conversation.packets[back],
            "bytes_out": conversation.bytes[out],
            "bytes_in": conversation.bytes[back],
            "payload_bytes": sum(conversation.payload),
            "missed_bytes": 0,
            "first_seen": first,
            "last_seen": first if last == conversation.first_ts else instant(last),
            "process_name": owner.name,
            "uid": owner.uid,
        }
        return row

    def _owner(self, conversation: Conversation) -> Owner:
        """Return the one program that the file names; none where it names several."""
        found = {self.owners[number] for number in conversation.owners}
        return found.pop() if len(found) == 1 else NO_OWNER

    # -- TCP

    def _open_connection(self, talk: Talk, connection: Connection, *, from_a: bool) -> None:
        sides = (connection.a, connection.b) if from_a else (connection.b, connection.a)
        reset = any(side.reset for side in sides)
        streams, rests = [], []
        for side, originates in zip(sides, (True, False), strict=True):
            direction = talk.direction(from_originator=originates)
            first, later = self._runs(side, direction, reset=reset)
            streams.append(first)
            rests += later
        missed = sum(side.missed for side in sides)
        talk.row["missed_bytes"] = missed + int(str(talk.row["missed_bytes"]))
        open_streams(talk, streams[0], streams[1], "plaintext", self.keys)
        opened = talk.transport() != "metadata-only"
        for rest in rests:
            if talk.transport() == "plaintext":
                talk.raw(rest, "plaintext")
            else:  # records after a gap: their sequence numbers are not known
                talk.saw("metadata-only", "opaque")
        if opened and missed:
            talk.cut(f"{missed} bytes of the connection are not in the capture")
        for side in sides:
            if opened and side.beyond:
                talk.cut(f"{side.beyond} bytes beyond the bound of a stream were not read")
            if opened and side.conflicts:
                self._add_conflicts(talk, side, side is sides[0])
            if side.strays:
                talk.cut(f"{side.strays} segments fit nowhere in the connection")

    def _add_conflicts(self, talk: Talk, side: Side, originates: bool) -> None:
        """Search what came in the place of other bytes; where it is sealed, say so."""
        if talk.transport() != "plaintext":
            talk.cut(f"{len(side.conflicts)} segments differ from a copy that came before")
            return
        direction = talk.direction(from_originator=originates)
        for run in side.conflicts:
            stream = self._stream(run, direction)
            stream.part = f"tcp.{direction}/again"
            talk.raw(stream, "plaintext")

    def _runs(
        self, side: Side, direction: Direction, *, reset: bool
    ) -> tuple[ByteStream, list[ByteStream]]:
        """Return the stream from its beginning to the first gap, and what comes after gaps."""
        made = [self._stream(run, direction) for run in side.runs]
        begins = bool(side.runs) and side.runs[0].start == 0
        empty = ByteStream(file=self.file, part=f"tcp.{direction}", direction=direction)
        first = made[0] if begins else empty
        whole = not side.missed and not side.beyond
        first.closed = whole and (side.ended is not None or reset)
        return first, made[1:] if begins else made

    def _stream(self, run: Run, direction: Direction) -> ByteStream:
        return ByteStream(
            file=self.file,
            part=f"tcp.{direction}",
            direction=direction,
            data=run.data,
            base=run.start,
            starts=run.starts,
            records=[(number,) for number in run.numbers],
            times=run.times,
        )
