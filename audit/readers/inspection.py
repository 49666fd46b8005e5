"""The EDPS's website-evidence-collector: its ``inspection.json`` as rows of a recorded browser.

Top-level keys as the tool writes them (``uri_dest``, ``cookies``, ``localStorage``, ``hosts``,
``beacons``, ``start_time``). A cookie's life is ``expiresDays``, counted from the inspection; the
tool comes once and tells nothing of calls, of session storage or of what was renewed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from audit.errors import CaptureError
from audit.readers.browser_values import host_of, identifying_bits
from audit.readers.endpoint import moment_of
from audit.readers.inputkind import InputKind, ReadOptions
from audit.readers.textlines import whole_file
from audit.tables.extract import Extract
from audit.tables.frames import Row

_MOST_BYTES: Final = 1 << 27
_MOST_ROWS: Final = 100_000
_KEYS: Final = (b'"uri_ins"', b'"uri_dest"')
_DAY_S: Final = 86_400.0
_LIMIT: Final = (
    "an inspection by the website-evidence-collector tells of one visit: not of calls that tell"
    " browsers apart, of session storage, or of cookies that are renewed"
)


def is_inspection(head: bytes) -> bool:
    """Whether the first bytes are those of an inspection."""
    return head.lstrip().startswith(b"{") and all(key in head for key in _KEYS)


def read_inspection(path: Path, options: ReadOptions) -> Extract:
    """Read an inspection; raises :class:`CaptureError` for what is none.

    An entry that is not as the tool writes it is told, and left out: it blocks a pass.
    """
    data = _load(path, options.file)
    reader = _Inspection(data, options)
    for part, entries, add in (
        ("cookies", _listed(data.get("cookies")), reader.add_cookie),
        ("localStorage", _values(data.get("localStorage")), reader.add_value),
        ("beacons", _listed(data.get("beacons")), reader.add_beacon),
        ("hosts", _hosts(data.get("hosts")), reader.add_host),
    ):
        for number, entry in enumerate(entries, start=1):
            if number > _MOST_ROWS:
                reader.extract.truncated.append(f"{options.file}: {part} beyond {_MOST_ROWS}")
                break
            try:
                add(number, entry)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                text = f"{options.file}: entry {number} of {part} is not as written by the tool"
                reader.extract.truncated.append(f"{text}: {error}"[:300])
    reader.extract.limits.append(_LIMIT)
    return reader.extract


def _load(path: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads(whole_file(path, name, _MOST_BYTES))
    except (ValueError, RecursionError) as error:
        raise CaptureError(f"no JSON: {str(error)[:200]}", source=name) from None
    if not isinstance(data, dict) or not isinstance(data.get("uri_ins"), str):
        raise CaptureError(
            "no inspection of the website-evidence-collector",
            source=name,
            hint="name its inspection.json; inspection.yml is not read",
        )
    return data


def _listed(entries: object) -> list[Any]:
    return entries if isinstance(entries, list) else []


def _values(origins: object) -> Iterator[tuple[Any, Any, Any]]:
    if isinstance(origins, dict):
        for origin, values in origins.items():
            for key, value in values.items() if isinstance(values, dict) else [("", values)]:
                yield origin, key, value


def _hosts(hosts: object) -> Iterator[Any]:
    """Give the hosts that were asked, first and third party."""
    found = hosts.get("requests") if isinstance(hosts, dict) else None
    for names in found.values() if isinstance(found, dict) else ():
        yield from _listed(names)


class _Inspection:
    """Makes the rows of one inspection."""

    def __init__(self, data: dict[str, Any], options: ReadOptions) -> None:
        self.extract = Extract()
        self._options = options
        target = data.get("uri_dest") if isinstance(data.get("uri_dest"), str) else None
        self._site = host_of(target or data["uri_ins"])
        self._ts = moment_of(data.get("start_time"))

    def _row(self, part: str, number: int, **columns: object) -> Row:
        return {
            "capture": self._options.capture,
            "ref": f"{self._options.file}#{number}:{part}",
            "ts": self._ts,
            "site": self._site,
            **columns,
        }

    def add_cookie(self, number: int, entry: dict[str, Any]) -> None:
        days = entry.get("expiresDays")
        gone = entry["session"] is True
        way = {"Cookie.HTTP": "header", "Cookie.JS": "script"}
        log = entry.get("log")
        row = self._row(
            "cookies",
            number,
            domain=_text(entry["domain"]).lstrip(".").lower(),
            name=_text(entry["name"]),
            lifetime=None if gone or days is None else float(days) * _DAY_S,
            session_only=gone,
            seen_visits=1,
            path=str(entry.get("path") or "/"),
            set_by=way.get(str(log.get("type"))) if isinstance(log, dict) else None,
            http_only=entry.get("httpOnly") is True,
            secure=entry.get("secure") is True,
            same_site=entry.get("sameSite") if isinstance(entry.get("sameSite"), str) else None,
            value_entropy_bits=identifying_bits(str(entry.get("value", ""))),
        )
        self.extract.add("cookies", row)

    def add_value(self, number: int, entry: tuple[Any, Any, Any]) -> None:
        origin, key, value = entry
        text = value["value"]
        row = self._row(
            "localStorage",
            number,
            key=_text(key),
            origin=host_of(origin),
            area="local",
            persistent=True,
            seen_visits=1,
            value_entropy_bits=identifying_bits(
                text if isinstance(text, str) else json.dumps(text)
            ),
        )
        self.extract.add("web_storage", row)

    def add_beacon(self, number: int, entry: dict[str, Any]) -> None:
        url = urlsplit(_text(entry["url"]))
        if not url.hostname:
            raise ValueError("its address names no host")
        row = self._row(
            "beacons", number, host=url.hostname, path=url.path or "/", resource="beacon"
        )
        self.extract.add("page_requests", row)

    def add_host(self, number: int, entry: object) -> None:
        row = self._row("hosts", number, host=_text(entry).lower(), resource="host")
        self.extract.add("page_requests", row)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("it is no text")
    return value


INSPECTION: Final = InputKind(
    name="inspection of the website-evidence-collector (JSON)",
    tap="device",
    place="inspection.json",
    suffixes=("inspection.json",),
    knows=is_inspection,
    read=read_inspection,
)
