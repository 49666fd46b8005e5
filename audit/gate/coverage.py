"""What several captures could show, put together: ``coverage`` of ``result.json``."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from audit.model.result import Coverage
from audit.tables.evidence import CaptureEvidence

_COUNTED: Final = ("conversations", "bytes")
"""Two levels of counts: ``{transport: {plaintext: 3}}``."""
_SUMMED: Final = ("drops", "unattributed")
_LISTED: Final = ("missed_by_proxy", "timeline")
_GROUPED: Final = {
    "recipients": ("conversations", "bytes"),
    "who_got_what": ("count",),
}
"""Lists of rows -> their counts; rows that agree in all else are added up."""

Redact = Callable[[str], str]


def merge_coverage(captures: Sequence[CaptureEvidence], redact: Redact) -> Coverage:
    """Return the coverage of all captures, in an order that does not depend on theirs."""
    parts = [capture.coverage for capture in captures]
    data: dict[str, Any] = {name: _counts(parts, name) for name in _COUNTED}
    data |= {name: _sums(parts, name) for name in _SUMMED}
    data |= {name: _sorted(_rows(parts, name)) for name in _LISTED}
    data |= {name: _grouped(_rows(parts, name), counts) for name, counts in _GROUPED.items()}
    data["actions"] = sorted(
        _rows(parts, "actions"), key=lambda row: (str(row.get("ts")), _canonical(row))
    )
    data["truncated"] = sorted(set(map(str, _rows(parts, "truncated"))))
    data["vantage"] = sorted(set(map(str, _rows(parts, "vantage"))))
    return Coverage.model_validate(redacted(data, redact))


def redacted(value: Any, redact: Redact) -> Any:
    """Return plain data with every text redacted; keys stay."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item, redact) for item in value]
    return value


def _rows(parts: Iterable[Mapping[str, object]], name: str) -> list[Any]:
    rows: list[Any] = []
    for part in parts:
        found = part.get(name, [])
        rows += found if isinstance(found, list | tuple) else []
    return rows


def _counts(parts: Iterable[Mapping[str, object]], name: str) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {"transport": Counter(), "content": Counter()}
    for part in parts:
        counted = part.get(name, {})
        for kind, counts in counted.items() if isinstance(counted, Mapping) else ():
            found.setdefault(kind, Counter()).update(counts)
    return {kind: dict(sorted(counts.items())) for kind, counts in found.items()}


def _sums(parts: Iterable[Mapping[str, object]], name: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for part in parts:
        counts = part.get(name, {})
        if isinstance(counts, Mapping):
            found.update(counts)
    return dict(sorted(found.items()))


def _canonical(row: object) -> str:
    return json.dumps(row, sort_keys=True, ensure_ascii=True, default=str)


def _sorted(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=_canonical)


def _grouped(rows: Iterable[dict[str, Any]], counts: tuple[str, ...]) -> list[dict[str, Any]]:
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    forms: dict[str, set[str]] = defaultdict(set)
    rest: dict[str, dict[str, Any]] = {}
    for row in rows:
        same = {key: value for key, value in row.items() if key not in (*counts, "forms")}
        key = _canonical(same)
        rest[key] = same
        sums[key].update({name: int(row.get(name) or 0) for name in counts})
        if "forms" in row:
            forms[key].update(map(str, row["forms"]))
    return [
        rest[key]
        | {name: sums[key][name] for name in counts}
        | ({"forms": sorted(forms[key])} if key in forms else {})
        for key in sorted(rest)
    ]
