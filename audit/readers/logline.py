"""One line of a log, read by itself: JSON, syslog, error logs, and formats as configured.

A format tells when the line was written and its fields; what the fields hold is told elsewhere
(:mod:`audit.readers.logfields`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from audit.readers.logfields import snake
from audit.readers.logtime import TimeReader
from audit.readers.weblog import LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What one line says."""

    ts: float | None
    """Seconds since 1970 UTC; ``None``: it cannot be dated."""
    values: Mapping[str, bytes] = field(default_factory=dict)
    host: str | None = None
    """Machine or site that the line names as its own."""
    why: str = "it has no time"
    """Why there is no ``ts``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFormat:
    """How the lines of a log are written."""

    name: str
    """As sentences name it."""
    dataset: str
    parse: Callable[[bytes, TimeReader], Parsed | None]
    """``None``: the line is not of the format."""


_TIME_KEYS: Final = {name.lower(): name for name in (
    "EdgeStartTimestamp", "ts", "time", "timestamp", "@timestamp", "Datetime", "date",
    "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "time_iso8601", "time_local", "msec",
    "EventTimestampMs", "StartTime", "StartedAt", "created_at",
)}  # fmt: skip
"""Keys that hold the time of a line, in any case, in the order they are tried."""
_HOST_KEYS: Final = (
    "clientrequesthost", "host", "request.host", "server_name", "vhost", "_hostname", "hostname",
)  # fmt: skip
"""Keys that hold its host, in any case."""
MAX_FIELDS: Final = 400
_DEPTH: Final = 6


def flatten(data: object, prefix: str = "", depth: int = 0) -> dict[str, object]:
    """Return the scalars of a JSON value by dotted path; lists without their numbers."""
    found: dict[str, object] = {}
    if isinstance(data, dict) and depth < _DEPTH:
        for key, value in data.items():
            found |= flatten(value, f"{prefix}.{key}" if prefix else str(key), depth + 1)
    elif isinstance(data, list) and depth < _DEPTH:
        texts = [one for one in data if isinstance(one, str | int | float)]
        if texts:
            found[prefix] = ", ".join(map(str, texts))
        for one in data:
            if isinstance(one, dict | list):
                found |= flatten(one, prefix, depth + 1)
    elif isinstance(data, dict | list):
        found[prefix] = json.dumps(data)[:4096]
    else:
        found[prefix] = data
    return found


def from_record(values: Mapping[str, object], times: TimeReader) -> Parsed:
    """Return what a record of named values says, whoever wrote it."""
    lower = {key.lower(): key for key in values}
    why, at, used = "it has no time", None, None
    for folded, name in _TIME_KEYS.items():
        key = lower.get(folded)
        if key is not None and values[key] is not None:
            at, used = times.read(str(values[key])), key
            if at is not None:
                break
            why = f"its time in '{name}' cannot be read"
    host = next((str(values[lower[name]]) for name in _HOST_KEYS if name in lower), None)
    texts = {
        key: _bytes(value)
        for key, value in list(values.items())[:MAX_FIELDS]
        if key != used and value is not None and value != ""
    }
    return Parsed(ts=at, values=texts, host=_name(host), why=why)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _name(host: str | None) -> str | None:
    return host.rsplit(":", 1)[0].lower().rstrip(".") if host and host != "-" else None


def _json(line: bytes, times: TimeReader) -> Parsed | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return from_record(flatten(data), times) if isinstance(data, dict) else None


_RFC5424: Final = re.compile(
    rb"(?:<\d{1,3}>)?1 (?P<at>\S+) (?P<host>\S+) (?P<app>\S+) (?P<proc>\S+) (?P<id>\S+) "
    rb"(?P<rest>.*)\Z",
    re.DOTALL,
)
_RFC3164: Final = re.compile(
    rb"(?:<\d{1,3}>)?(?P<at>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?P<host>\S+) (?P<rest>.*)\Z",
    re.DOTALL,
)
_ISO: Final = re.compile(
    rb"(?:<\d{1,3}>)?(?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?) "
    rb"(?P<rest>.*)\Z",
    re.DOTALL,
)
_TAGGED: Final = re.compile(rb"(?P<host>[A-Za-z0-9._-]+) [^\s:\[]+(?:\[\d+\])?: ")


def _syslog(line: bytes, times: TimeReader) -> Parsed | None:
    for pattern, why in (
        (_RFC5424, "its time cannot be read"),
        (_RFC3164, "it names no year, and neither file nor source tells it"),
        (_ISO, "its time cannot be read"),
    ):
        found = pattern.match(line)
        if found:
            parts = found.groupdict()
            rest = parts["rest"]
            host = parts.get("host")
            tagged = _TAGGED.match(rest) if host is None else None
            if tagged:
                host = tagged["host"]
            return Parsed(
                ts=times.read(parts["at"].decode("latin-1")),
                values={"message": rest},
                host=_name(host.decode("latin-1")) if host else None,
                why=why,
            )
    return None


_NGINX_ERROR: Final = re.compile(
    rb"(?P<at>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>\w+)\] \d+#\d+: (?P<message>.*)\Z",
    re.DOTALL,
)
_APACHE_ERROR: Final = re.compile(
    rb"\[(?P<at>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:.]+ \d{4})\] \[(?P<level>[^\]]*)\] "
    rb"(?P<message>.*)\Z",
    re.DOTALL,
)
_PARTS: Final = re.compile(rb', (client|server|request|upstream|host|referrer): ("[^"]*"|[^,\s]+)')
_CLIENT: Final = re.compile(rb"\[client (\S+?)(?::\d+)?\]")


def _error(line: bytes, times: TimeReader) -> Parsed | None:
    found = _NGINX_ERROR.match(line) or _APACHE_ERROR.match(line)
    if found is None:
        return None
    message = found["message"]
    values = {name.decode(): value.strip(b'"') for name, value in _PARTS.findall(message)}
    client = values.pop("client", None) or next(iter(_CLIENT.findall(message)), None)
    if client:
        values["client_ip"] = client
    text = _CLIENT.sub(b"", _PARTS.sub(b"", message))
    host = values.get("server") or values.get("host")
    return Parsed(
        ts=times.read(found["at"].decode("latin-1")),
        values={"message": text, "level": found["level"]} | values,
        host=_name(host.decode("latin-1")) if host else None,
        why="its time cannot be read",
    )


_ADDRESS: Final = re.compile(rb"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*) ")
_VHOST: Final = re.compile(rb"(?P<vhost>[A-Za-z0-9._-]+)(?::\d+)? (?=\S+ \S+ \S+.* \[)")


def _web(line: bytes, times: TimeReader) -> Parsed | None:
    host, found = None, None
    named = _VHOST.match(line)
    if named and _ADDRESS.match(line, named.end()):
        host, found = named["vhost"].decode("latin-1"), LINE.match(line[named.end() :])
    found = found or LINE.match(line)
    if found is None:
        return None
    values = {name: value for name, value in found.groupdict().items() if value is not None}
    at = times.read(values.pop("time_local").decode("latin-1"))
    for name in ("ident", "status", "bytes_sent"):
        values.pop(name, None)
    return Parsed(ts=at, values=values, host=_name(host), why="its time cannot be read")


JSON_LINES: Final = LineFormat(name="JSON lines", dataset="json", parse=_json)
SYSLOG: Final = LineFormat(name="syslog", dataset="syslog", parse=_syslog)
ERROR_LOG: Final = LineFormat(name="web server's error log", dataset="error", parse=_error)
WEB_LINES: Final = LineFormat(name="web server's access log", dataset="access", parse=_web)
FORMATS: Final = (WEB_LINES, ERROR_LOG, JSON_LINES, SYSLOG)
"""Formats that are told by their look, in the order they are tried."""

_NGINX_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_APACHE_FIELD: Final = re.compile(r"%[<>]?(?:\{([^}]+)\}[<>]?([a-zA-Z^]+)|([a-zA-Z%]))")
_APACHE_NAMES: Final = {
    "h": "remote_addr", "a": "remote_addr", "l": "ident", "u": "remote_user", "t": "time_local",
    "r": "request", "s": "status", "b": "bytes_sent", "B": "bytes_sent", "O": "bytes_sent",
    "v": "vhost", "V": "vhost", "p": "port", "D": "duration", "T": "duration", "m": "method",
    "U": "path", "q": "query", "H": "protocol", "I": "bytes_received", "X": "connection",
    "A": "server_addr", "f": "file", "k": "keepalive", "P": "pid", "R": "handler", "L": "log_id",
}  # fmt: skip
"""mod_log_config: letter -> name of the field."""
_TIMES: Final = ("time_local", "time_iso8601", "msec")
_NO_MATTER: Final = frozenset(
    ["status", "bytes_sent", "body_bytes_sent", "ident", "request_time", "duration", "port",
     "upstream_response_time", "request_length", "connection", "pid", "msec", "gzip_ratio"]
)  # fmt: skip


def configured(text: str) -> LineFormat:
    """Return the format that an nginx ``log_format`` or an Apache ``LogFormat`` describes.

    Raises ``ValueError`` for a text without any variable.
    """
    pattern, names = _pattern(text)
    compiled = re.compile(pattern.encode() + rb"\Z", re.DOTALL)

    def parse(line: bytes, times: TimeReader) -> Parsed | None:
        found = compiled.match(line)
        if found is None:
            return None
        values: dict[str, bytes] = dict(zip(names, found.groups(), strict=True))
        at = None
        for name in _TIMES:
            if name in values:
                read = times.read(values.pop(name).decode("latin-1"))
                at = read if at is None else at
        host = values.get("vhost") or values.get("server_name") or values.get("host")
        kept = {name: value for name, value in values.items() if name not in _NO_MATTER}
        return Parsed(
            ts=at,
            values=kept,
            host=_name(host.decode("latin-1")) if host else None,
            why="its format holds no time" if not set(_TIMES) & set(names) else "its time is none",
        )

    return LineFormat(name="the log format that is configured", dataset="access", parse=parse)


def variables_of(text: str) -> list[str]:
    """Return the names of the fields that a format writes."""
    return _pattern(text)[1]


def _pattern(text: str) -> tuple[str, list[str]]:
    text = text.replace('\\"', '"')
    is_nginx = "$" in text
    names: list[str] = []
    parts: list[str] = []
    at = 0
    for found in (_NGINX_VARIABLE if is_nginx else _APACHE_FIELD).finditer(text):
        name = (found[1] or found[2]) if is_nginx else _apache_name(found)
        if name == "%":
            continue
        parts.append(re.escape(text[at : found.start()]))
        at = found.end()
        quoted = text[found.start() - 1 : found.start()] == '"'
        if name == "time_local" and not is_nginx:
            parts.append(r"\[([^\]]*)\]")
        elif quoted:
            parts.append(r'((?:[^"\\]|\\.)*)')
        else:
            parts.append(r"([^\]]*?)" if name == "time_local" else r"(\S*)")
        names.append(name if name not in names else f"{name}_{len(names)}")
    if not names:
        raise ValueError("it names no field")
    return "".join(parts) + re.escape(text[at:]), names


def _apache_name(found: re.Match[str]) -> str:
    if found[3]:
        return _APACHE_NAMES.get(found[3], found[3])
    if found[2] in {"i", "C", "e", "n", "o"}:
        return f"http_{snake(found[1])}" if found[2] == "i" else snake(found[1])
    return _APACHE_NAMES.get(found[2], found[2])


def likely_format(lines: list[bytes], times: TimeReader) -> LineFormat | None:
    """Return the format that most of some lines are of; ``None``: none is of any."""
    counts = [sum(one.parse(line, times) is not None for line in lines) for one in FORMATS]
    most = max(counts)
    return FORMATS[counts.index(most)] if most else None
