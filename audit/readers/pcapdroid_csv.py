"""PCAPdroid's CSV export as rows: one connection each, with its 5-tuple and counters.

``IPProto,SrcIP,SrcPort,DstIp,DstPort,UID,App,PackageName,Proto,Status,Info,BytesSent,BytesRcvd,
PktsSent,PktsRcvd,FirstSeen,LastSeen[,Malicious]``; early versions have no ``PackageName``. Nothing
is quoted: a comma in the name of an app (or in ``Info``) makes a field more, which is put right
where exactly one reading makes sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from audit.readers.endpoint import conversation_text, is_address, moment_of, plain_address
from audit.readers.inputkind import InputKind, ReadOptions
from audit.readers.listing import LISTED, Listing, server_columns, user_id
from audit.tables.extract import Extract
from audit.tables.frames import Row
from audit.tables.vocabulary import Location

_FIRST: Final = ["IPProto", "SrcIP", "SrcPort", "DstIp", "DstPort", "UID"]
_LAST: Final = ["BytesSent", "BytesRcvd", "PktsSent", "PktsRcvd", "FirstSeen", "LastSeen"]
_MIDDLE: Final = ("App", "PackageName", "Proto", "Status", "Info")
_PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmp6"}
"""IANA numbers, as the export has them."""
_PACKAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*\Z")
_PROTO: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+/-]*\Z")
_TRUE: Final = frozenset({"true", "1", "yes"})
_DNS: Final = "dns"
_SNI: Final = frozenset({"tls", "https", "quic"})


def read_pcapdroid_csv(path: Path, options: ReadOptions) -> Extract:
    """Read an export; raises :class:`CaptureError` for a file of which no line is part of one."""
    listing = Listing(options)
    lines = listing.lines(path)
    number, head = next(lines, (0, b""))
    columns = _columns(head)
    if number and not columns:
        listing.problems.add(number, "it names no columns of PCAPdroid")
        return listing.finish(rows=0)
    rows = malicious = 0
    for number, line in lines:
        try:
            fields = _fields(line.decode("utf-8", "surrogateescape"), columns)
            _add(listing, number, line, fields)
        except (ValueError, OverflowError) as error:
            listing.problems.add(number, str(error))
            continue
        rows += 1
        malicious += fields.get("Malicious", "").strip().lower() in _TRUE
    if rows:
        listing.extract.limits.append(
            f"{options.file} lists {rows} connections and their sizes: nothing of what was sent"
        )
    if malicious:
        listing.extract.limits.append(
            f"{malicious} connections in {options.file} were marked as malicious by PCAPdroid"
        )
    return listing.finish(rows=rows)


def _columns(head: bytes) -> list[str]:
    """Return the columns that a first line names; empty: it is none of PCAPdroid's."""
    names = [name.strip() for name in head.decode("utf-8", "replace").split(",")]
    middle = names[len(_FIRST) :]
    at = middle.index(_LAST[0]) if _LAST[0] in middle else -1
    if names[: len(_FIRST)] != _FIRST or at < 0 or middle[at : at + len(_LAST)] != _LAST:
        return []
    return names if set(middle[:at]) <= set(_MIDDLE) and {"App", "Info"} <= set(middle) else []


def _fields(line: str, columns: list[str]) -> dict[str, str]:
    """Split a line; raises ``ValueError`` where no reading, or more than one, makes sense."""
    words = line.split(",")
    if len(words) < len(columns):
        raise ValueError(f"it has {len(words)} fields, not {len(columns)}")
    if len(words) == len(columns):
        return dict(zip(columns, words, strict=True))
    tail = len(columns) - columns.index(_LAST[0])
    left, middle, right = words[: len(_FIRST)], words[len(_FIRST) : -tail], words[-tail:]
    names = columns[len(_FIRST) : -tail]
    readings = list(_readings(middle, names))
    best = [fields for rank, fields in readings if rank == min(rank for rank, _ in readings)]
    if len(best) != 1:
        raise ValueError("it has commas too many, and no single reading of them makes sense")
    return dict(zip(columns, [*left, *best[0], *right], strict=True))


