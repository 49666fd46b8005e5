"""The values of one capture, place by place: what installs are compared by."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from audit.identifiers.entropy import estimate
from audit.identifiers.leaves import Cut, FieldValue, leaves_of
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.observed import Given, Observed, Spot, SpotKey

MAX_VALUES: Final = 2_000_000
"""Different telling values of one capture that are kept."""
LIST: Final = 4
"""Values at one place of one answer from which it is a directory."""
SKIPPED_HEADERS: Final = frozenset(
    {
        "host", ":authority", ":path", ":method", ":scheme", "cookie", "date", "content-length",
        "content-type", "accept", "accept-encoding", "accept-language", "connection", "upgrade",
        "proxy-authorization", "sec-websocket-key", "sec-websocket-accept", "transfer-encoding",
    }
)  # fmt: skip
"""Headers that are shown elsewhere (host, path, cookies) or that the protocol alone decides."""
CONDITIONAL: Final = {"if-none-match": "etag", "if-modified-since": "last-modified"}
"""Header that brings a value back -> the one that gave it (RFC 9110 §13.1)."""
FRESH_S: Final = 60
"""A Last-Modified this close before its answer tells when the answer was made, no more."""
_TOKEN: Final = re.compile(r'[\s,;"<>()]+')
_PAIR: Final = re.compile(r"([A-Za-z_][\w.-]{0,60})=(.+)", re.DOTALL)
_INDEX: Final = re.compile(r"\[\d+\]")
_STEP: Final = re.compile(r"(?<=[.> ])[^.> \[]+|\A[^.> \[]+")
_Found = Iterator[tuple[str, str]]
"""Location and value."""


def observe(extract: Extract) -> Observed:
    """Return the telling values of everything that was read; controls and system left out."""
    observed = Observed(begins_anew=_begins_anew(extract.rows))
    cut = Cut()
    for payload in extract.payloads:
        row = _owner(extract, payload)
        if row is not None and not payload.seams and len(observed.every) < MAX_VALUES:
            _add(observed, row, payload, list(_values(row, payload, cut)))
    _add_names(observed, extract.rows)
    if len(observed.every) >= MAX_VALUES:
        cut.reasons[f"more than {MAX_VALUES} values"] = None
    observed.cut = tuple(cut.reasons)
    return observed


def _begins_anew(tables: Mapping[str, Sequence[Row]]) -> bool:
    return any(
        row.get("name") == "app.install.clean" and row.get("driver") == "recorder"
        for row in tables.get("events", ())
    )


def _owner(extract: Extract, payload: Payload) -> Row | None:
    row = extract.rows[payload.table][payload.row]
    return None if row.get("process") in ("control", "os") else row


def _add(observed: Observed, row: Row, payload: Payload, found: list[tuple[str, str]]) -> None:
    recipient, at = recipient_of(row), str(row.get("ts") or "")
    per_place: defaultdict[str, set[str]] = defaultdict(set)
    for location, value in found:
        per_place[location].add(value)
    for location, value in found:
        observed.every.add(value)
        if payload.direction == "sent":
            spot = observed.sent.setdefault(SpotKey(recipient, location), Spot())
            spot.add(value, f"{payload.table}#{payload.row}", at, str(payload.ref))
        elif value not in observed.given:
            observed.given[value] = Given(
                recipient, location, at, in_list=len(per_place[location]) >= LIST
            )


def recipient_of(row: Row) -> str:
    """Return who got a row's values, the same word for every install."""
    role = row.get("peer_role")
    if role:
        return str(role)
    host = row.get("host")
    return plain_host(str(host)) if host else "an address"


@lru_cache(maxsize=4096)
def plain_host(host: str) -> str:
    """Return a host name with its random labels as ``{}``."""
    return ".".join("{}" if estimate(label).is_random else label for label in host.split("."))


def _values(row: Row, payload: Payload, cut: Cut) -> _Found:
    """Yield the telling values of a payload."""
    of = _request(row)
    match payload.location:
        case "path":
            found = _path(payload) if not payload.detail else iter(())
        case "header" | "trailer":
            found = _header(payload, of)
        case "cookie":
            found = _cookie(payload, cut)
        case "query":
            leaves = leaves_of(payload.data, hint="form", cut=cut)
            found = ((f"query {place} of {of}", value) for place, value in _told(leaves))
        case "dns" | "sni":
            return
        case _:
            found = _body(payload, of, cut)
    for location, value in found:
        if _is_telling(value) or _is_modified(location, value, row):
            yield location, canonical(value)


def _is_telling(value: str) -> bool:
    return estimate(value).is_telling


def _is_modified(location: str, value: str, row: Row) -> bool:
    """Whether a value is a Last-Modified that could mark its reader: no moment of the answer."""
    name = location.split(" ")[1] if location.startswith("header ") else ""
    if name == "if-modified-since":
        return True
    if name != "last-modified":
        return False
    from email.utils import parsedate_to_datetime

    try:
        said = parsedate_to_datetime(value).timestamp()
        answered = datetime.fromisoformat(str(row.get("ts"))).timestamp()
    except (ValueError, TypeError, OverflowError):
        return False
    return not answered - FRESH_S <= said <= answered + FRESH_S


