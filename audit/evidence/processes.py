"""Who sent it: the app, the operating system, the recorder's control, or nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.bundle.manifest import Manifest
from audit.evidence.kernel import KERNEL_KINDS
from audit.tables.frames import Row

Tables = Mapping[str, Sequence[Row]]


def attribute(
    tables: Tables,
    manifest: Manifest,
    controls: frozenset[str],
    kernel: frozenset[object] = frozenset(),
) -> None:
    """Fill in ``process`` and ``process_basis`` of every row of traffic.

    ``kernel`` are the conversations of the kernel (:mod:`audit.evidence.kernel`).
    ``controls`` are the ``ref`` texts of the requests that carried a one-time token: they and what
    belongs to their exchange are the recorder's own; nothing else is, whoever it was sent to.
    """
    process, basis = _default(manifest)
    own = _control_conversations(tables, controls)
    for table, rows in tables.items():
        if table in {"events", "controls", "captures"}:
            continue
        for row in rows:
            row["process"], row["process_basis"] = process, basis
            if row.get("conversation") in kernel:
                row["process"] = "os"
            elif _is_control(table, row, controls, own):
                row["process"] = "control"


def take_back(tables: Tables, hits: Sequence[Row], manifest: Manifest) -> None:
    """Give to the app what passed for the kernel's and holds what no kernel sends.

    Such are values of the subject, found in ``hits``, that are no address and no name of the
    machine.
    """
    process, _ = _default(manifest)
    misused = {
        hit.get("conversation")
        for hit in hits
        if hit.get("process") == "os" and hit.get("kind") not in KERNEL_KINDS
    } - {None}
    for rows in (*tables.values(), hits):
        for row in rows:
            if row.get("process") == "os" and row.get("conversation") in misused:
                row["process"] = process


def _default(manifest: Manifest) -> tuple[str, str | None]:
    if manifest.vantage == "netns":
        return "app", "netns"
    if manifest.vantage == "import" and manifest.mixed:
        return "unknown", None
    return "app", "declared"


def _control_conversations(tables: Tables, controls: frozenset[str]) -> frozenset[object]:
    """Conversations that carried a control and nothing else."""
    own = {
        row["conversation"]
        for row in tables.get("http_requests", ())
        if row.get("ref") in controls and row.get("conversation")
    }
    for row in tables.get("http_requests", ()):
        if row.get("conversation") in own and row.get("ref") not in controls:
            own.discard(row.get("conversation"))
    return frozenset(own)


def _is_control(table: str, row: Row, controls: frozenset[str], own: frozenset[object]) -> bool:
    if table == "http_requests":
        return row.get("ref") in controls
    return row.get("conversation") in own
