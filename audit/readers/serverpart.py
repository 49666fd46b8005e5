"""Everything that a ``sources.yaml`` names, read into one part of a bundle."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Final

from audit.bundle.identity import Identity
from audit.bundle.layout import SERVER
from audit.bundle.server import ReadItem, ServerPart
from audit.errors import UsageError
from audit.identifiers.detector import detector_of
from audit.readers.logconfig import ConfigFile, RotationRule, read_config
from audit.readers.logcontrols import missing_controls
from audit.readers.logfields import FieldReader
from audit.readers.logline import configured
from audit.readers.logtime import zone_of
from audit.readers.providers import join_buckets, provider_settings, read_records
from audit.readers.serverlogs import ServerOptions, find_files, plain_bytes, read_log
from audit.tables.frames import Row
from audit.yamlfile.sources import SourceEntry, SourcesFile

MAX_CONFIG: Final = 4 << 20
"""Bytes of one file of configuration."""


@dataclass(slots=True)
class _Kept:
    """What is known of one source while it is read."""

    logs: list[str] = field(default_factory=list)
    rules: list[RotationRule] = field(default_factory=list)


def read_sources(
    file: SourcesFile,
    base: Path,
    identity: Identity,
    *,
    capture: str,
    read_at: str,
    tokens: Sequence[str] = (),
    copies: Path | None = None,
) -> ServerPart:
    """Read all sources; nothing is written to any.

    ``read_at`` is the moment of reading, UTC; ``tokens`` are those of probes; ``copies`` is the
    bundle's folder, for sources that want their files copied. Raises :class:`UsageError` for a
    source that names what is not there, and for a database that cannot be opened.
    """
    detector = detector_of(identity)
    part = ServerPart(read_at=read_at)
    controls = detector.controls()
    part.missing = (
        *(result.name for result in controls if not result.found),
        *missing_controls(),
    )
    part.kinds = tuple(sorted({item.kind for item in identity.identifiers}))
    for result in controls:
        part.add("controls", {
            "capture": capture, "process": "control", "name": f"server records: {result.name}",
            "form": result.form, "found": result.found,
        })  # fmt: skip
    options = ServerOptions(
        capture=capture,
        base=base,
        detector=detector,
        read_at=datetime.fromisoformat(read_at).astimezone(UTC).timestamp(),
        tokens=tuple(tokens),
    )
    kept: dict[str, _Kept] = {}
    taken: set[str] = set()
    for entry in file.sources:
        _read_entry(entry, options, part, kept.setdefault(entry.role, _Kept()), taken, copies)
    for role, one in kept.items():
        _retentions(role, one, options, part)
    join_buckets(part.rows.get("config_entries", []))
    return part


def _read_entry(
    entry: SourceEntry,
    options: ServerOptions,
    part: ServerPart,
    kept: _Kept,
    taken: set[str],
    copies: Path | None,
) -> None:
    readers: list[tuple[tuple[str, ...], Callable[[Path, str], None]]] = [
        (entry.logs, lambda path, name: read_log(path, name, entry, options, part)),
        (entry.records, lambda path, name: read_records(path, name, entry, options, part)),
        (entry.config, lambda path, name: _config(path, name, entry, options, part, kept)),
    ]
    for patterns, read in readers:
        for pattern in patterns:
            for found, path in find_files(options.base, pattern):
                name = _free(entry.name or entry.role, found, taken)
                if patterns is entry.logs:
                    kept.logs.append(name)
                read(path, name)
                if entry.copy_files and copies is not None and path.is_file():
                    _copy(path, copies / name, part)
    if entry.database or entry.database_env:
        from audit.readers.database import read_database

        read_database(entry, options, part)


def _free(folder: str, name: str, taken: set[str]) -> str:
    """Return the name of a file in references, that of no other: its folder gets a number."""
    numbered = chain([folder], (f"{folder}-{number}" for number in count(2)))
    found = next(one for part in numbered if (one := f"{SERVER}/{part}/{name}") not in taken)
    taken.add(found)
    return found


def _copy(path: Path, place: Path, part: ServerPart) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    except OSError as error:
        part.truncated.append(f"{place.name} could not be copied: {error.strerror or error}")


def _config(
    path: Path,
    name: str,
    entry: SourceEntry,
    options: ServerOptions,
    part: ServerPart,
    kept: _Kept,
) -> None:
    told: Row = {"capture": options.capture, "source": entry.role}
    data, why = plain_bytes(path, MAX_CONFIG)
    found = _settings(data, path) if data is not None else None
    if found is None or found.kind is None:
        why = why or "it is no configuration that is known here"
        part.add("config_entries", told | {
            "ref": name, "kind": "unread", "name": path.name, "unsure": why,
        })  # fmt: skip
    else:
        kept.rules += found.rules
        for row in found.rows:
            part.add("config_entries", row | told | {"ref": f"{name}#{row['ref']}"})
    part.items.append(
        ReadItem(
            source=entry.role,
            name=name,
            kind="config",
            sha256=None if data is None else hashlib.sha256(data).hexdigest(),
            bytes=None if data is None else len(data),
            lines=data.count(b"\n") + 1 if data is not None and found and found.kind else 0,
        )
    )


def _settings(data: bytes, path: Path) -> ConfigFile:
    """Return what a file of configuration says, a server's or a provider's."""
    text = data.decode("utf-8", "replace")
    rows = provider_settings(text, path.name.split(".")[0])
    if rows is not None:
        return ConfigFile(rows=[row | {"ref": 1} for row in rows], kind="provider")
    return read_config(text, path.name)


def _retentions(role: str, kept: _Kept, options: ServerOptions, part: ServerPart) -> None:
    """Say of every log that no rule covers that its retention is not known."""
    for name in kept.logs:
        if not any(rule.covers(name) for rule in kept.rules):
            part.add("config_entries", {
                "capture": options.capture, "source": role, "ref": name, "kind": "log_retention",
                "name": name, "retention": None, "enabled": True,
            })  # fmt: skip
            part.limits.append(f"no configuration that was read says how long {name} is kept")


def check_sources(file: SourcesFile, base: Path) -> None:
    """Refuse what names nothing before anything is read; raises :class:`UsageError`."""
    for entry in file.sources:
        for pattern in (*entry.logs, *entry.config, *entry.records):
            find_files(base, pattern)
        if entry.database or entry.database_env:
            from audit.readers.database import check_database

            check_database(entry, base)
        _check_entry(entry)


def _check_entry(entry: SourceEntry) -> None:
    zone_of(entry.time_zone)
    FieldReader(patterns=entry.patterns)
    if entry.log_format:
        try:
            configured(entry.log_format)
        except ValueError as error:
            raise UsageError(f"'log_format' is none: {error}", source=entry.log_format) from None
