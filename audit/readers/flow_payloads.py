"""Bytes of the proxy's flows that no message of theirs has, handed to the search."""

from __future__ import annotations

from itertools import accumulate

from audit.readers.datagrams import JOINED_LIMIT
from audit.readers.flow_parts import states
from audit.readers.flow_state import Flow, octets, section
from audit.readers.http_message import HttpMessage
from audit.tables.extract import Extract, Payload
from audit.tables.vocabulary import Direction

Owner = tuple[str, int]
"""Table and index of the row that payloads belong to."""


def add_authority(
    extract: Extract, flow: Flow, owner: Owner, request: HttpMessage, authority: bytes
) -> None:
    """Add the authority of HTTP/2 or of an absolute target, which the head does not have."""
    if not authority or authority in request.first_line:
        return
    known = [value for key, value in request.headers if key.lower() == b"host"]
    if authority not in known:
        extract.payloads.append(
            Payload(
                table=owner[0],
                row=owner[1],
                location="header",
                detail=":authority",
                direction="sent",
                data=authority,
                ref=flow.record.at(0, len(authority), part="request.authority"),
            )
        )


def add_joined(
    extract: Extract, flow: Flow, index: int, direction: Direction, chunks: list[bytes]
) -> None:
    """Add datagrams once more, joined: what lies in two of them counts."""
    ends = [end for end in accumulate(map(len, chunks)) if end <= JOINED_LIMIT]
    if len(ends) > 1:
        extract.payloads.append(
            Payload(
                table="conversations",
                row=index,
                location="payload",
                detail="",
                direction=direction,
                data=b"".join(chunks[: len(ends)]),
                ref=flow.record.at(0, ends[-1], part=f"udp.{direction}"),
                seams=tuple(ends[:-1]),
            )
        )


def add_records(extract: Extract, flow: Flow, owner: Owner) -> None:
    """Add the data of records that the client sends along with a question of DNS."""
    query = section(flow.state, "request")
    for kind in ("answers", "authorities", "additionals"):
        for place, entry in enumerate(states(query, kind), start=1):
            data = octets(entry.get("data"))
            if data:
                extract.payloads.append(
                    Payload(
                        table=owner[0],
                        row=owner[1],
                        location="dns",
                        detail="message",
                        direction="sent",
                        data=data,
                        ref=flow.record.of(f"dns.{kind}.{place}"),
                    )
                )