def canonical(value: str) -> str:
    """Return a value as it is compared: hexadecimal digits and UUIDs without case and signs."""
    bare = value.strip().strip("{}").lower()
    digits = bare.replace("-", "").replace(":", "").removeprefix("0x")
    if len(digits) >= 6 and not digits.isdigit() and not digits.strip("0123456789abcdef"):
        return digits
    return value.strip()


def _request(row: Row) -> str:
    method, path = row.get("method"), row.get("path")
    if not method or not isinstance(path, str):
        return ""
    return f"{method} {plain_path(path)}"


@lru_cache(maxsize=4096)
def plain_path(path: str) -> str:
    """Return a path with its random and numbered segments as ``{}``."""
    return "/".join(
        "{}" if part.isdigit() or estimate(part).is_random else part
        for part in path.split("/")[:30]
    )


def plain_place(path: str) -> str:
    """Return the path of a field with indices as ``[*]`` and random names as ``{}``."""
    return _STEP.sub(
        lambda step: "{}" if estimate(step[0]).is_random else step[0], _INDEX.sub("[*]", path)
    )[:200]


def _told(leaves: Iterator[FieldValue]) -> _Found:
    for leaf in leaves:
        if not leaf.is_name:
            yield plain_place(leaf.path), leaf.text
        elif estimate(leaf.text).is_random:
            yield f"name of {plain_place(leaf.path)}", leaf.text


def _path(payload: Payload) -> _Found:
    from urllib.parse import unquote

    parts = payload.data.decode("utf-8", "replace").split("/")[:30]
    for at, part in enumerate(parts):
        around = [*(plain_path(other) for other in parts[:at]), "<here>"]
        yield f"path {'/'.join(around)}", unquote(part)


def _header(payload: Payload, of: str) -> _Found:
    name = payload.detail.lower()
    if name in SKIPPED_HEADERS or payload.data.strip().lower() == name.encode():
        return
    text = payload.data.decode("utf-8", "replace").strip()
    place = f"{payload.location} {name}"
    if name in CONDITIONAL or name in CONDITIONAL.values():
        yield f"{place} of {of}", text.removeprefix("W/").strip('"')
        return
    if name in ("referer", "location", "content-location"):
        yield from _url(text, place)
        return
    parts = [part for part in _TOKEN.split(text) if part]
    for at, part in enumerate(parts):
        pair = _PAIR.fullmatch(part)
        where = f"{place} {pair[1]}" if pair else place + (f" [{at}]" if parts[1:] else "")
        for inner, value in _told(leaves_of((pair[2] if pair else part).encode())):
            yield f"{where} {inner}".strip(), value


def _url(text: str, place: str) -> _Found:
    try:
        url = urlsplit(text)
    except ValueError:
        return
    for at, part in enumerate(url.path.split("/")[:30]):
        yield f"{place} path [{at}]", part
    for inner, value in _told(leaves_of(url.query.encode("utf-8", "replace"), hint="form")):
        yield f"{place} query {inner}", value


def _cookie(payload: Payload, cut: Cut) -> _Found:
    data = payload.data
    if payload.direction == "received":
        data = data.partition(b";")[0].partition(b"=")[2]
    if data.strip() == payload.detail.encode() and payload.direction == "sent":
        return
    for inner, value in _told(leaves_of(data, cut=cut)):
        yield f"cookie {payload.detail} {inner}".strip(), value


def _body(payload: Payload, of: str, cut: Cut) -> _Found:
    hint = (payload.content_type or "").lower()
    if "x-www-form-urlencoded" in hint:
        hint = "form"
    leaves = leaves_of(payload.data, payload.content_encoding, hint, cut)
    kind = "body" if payload.location == "response" else payload.location
    for place, value in _told(leaves):
        if place or payload.location != "payload":
            yield " ".join(part for part in (kind, place, of and f"of {of}") if part), value


def _add_names(observed: Observed, tables: Mapping[str, Sequence[Row]]) -> None:
    """Add the labels of names that were looked up or named in a hello.

    A look-up of several types is one: its number among those of one name and type tells it apart.
    """
    counts: defaultdict[tuple[str, str], int] = defaultdict(int)
    for table, column, what in (
        ("dns_queries", "name", "DNS label"),
        ("tls_handshakes", "sni", "server name label"),
    ):
        for row in tables.get(table, ()):
            name = row.get(column)
            if not isinstance(name, str) or row.get("process") in ("control", "os"):
                continue
            kind = f"{table} {row.get('qtype')}"
            counts[name, kind] += 1
            for label in (one for one in name.split(".") if estimate(one).is_random):
                value = canonical(label)
                observed.every.add(value)
                key = SpotKey(plain_host(name), f"{what} of {plain_host(name)}")
                observed.sent.setdefault(key, Spot()).add(
                    value,
                    f"{table} {name} {counts[name, kind]}",
                    str(row.get("ts") or ""),
                    str(row.get("ref") or ""),
                )
