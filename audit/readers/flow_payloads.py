"""Bytes of the proxy's flows that no message of theirs has, handed to the search."""

from __future__ import annotations

from itertools import accumulate

from audit.readers.datagrams import JOINED_LIMIT
from audit.readers.endpoint import is_address
from audit.readers.flow_parts import states
from audit.readers.flow_state import Flow, octets, section
from audit.readers.http_message import HttpMessage
from audit.tables.extract import Extract, Payload
from audit.tables.vocabulary import Direction, Location

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


def add_names(
    extract: Extract, flow: Flow, owner: Owner, request: HttpMessage | None = None
) -> None:
    """Add the names of the client's TLS hello and of the server it asked for.

    Only those that the request's own head does not have, and no addresses.
    """
    shown = _heads(flow, request)
    asked = section(flow.state, "request").get("host") if request else None
    dialled = flow.ends.responder[0] if request and flow.ends.responder else None
    places: tuple[tuple[object, Location, str], ...] = (
        (flow.ends.sni, "sni", "tls.sni"),
        (asked or dialled, "header", "request.host"),
    )
    for written, location, part in places:
        name = written if isinstance(written, str) else ""
        if not name or is_address(name) or name.lower() in shown:
            continue
        shown += f" {name.lower()}"
        data = name.encode("utf-8", "surrogateescape")
        extract.payloads.append(
            Payload(
                table=owner[0],
                row=owner[1],
                location=location,
                detail=":authority" if location == "header" else "",
                direction="sent",
                data=data,
                ref=flow.record.at(0, len(data), part=part),
            )
        )


def _heads(flow: Flow, request: HttpMessage | None) -> str:
    if request is None:
        return ""
    authority = octets(section(flow.state, "request").get("authority") or b"")
    hosts = [value for key, value in request.headers if key.lower() == b"host"]
    return b" ".join([authority, *hosts]).decode("utf-8", "surrogateescape").lower()


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
