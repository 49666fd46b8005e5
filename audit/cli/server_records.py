"""``audit import --sources``: records of servers, read into a bundle's ``server/``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from audit.bundle.identity import Identity
from audit.bundle.journal import now, read_journal
from audit.bundle.layout import JOURNAL
from audit.bundle.manifest import Manifest
from audit.bundle.server import read_server, write_server
from audit.cli.place import existing_file
from audit.yamlfile.loader import load_yaml
from audit.yamlfile.sources import SCHEMA, SourcesFile
from audit.yamlfile.validate import parse_model

_SHOWN: Final = 20
_TOKEN: Final = re.compile(r"[0-9a-fA-F]{32}")
"""A probe's token, 128 bits: what is shorter, or a word, stands in logs of any machine."""


def load_sources(path: Path) -> SourcesFile:
    """Load ``sources.yaml``, and refuse what it names and is not there.

    Raises :class:`PolicyError` for a file that is wrong, :class:`UsageError` for what is missing.
    """
    from audit.readers.serverpart import check_sources

    file = parse_model(load_yaml(existing_file(path)), SourcesFile, SCHEMA)
    check_sources(file, path.resolve().parent)
    return file


def record_sources(
    file: SourcesFile, path: Path, folder: Path, manifest: Manifest, identity: Identity
) -> None:
    """Read everything that the file names into the bundle in ``folder``."""
    from audit.readers.serverpart import read_sources

    journal, _ = read_journal(folder / JOURNAL)
    said = [line.facts.get("token", "") for line in journal]
    part = read_sources(
        file,
        path.resolve().parent,
        identity,
        capture=manifest.id,
        read_at=now(),
        tokens=[token for token in said if _TOKEN.fullmatch(token)],
        copies=folder,
    )
    write_server(folder, part)


def told_of_records(folder: Path) -> Iterator[str]:
    """Yield what was read, and each thing of which nothing is known."""
    part = read_server(folder)
    if part is None:
        return
    for item in part.items:
        dated = f", {item.dated} of them dated" if item.kind == "log" else ""
        tied = f"; {', '.join(item.tied)}" if item.tied else ""
        yield f"{item.source}: {item.name}: {item.lines} lines{dated}{tied}"
    unsure = [
        f"{row.get('ref')}: {row['unsure']}"
        for table in ("log_lines", "db_records", "config_entries")
        for row in part.rows.get(table, ())
        if row.get("unsure")
    ]
    unsure += part.truncated + part.limits
    for text in unsure[:_SHOWN]:
        yield f"not known: {text}"
    more = len(unsure) - _SHOWN
    if more > 0:
        yield f"not known: {more} more, see 'audit tables {folder}'"
