"""What the tests of lists that a device keeps share: reading bytes, and any bytes at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from audit.errors import CaptureError
from audit.readers.inputkind import InputKind, ReadOptions
from audit.tables.extract import Extract
from audit.tables.frames import make_frame


def read(kind: InputKind, data: bytes) -> Extract:
    """Read bytes as a file named ``list``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        path.write_bytes(data)
        return kind.read(path, ReadOptions(capture="c", file="list"))


def holds_for_any(kind: InputKind, data: bytes) -> None:
    """Assert that bytes give rows that fit their tables, or the one error."""
    kind.knows(data)
    try:
        found = read(kind, data)
    except CaptureError:
        return
    lines = data.count(b"\n") + 1
    for table, rows in found.rows.items():
        make_frame(table, rows)
        assert len(rows) <= lines
        for row in rows:
            row_line = int(str(row["ref"]).partition("#")[2])
            assert 1 <= row_line <= lines
            assert row.get("bytes_out") != 0 or b"0" in data
    for payload in found.payloads:
        assert payload.data
        assert found.rows[payload.table][payload.row]
