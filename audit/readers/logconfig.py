"""Configuration of logging into ``config_entries``: nginx, logrotate, journald.

What a file does not say is not guessed: a log that no rule rotates by age has no known retention.
logrotate(8): ``rotate N`` keeps N old files, so a line lives up to (N + 1) periods; rotation by
size, or from a size or age on, says nothing of age, with ``maxage`` or without. ``maxage`` is
looked at when a file is rotated, so a line may live as long as ``maxage`` and two periods more.
journald deletes whole files: a line lives as long as its file is written to, besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Final

from audit.readers.logline import variables_of
from audit.tables.frames import Row

DAY: Final = 86_400.0
_NGINX: Final = re.compile(
    r"(?m)^\s*(?:access_log|error_log|log_format|server|http|events)\b[^\n]*[;{]"
)
_PERIODS: Final = {
    "hourly": 3600.0,
    "daily": DAY,
    "weekly": 7 * DAY,
    "monthly": 31 * DAY,
    "yearly": 366 * DAY,
}
"""Longest time between two rotations, seconds."""
_LATER: Final = frozenset({"size", "minsize", "minage"})
"""Directives by which a rotation waits for something else than its period."""
_TOKEN: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[{};]|#[^\n]*|[^\s{};\"']+")
_ADDRESS_VARIABLES: Final = frozenset(
    ["remote_addr", "binary_remote_addr", "realip_remote_addr", "http_x_forwarded_for",
     "proxy_add_x_forwarded_for", "http_cf_connecting_ip", "http_x_real_ip",
     "proxy_protocol_addr", "http_true_client_ip", "http_forwarded"]
)  # fmt: skip
_PREDEFINED: Final = '$remote_addr - $remote_user [$time_local] "$request" $status'
"""What nginx's ``combined`` begins with (ngx_http_log_module)."""
_UNITS: Final = {
    "": 1.0, "us": 1e-6, "usec": 1e-6, "ms": 1e-3, "msec": 1e-3, "s": 1.0, "sec": 1.0,
    "second": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": DAY, "day": DAY, "days": DAY,
    "w": 7 * DAY, "week": 7 * DAY, "weeks": 7 * DAY, "month": 30.44 * DAY, "months": 30.44 * DAY,
    "M": 30.44 * DAY, "y": 365.25 * DAY, "year": 365.25 * DAY, "years": 365.25 * DAY,
}  # fmt: skip
"""systemd.time(7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationRule:
    """Log files of which a row of retention tells; what it says of them stands in the row."""

    patterns: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Whether a log file, or one that it was rotated into, is kept by this rule."""
        base = re.sub(r"(?:\.\d+|-\d{8}(?:\d{2})?)?(?:\.(?:gz|bz2|xz|zst))?\Z", "", path)
        name = base.rsplit("/", 1)[-1]
        return any(
            fnmatch(base, pattern) or fnmatch(name, pattern.rsplit("/", 1)[-1])
            for pattern in self.patterns
        )


@dataclass(slots=True)
class ConfigFile:
    """What one file of configuration says."""

    rows: list[Row] = field(default_factory=list)
    """Rows without ``capture``, ``source`` and ``ref``, but ``line`` in its place."""
    rules: list[RotationRule] = field(default_factory=list)
    kind: str | None = None
    """``nginx``, ``logrotate``, ``journald``; ``None``: none of it."""


def read_config(text: str, name: str) -> ConfigFile:
    """Read a file of configuration, whichever it is."""
    found = ConfigFile()
    if re.search(r"(?m)^\s*\[Journal\]", text):
        found.kind = "journald"
        _journald(text, found)
    elif _NGINX.search(text):
        found.kind = "nginx"
        _nginx(text, found)
    elif re.search(r"(?m)^[^#\n]*\{\s*$", text) or "logrotate" in name:
        found.kind = "logrotate"
        _logrotate(text, found)
    return found


def _journald(text: str, found: ConfigFile) -> None:
    values: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        match = re.match(r"\s*([A-Za-z]+)\s*=\s*(.*?)\s*\Z", line)
        if match:
            values[match[1]] = (match[2], number)
    found.rules.append(RotationRule(patterns=("*journal*",)))
    storage, number = values.get("Storage", ("auto", 1))
    if storage == "none":
        found.rows.append(_entry("log_retention", "journald", 0.0, number, enabled=False))
        return
    said, number = values.get("MaxRetentionSec", ("0", number))
    per_file = parse_span(values.get("MaxFileSec", ("1month", 0))[0])
    kept = parse_span(said)
    retention = None if not kept or per_file is None else kept + per_file
    found.rows.append(_entry("log_retention", "journald", retention, number))


