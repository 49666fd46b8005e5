"""Log files of a source into rows: folders walked, formats told, what cannot be read said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final

from audit.bundle.server import ReadItem, ServerPart
from audit.errors import UsageError
from audit.identifiers.detector import Detector
from audit.readers.logfields import FieldReader
from audit.readers.logline import (
    FORMATS,
    JSON_LINES,
    SYSLOG,
    WEB_LINES,
    LineFormat,
    Parsed,
    configured,
    from_record,
    likely_format,
)
from audit.readers.logrows import LogRows
from audit.readers.logsearch import LogSearch
from audit.readers.logstream import LineBlock, LogStream
from audit.readers.logtime import Clock, TimeReader, day_in_name
from audit.readers.recordlog import HEADER, csv_format, is_export, journald_blocks
from audit.readers.weblog import LINE, WebLog
from audit.tables.reference import quoted_name
from audit.yamlfile.sources import SourceEntry

SAMPLE: Final = 50
"""Lines by which the format of a file is told."""
LONGEST_LINE: Final = 1 << 16
"""Bytes of a line that is read by itself; the fast reader of access logs has no such bound."""
_OVERLONG: Final = "it is longer than a line of a log (1 MiB)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """What all readers of server records are told."""

    capture: str
    base: Path
    """Folder that paths are relative to."""
    detector: Detector
    read_at: float
    """Moment of reading, seconds since 1970 UTC."""
    tokens: tuple[str, ...] = ()
    """One-time tokens of probes: a log that holds one is of the machine that was probed."""


def find_files(base: Path, pattern: str) -> list[tuple[str, Path]]:
    """Return name and path of each file that a path, folder or pattern names, sorted.

    What lies outside of ``base`` has its own name alone. Raises :class:`UsageError` where there is
    no file.
    """
    path = base / pattern
    if path.is_dir():
        found = sorted(one for one in path.rglob("*") if not one.is_dir())
    elif path.exists():
        found = [path]
    else:
        anchor = Path(path.anchor)
        found = sorted(
            one for one in anchor.glob(str(path.relative_to(anchor))) if not one.is_dir()
        )
    if not found and not path.is_dir():
        raise UsageError(
            "no file of a source is there", source=pattern, hint="paths are relative to the file"
        )
    return [(_shown(one, base), one) for one in found]


def _shown(path: Path, base: Path) -> str:
    """Return a name that says nothing of the auditor's machine."""
    try:
        text = Path(os.path.normpath(path)).relative_to(os.path.normpath(base)).as_posix()
    except ValueError:
        text = path.name
    return quoted_name(text)


def plain_bytes(path: Path, most: int) -> tuple[bytes | None, str]:
    """Return the bytes of a plain file; ``None`` and why where it cannot be read, or holds more."""
    try:
        if not path.is_file():
            return None, "it is no plain file"
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        return None, f"it cannot be read: {error.strerror or error}"
    return (data, "") if len(data) <= most else (None, f"it is larger than {most} bytes")


def read_log(
    path: Path, name: str, entry: SourceEntry, options: ServerOptions, part: ServerPart
) -> None:
    """Read one log file into the part; whatever it holds, it is read or said to be not."""
    reader = _LogReader(path, name, entry, options)
    try:
        reader.run()
    except OSError as error:
        reader.stream.problem = f"it cannot be read: {error.strerror or error}"
    reader.finish(part)


