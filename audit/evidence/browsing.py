"""What a recorded browser tells beside the taps, put with the rows of the taps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from audit.evidence.journey import Phases
from audit.readers.browser import VALUES, BrowserEvidence, read_browser
from audit.readers.endpoint import is_address
from audit.tables.evidence import UnreadBody
from audit.tables.extract import Extract
from audit.tables.frames import Row

_OWN: Final = (
    "cookies", "web_storage", "script_calls", "page_requests", "page_forms", VALUES,
)  # fmt: skip
"""Tables that nothing but a browser's record fills."""
_RESOLVING: Final = frozenset({"A", "AAAA", "CNAME", "HTTPS", "SVCB"})


def add_browser(
    extract: Extract,
    path: Path | None,
    capture: str,
    process: tuple[str, str | None],
    phases: Phases,
) -> BrowserEvidence:
    """Read the record of a browser, where there is one, and add its rows and values.

    ``process``: process and basis of whatever nothing says whose it is.
    """
    if path is None:
        return BrowserEvidence()
    found = read_browser(path, capture)
    for table in _OWN:
        rows = extract.rows[table] = found.extract.rows.get(table, [])
        for row in rows:
            row["process"], row["process_basis"] = process
            row["phase"] = phases.at(row.get("ts"))
    extract.payloads += found.extract.payloads
    return found


def browser_unread(found: BrowserEvidence) -> tuple[UnreadBody, ...]:
    """Return the values that were not kept whole."""
    return tuple(UnreadBody(direction=way, text=text) for way, text in found.extract.unread)


def mark_aliases(tables: Mapping[str, Sequence[Row]]) -> None:
    """Fill in what a name that was looked up stands for: the last name among the answers."""
    for row in tables.get("dns_queries", ()):
        answers = row.get("answers")
        if row.get("qtype") not in _RESOLVING or not isinstance(answers, tuple):
            continue
        names = [str(answer).lower().rstrip(".") for answer in answers if _is_name(str(answer))]
        if names and names[-1] != row.get("name"):
            row["alias"] = names[-1]


def _is_name(answer: str) -> bool:
    return "." in answer and " " not in answer and not is_address(answer)