def parse_span(text: str) -> float | None:
    """Return the seconds of a span of systemd.time(7); ``None`` for what is none."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
    if not parts or re.sub(r"\d+(?:\.\d+)?\s*[A-Za-z]*\s*", "", text).strip():
        return None
    total = 0.0
    for count, unit in parts:
        seconds = _UNITS.get(unit, _UNITS.get(unit.lower()))
        if seconds is None:
            return None
        total += float(count) * seconds
    return total


def _nginx(text: str, found: ConfigFile) -> None:
    formats = {"combined": _PREDEFINED}
    logs: list[tuple[list[str], int]] = []
    has_http = False
    for words, number in _statements(text):
        has_http |= words[0] in {"http", "server"}
        if words[0] == "log_format" and len(words) > 2:
            texts = [word for word in words[2:] if not word.startswith("escape=")]
            formats[words[1]] = "".join(texts)
        elif words[0] in {"access_log", "error_log"}:
            logs.append((words, number))
    for words, number in logs:
        found.rows.append(_nginx_log(words, number, formats))
    if has_http and not any(words[0] == "access_log" for words, _ in logs):
        # ngx_http_log_module: access_log logs/access.log combined
        found.rows.append(_entry("access_log", "nginx default, combined", None, 1))


def _nginx_log(words: list[str], number: int, formats: dict[str, str]) -> Row:
    path = words[1] if len(words) > 1 else ""
    if words[0] == "error_log":
        return _entry("error_log", path, None, number, enabled=path != "/dev/null")
    if path in {"off", "/dev/null"}:
        return _entry("access_log", "nginx", None, number, enabled=False)
    style = next((word for word in words[2:] if "=" not in word), "combined")
    if style not in formats:
        row = _entry("access_log", f"{path} {style}", None, number)
        row["unsure"] = f"the log format '{style}' is defined elsewhere"
        return row
    try:
        names = set(variables_of(formats[style]))
    except ValueError:
        names = set()
    holds = any(name in _ADDRESS_VARIABLES for name in names)
    return _entry(
        "access_log" if holds else "access_log_without_address", f"{path} {style}", None, number
    )


def _statements(text: str) -> Iterator[tuple[list[str], int]]:
    words: list[str] = []
    number = 1
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token.startswith("#"):
            continue
        if token in {";", "{", "}"}:
            if words:
                yield words, number
            words = []
            continue
        if not words:
            number = text.count("\n", 0, match.start()) + 1
        words.append(token[1:-1] if token[0] in "\"'" else token)


def _logrotate(text: str, found: ConfigFile) -> None:
    common: dict[str, str] = {}
    block: dict[str, str] | None = None
    patterns: list[str] = []
    begun, in_script = 1, False
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.split("#")[0].strip() if not in_script else raw.strip()
        if in_script:
            in_script = line != "endscript"
            continue
        if re.match(r"(?:pre|post|first|last)(?:rotate|action|remove)\b", line):
            in_script = True
            continue
        opens, closes = "{" in line, "}" in line
        for word in _words(line.replace("{", " ").replace("}", " ")):
            if block is None and (word[0].startswith(("/", "*", '"')) or opens):
                patterns += [one.strip("\"'") for one in word]
                begun = number
            elif word:
                (common if block is None else block)[word[0]] = " ".join(word[1:])
        if opens:
            block = dict(common)
        if closes and block is not None:
            _rotation(tuple(patterns), block, begun, found)
            block, patterns = None, []


def _words(line: str) -> Iterator[list[str]]:
    words = line.replace("=", " ").split()
    if words:
        yield words


def _rotation(
    patterns: tuple[str, ...], values: dict[str, str], number: int, found: ConfigFile
) -> None:
    found.rules.append(RotationRule(patterns=patterns))
    found.rows.append(_entry("log_retention", " ".join(patterns), _kept(values), number))


def _kept(values: dict[str, str]) -> float | None:
    """Return the longest life of a line, seconds; ``None``: not known."""
    period = next((_PERIODS[name] for name in reversed(list(values)) if name in _PERIODS), None)
    if period is None or _LATER & values.keys():
        return None
    spans = []
    if values.get("rotate", "0").lstrip("-").isdigit():
        count = int(values.get("rotate", "0"))
        if count >= 0:
            spans.append((count + 1) * period)
    if values.get("maxage", "").isdigit():
        spans.append(int(values["maxage"]) * DAY + 2 * period)
    return min(spans, default=None)


def _entry(
    kind: str, name: str, retention: float | None, line: int, *, enabled: bool = True
) -> Row:
    return {"kind": kind, "name": name, "retention": retention, "enabled": enabled, "ref": line}
