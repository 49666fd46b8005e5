"""What a TLS client says in clear, handed to the search: hellos, certificates, alerts, odd bytes.

Whatever stands in front of the first sealed record is in clear: session ids, tickets, names of
protocols and of keys (PSK identities), unknown extensions, a client's certificate in TLS 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from audit.readers.bytestream import ByteStream
from audit.readers.talk import Talk
from audit.readers.tlshello import APPLICATION, CHANGE_CIPHER, HANDSHAKE, Record, records_of
from audit.tables.extract import Payload
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction

Owner = tuple[str, int]
"""Table and index of the row that payloads belong to."""
Span = tuple[int, int]
DETAIL = "tls hello"


def clear_spans(data: bytes) -> tuple[list[Span], list[Record]]:
    """Return what of a client's stream is in clear, and which handshake records are."""
    spans: list[Span] = []
    hellos: list[Record] = []
    sealed, end = False, 0
    for record in records_of(data):
        end = record.end
        is_clear = not sealed and record.type != APPLICATION
        is_clear |= record.type == HANDSHAKE and _is_hello(data, record)
        if is_clear:
            spans.append((record.start, end))
            if record.type == HANDSHAKE:
                hellos.append(record)
        sealed |= record.type in {APPLICATION, CHANGE_CIPHER}
    rest = data[end:]
    if rest and (not _begins_record(rest) or not (sealed or rest[0] == APPLICATION)):
        spans.append((end, len(data)))
    return spans, hellos


def _begins_record(data: bytes) -> bool:
    return 20 <= data[0] <= 24 and data[1:2] in {b"", b"\3"}


def _is_hello(data: bytes, record: Record) -> bool:
    """Whether a record holds one whole ClientHello, as after a HelloRetryRequest."""
    start = record.start + 5
    return record.length > 42 and data[start : start + 4] == b"\1" + (record.length - 4).to_bytes(
        3, "big"
    )


def add_clear(talk: Talk, owner: Owner, client: ByteStream, name: Span) -> None:
    """Add what a client's stream has in clear but for the server name, which lies at ``name``."""
    spans, hellos = clear_spans(client.data)
    for start, end in without(merged(spans), name):
        add_run(talk, owner, client, start, end)
    if len(hellos) > 1:
        pieces = [client.data[record.start + 5 : record.end] for record in hellos]
        data = b"".join(pieces)
        ref = client.at(hellos[0].start, hellos[-1].end)
        ref = ref.at(0, len(data), part=f"{client.part}/handshake")
        _add(talk, owner, client.direction, data, ref)
        talk.extract.payloads[-1].seams = tuple(accumulate(map(len, pieces[:-1])))


def add_run(talk: Talk, owner: Owner, client: ByteStream, start: int, end: int) -> None:
    """Add one run of a client's stream, if there is any."""
    if start < end:
        _add(talk, owner, client.direction, client.data[start:end], client.at(start, end))


def add_hello_body(talk: Talk, owner: Owner, body: bytes, name: bytes, ref: Reference) -> None:
    """Add the bytes of a hello that was put together, but for the server name."""
    direction = talk.direction(from_originator=True)
    for begin, end in without([(0, len(body))], place_of(name, body)):
        _add(talk, owner, direction, body[begin:end], ref.at(begin, end))


def place_of(name: bytes, data: bytes) -> Span:
    """Return where a name stands in some bytes; nowhere: an empty span, such as of one in parts."""
    start = data.find(name) if name else -1
    return (start, start + len(name)) if start >= 0 else (0, 0)


def merged(spans: list[Span]) -> list[Span]:
    """Return spans that follow one another as one."""
    found: list[Span] = []
    for start, end in spans:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def without(spans: list[Span], hole: Span) -> Iterator[Span]:
    """Yield the parts of spans that lie outside of ``hole``."""
    for start, end in spans:
        for part in ((start, min(end, hole[0])), (max(start, hole[1]), end)):
            if part[0] < part[1]:
                yield part


def _add(talk: Talk, owner: Owner, direction: Direction, data: bytes, ref: Reference) -> None:
    talk.extract.payloads.append(
        Payload(
            table=owner[0],
            row=owner[1],
            location="payload",
            detail=DETAIL,
            direction=direction,
            data=data,
            ref=ref,
        )
    )