@dataclass(slots=True)
class _LogReader:
    path: Path
    name: str
    entry: SourceEntry
    options: ServerOptions
    stream: LogStream = field(init=False)
    times: TimeReader = field(init=False)
    fields: FieldReader = field(init=False)
    _rows: dict[str, LogRows] = field(default_factory=dict)
    _own_hosts: tuple[str, ...] = ()
    _tied: dict[str, None] = field(default_factory=dict)
    _chosen: LineFormat | None = None
    _search: LogSearch | None = None
    _web: WebLog | None = None
    _carry: bytes = b""

    def __post_init__(self) -> None:
        self.stream = LogStream(self.path)
        latest = day_in_name(self.path.name)
        if self.entry.year is not None:
            latest = datetime(self.entry.year, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
        self.times = TimeReader(Clock(zone=self.entry.time_zone, latest=latest))
        self.fields = FieldReader(self.entry.own_addresses, self.entry.patterns)
        self._own_hosts = tuple(host.lower() for host in self.entry.hosts)

    def run(self) -> None:
        if not self.path.is_file():
            self.stream.problem = "it is no plain file"
            return
        blocks = self.stream.blocks()
        first = next(blocks, None)
        if first is None:
            return
        if self.entry.format == "journald" or (
            self.entry.format == "auto" and is_export(first.data)
        ):
            self._journald(first, blocks)
            return
        self._choose(first)
        self._block(first)
        for block in blocks:
            self._block(block)

    def _choose(self, first: LineBlock) -> None:
        sample = [line for line in first.data.split(b"\n")[:SAMPLE] if line.strip()]
        wanted = self.entry.format
        if self.entry.log_format:
            self._chosen = configured(self.entry.log_format)
        elif wanted == "csv" or self.entry.columns:
            self._chosen = csv_format(self.entry.columns, sample)
        elif wanted in {"json", "syslog"}:
            self._chosen = JSON_LINES if wanted == "json" else SYSLOG
        else:
            is_web = wanted != "auto" or 2 * sum(bool(LINE.match(one)) for one in sample) >= len(
                sample
            )
            self._chosen = WEB_LINES if is_web else likely_format(sample, self.times)
        is_named = self._chosen is WEB_LINES and not any(
            (told := WEB_LINES.parse(one, self.times)) and told.host for one in sample
        )
        dataset = self._dataset(self._chosen.dataset if self._chosen else "log")
        self._search = LogSearch(self.options.detector, self.name, dataset)
        if is_named and not self.entry.patterns:
            self._web = WebLog(self._of("access"), self.fields, self.times, self._line)

    def _block(self, block: LineBlock) -> None:
        if self._search is not None:
            self._search.read(block)
        self._find_tokens(block.data)
        if block.overlong:
            self._of("log").unsure(block.first, _OVERLONG)
            return
        if self._web is not None:
            self._web.read(block)
            return
        for number, line in enumerate(block.data.split(b"\n"), start=block.first):
            text = line.removesuffix(b"\r")
            if text.strip():
                self._line(number, text)

    def _line(self, number: int, line: bytes) -> None:
        if len(line) > LONGEST_LINE:
            self._of("log").unsure(number, f"it is longer than {LONGEST_LINE} bytes")
            return
        chosen = self._chosen
        parsed = chosen.parse(line, self.times) if chosen is not None else None
        if parsed is None and not self.entry.log_format and chosen is not None:
            for other in FORMATS:
                parsed = other.parse(line, self.times) if other is not chosen else None
                if parsed is not None:
                    chosen = other
                    break
        if parsed is None or chosen is None:
            said = chosen.name if chosen else "any known format"
            why = "it holds bytes of no text" if b"\0" in line else f"it is no line of {said}"
            self._of("log").unsure(number, why)
            return
        if parsed is not HEADER:
            self._parsed(number, parsed, chosen.dataset)

    def _parsed(self, number: int, parsed: Parsed, dataset: str) -> None:
        if dataset == "json" and any(key.lower() == "rayid" for key in parsed.values):
            dataset = "http_requests"
        rows = self._of(dataset)
        if parsed.host and self._own_hosts:
            if not self._is_own(parsed.host):
                rows.unsure(number, "it is of another host than the source names")
                return
            self._tied[f"host {parsed.host}"] = None
        if parsed.ts is None:
            rows.unsure(number, parsed.why)
            return
        told = self.fields.fields(parsed.values)
        rows.add(tuple(sorted(told.items())), parsed.ts, parsed.ts, number)
        rows.check_line(parsed.ts, number)

    def _is_own(self, host: str) -> bool:
        return any(host == one or host.endswith(f".{one}") for one in self._own_hosts)

    def _journald(self, first: LineBlock, blocks: Iterator[LineBlock]) -> None:
        self._search = search = LogSearch(self.options.detector, self.name, "journald")

        def searched() -> Iterator[bytes]:
            for block in chain([first], blocks):
                search.read(block)
                self._find_tokens(block.data)
                if block.overlong:  # searched in pieces: what lies across two shows in neither
                    self._of("journald").unsure(block.first, _OVERLONG)
                yield block.data

        for number, values in enumerate(journald_blocks(searched()), start=1):
            if values is None:
                self._of("journald").unsure(number, "this entry of the journal cannot be read")
                continue
            self._parsed(number, from_record(values, self.times), "journald")

    def _find_tokens(self, data: bytes) -> None:
        if not self.options.tokens:
            return
        joined = self._carry + data
        for token in self.options.tokens:
            if token.encode() in joined:
                self._tied[f"token {token[:8]}"] = None
        self._carry = joined[-64:]

    def _dataset(self, dataset: str) -> str:
        return "http_requests" if self.entry.role == "cloudflare" else dataset

    def _of(self, dataset: str) -> LogRows:
        dataset = self._dataset(dataset)
        if dataset not in self._rows:
            self._rows[dataset] = LogRows(
                capture=self.options.capture,
                source=self.entry.role,
                name=self.name,
                dataset=dataset,
                read_at=self.options.read_at,
            )
        return self._rows[dataset]

    def finish(self, part: ServerPart) -> None:
        if self.stream.problem:
            self._of("log").unsure(
                max(self.stream.lines, 1),
                f"from here on the file was not read: {self.stream.problem}",
            )
        dated = 0
        for rows in self._rows.values():
            dated += rows.dated
            for row in rows.rows():
                part.add("log_lines", row)
        if self._search is not None:
            for row in self._search.finish():
                told = {"capture": self.options.capture, "source": self.entry.role}
                part.add("identifier_hits", told | {"direction": "received"} | row)
            part.truncated += [f"{self.name}: {text}" for text in self._search.truncated]
        if self.times.assumed_zone:
            part.limits.append(
                f"{self.name}: its times name no zone; {self.entry.time_zone} was assumed"
            )
        if self.times.assumed_year:
            part.limits.append(
                f"{self.name}: its times name no year; the file's name or the source tells it"
            )
        part.items.append(
            ReadItem(
                source=self.entry.role,
                name=self.name,
                kind="log",
                sha256=self.stream.sha256,
                bytes=self.stream.size,
                lines=self.stream.lines,
                dated=dated,
                tied=tuple(self._tied),
            )
        )
