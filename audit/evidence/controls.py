"""Tap controls: one-time tokens that the recorder itself sent, looked for in each tap.

A tap is proven where every token of the journal, of both schemes, is the path of a ``GET`` that
the tap read, sent to the echo that the journal names. A journal without tokens, or whose tokens
are in no tap, proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.bundle.journal import JournalLine
from audit.bundle.layout import JOURNAL
from audit.bundle.manifest import Manifest
from audit.evidence.visibility import is_intercepted
from audit.readers.endpoint import moment_of, responder_of, split_endpoint
from audit.tables.frames import Row
from audit.tables.vocabulary import Tap

_TOKEN: Final = re.compile(r"[0-9a-f]{32}\Z")
_SCHEMES: Final = {
    "http": frozenset({"plaintext"}),
    "https": frozenset({"tls-keys", "tls-intercepted"}),
}
"""Scheme of a control -> transports that show it was read as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapControls:
    """What became of the tokens."""

    rows: list[Row]
    """Rows of ``controls``."""
    requests: frozenset[str]
    """``ref`` of the requests that carried a token."""
    proven: frozenset[Tap]
    """Taps that showed every token."""


def expected_taps(manifest: Manifest, present: Sequence[Tap]) -> tuple[Tap, ...]:
    """Return the taps that a capture must have had, and those it has beside them."""
    expected: list[Tap] = []
    if manifest.vantage == "netns":
        expected.append("packets")
    if manifest.vantage == "proxy" or (manifest.vantage != "import" and is_intercepted(manifest)):
        expected.append("proxy")
    return tuple(dict.fromkeys([*expected, *present]))


def find_controls(
    journal: Sequence[JournalLine], requests: Sequence[Row], taps: Sequence[Tap], capture: str
) -> TapControls:
    """Look for every token of the journal in every tap."""
    rows: list[Row] = []
    refs: set[str] = set()
    seen: dict[Tap, set[str]] = {tap: set() for tap in taps}
    missing: set[Tap] = set()
    by_path: dict[object, list[Row]] = {}
    for row in sorted(requests, key=lambda row: str(row.get("ts") or "")):
        by_path.setdefault(row.get("path"), []).append(row)
    for number, line in enumerate(journal, start=1):
        if line.control is None:
            continue
        scheme = line.control.get("scheme", "")
        for tap in taps:
            found = _first(by_path, line.control, tap)
            if found is None:
                missing.add(tap)
            else:
                refs.add(str(found["ref"]))
                seen[tap].add(scheme)
            rows.append(
                {
                    "capture": capture,
                    "ref": f"{JOURNAL}#{number}",
                    "ts": moment_of(line.ts),
                    "process": "control",
                    "name": f"echo {scheme}",
                    "tap": tap,
                    "found": found is not None,
                }
            )
    proven = {tap for tap in taps if tap not in missing and seen[tap] == _SCHEMES.keys()}
    return TapControls(rows=rows, requests=frozenset(refs), proven=frozenset(proven))


def _first(by_path: dict[object, list[Row]], control: dict[str, str], tap: Tap) -> Row | None:
    """Return the first request of a tap that is the control; a token counts once."""
    token, scheme = control.get("token", ""), control.get("scheme", "")
    echo = split_endpoint(control.get("echo", ""))
    if not _TOKEN.match(token) or scheme not in _SCHEMES or echo is None:
        return None
    for row in by_path.get(f"/{token}", ()):
        taps = row.get("taps")
        if (
            row.get("method") == "GET"
            and not row.get("query")
            and not row.get("layer")
            and row.get("transport") in _SCHEMES[scheme]
            and isinstance(taps, tuple)
            and tap in taps
            and _reached(row) == echo
        ):
            return row
    return None


def _reached(row: Row) -> tuple[str, int] | None:
    return split_endpoint(responder_of(row.get("conversation")))