def _readings(words: list[str], names: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the ways to join words into the fields between ``UID`` and ``BytesSent``.

    Each with its rank: 0 where the package looks like one (a dot in it), 1 where it may be one.
    """
    extra = len(words) - len(names)
    for in_app in range(extra + 1):
        app = ",".join(words[: in_app + 1])
        rest = words[in_app + 1 :]
        fixed = len(names) - 2
        fields = [app, *rest[:fixed], ",".join(rest[fixed:])]
        known = dict(zip(names, fields, strict=True))
        package, proto = known.get("PackageName", ""), known.get("Proto", "x")
        if (not package or _PACKAGE.match(package)) and _PROTO.match(proto):
            yield int("." not in package), fields


def _add(listing: Listing, number: int, line: bytes, fields: dict[str, str]) -> None:
    originator = _end(fields["SrcIP"], fields["SrcPort"])
    responder = _end(fields["DstIp"], fields["DstPort"])
    proto = _PROTOCOLS.get(fields["IPProto"].strip(), fields["IPProto"].strip().lower())
    spoken = fields.get("Proto", "").strip().lower()
    first, last = moment_of(fields["FirstSeen"].strip()), moment_of(fields["LastSeen"].strip())
    info = fields["Info"].strip()
    common = listing.common(number) | {
        "ts": first or last,
        "responder_ip": responder[0],
        "conversation": _conversation(proto, originator, responder),
    }
    row: Row = common | {
        "proto": proto,
        "originator_ip": originator[0],
        "originator_port": originator[1] or None,
        "responder_port": responder[1] or None,
        "bytes_out": _count(fields["BytesSent"]),
        "bytes_in": _count(fields["BytesRcvd"]),
        "packets_out": _count(fields["PktsSent"]),
        "packets_in": _count(fields["PktsRcvd"]),
        "first_seen": first,
        "last_seen": last,
        "application": "tls" if spoken == "https" else spoken or None,
        "transport": "metadata-only",
        "process_name": fields.get("PackageName") or fields["App"].strip() or None,
        "process_basis": "package" if fields.get("PackageName") else None,
        "uid": user_id(int(fields["UID"])),
    }
    if spoken == _DNS:
        listing.extract.add("conversations", row)
        if info:
            question = common | {"name": _name(info), "server": responder[0], "protocol": proto}
            listing.add("dns_queries", question, line, number, "dns")
        return
    where: Location = "sni" if spoken in _SNI else "header"
    listing.add("conversations", row | _named(info), line, number, where)


def _conversation(
    proto: str, originator: tuple[str, int], responder: tuple[str, int]
) -> str | None:
    return conversation_text(proto, originator, responder) if proto in {"tcp", "udp"} else None


def _end(address: str, port: str) -> tuple[str, int]:
    host, number = address.strip(), int(port)
    if not is_address(host) or not 0 <= number < 1 << 16:
        raise ValueError(f"{host[:60]!r} port {number} is no end of a connection")
    return plain_address(host), number


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number < 1 << 62:
        raise ValueError(f"{number} is no count")
    return number


def _name(info: str) -> str:
    return str(server_columns(info).get("host") or info)


def _named(info: str) -> Row:
    """Return host and basis by ``Info``; a connection without a name keeps its address alone."""
    host = info.partition("/")[0]
    if not host or is_address(host.removeprefix("[").removesuffix("]")):
        return {}
    try:
        found = server_columns(host)
    except ValueError:
        return {}
    return {"host": found["host"], "host_basis": LISTED} if found["host"] else {}


def is_pcapdroid_csv(head: bytes) -> bool:
    """Whether the first line names the columns of PCAPdroid."""
    return bool(_columns(head.partition(b"\n")[0].rstrip(b"\r")))


PCAPDROID_CSV: Final = InputKind(
    name="PCAPdroid export (CSV)",
    tap="device",
    place="pcapdroid.csv",
    suffixes=(".csv",),
    knows=is_pcapdroid_csv,
    read=read_pcapdroid_csv,
)
