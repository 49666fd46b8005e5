"""What could and could not be seen: bars of visibility, lists of recipients, actions and losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.bundle.layout import FLOWS, PACKETS
from audit.model import result as model
from audit.report import view
from audit.report.actions import action_views
from audit.report.anchors import Anchors
from audit.report.texts import count, meaning, say
from audit.report.verdicts import column_label
from audit.report.wording import cell, moment, size
from audit.tables.vocabulary import Content, Transport

_ORDER = {"transport": Transport.__args__, "content": Content.__args__}  # type: ignore[attr-defined]
_TIMES = frozenset({"ts", "first_seen", "last_seen", "started_at", "ended_at"})
_SIZES = frozenset({"bytes", "bytes_out", "bytes_in"})
_MISSED = ("conversation", "recipient", "reason", "bytes", "capture")
_RECIPIENTS = ("recipient", "role", "owner", "process", "conversations", "bytes")


def coverage_view(result: model.Result, anchors: Anchors) -> view.Coverage:
    """Return the section on coverage and blindness; anchors of actions are added."""
    coverage = result.coverage
    return view.Coverage(
        vantages=tuple(meaning("vantage", vantage) for vantage in coverage.vantage),
        transport=_bars("transport", coverage),
        content=_bars("content", coverage),
        missed=_table(coverage.missed_by_proxy, _MISSED),
        has_both_taps=any({FLOWS, PACKETS} <= c.digests.keys() for c in result.captures),
        recipients=_table(coverage.recipients, _RECIPIENTS),
        actions=action_views(result, anchors),
        losses=tuple(_losses(coverage)),
    )


def _bars(group: str, coverage: model.Coverage) -> tuple[view.Bar, ...]:
    conversations = coverage.conversations.get(group, {})
    byte_counts = coverage.bytes.get(group, {})
    known = [key for key in _ORDER[group] if key in conversations or key in byte_counts]
    keys = known + sorted((conversations.keys() | byte_counts.keys()) - set(known))
    n, n_bytes = sum(conversations.values()), sum(byte_counts.values())
    return tuple(
        view.Bar(
            key=key,
            label=meaning(group, key),
            conversations=conversations.get(key, 0),
            conversations_share=conversations.get(key, 0) / n if n else 0.0,
            bytes=byte_counts.get(key, 0),
            bytes_share=byte_counts.get(key, 0) / n_bytes if n_bytes else 0.0,
        )
        for key in keys
    )


def _table(rows: Sequence[Mapping[str, Any]], known: tuple[str, ...]) -> view.Table | None:
    """Return rows of the named columns that are filled anywhere, then of any others."""
    if not rows:
        return None
    filled = {key for row in rows for key, value in row.items() if value not in (None, "")}
    names = [key for key in known if key in filled]
    names += sorted(filled - set(known))
    return table_of(names, ([row.get(name) for name in names] for row in rows))


def table_of(names: Sequence[str], rows: Iterable[Sequence[object]]) -> view.Table:
    """Return a table of any JSON values."""
    return view.Table(
        columns=tuple(column_label(name) for name in names),
        rows=tuple(
            tuple(_value(name, value) for name, value in zip(names, row, strict=False))
            for row in rows
        ),
        names=tuple(names),
    )


def _value(name: str, value: object) -> str:
    if name in _TIMES and isinstance(value, str):
        return moment(value)
    if name in _SIZES and isinstance(value, int) and not isinstance(value, bool):
        return size(value)
    return cell(value)


def _losses(coverage: model.Coverage) -> list[str]:
    lines = []
    dropping = [(tap, n) for tap, n in sorted(coverage.drops.items()) if n]
    if not coverage.drops:
        lines.append(say("coverage.drops_unknown"))
    elif not dropping:
        lines.append(say("coverage.drops_none"))
    lines += [count("coverage.drops", n, tap=tap) for tap, n in dropping]
    lost = coverage.unattributed
    if lost.get("conversations"):
        amount = size(lost.get("bytes", 0))
        lines.append(count("coverage.unattributed", lost["conversations"], bytes=amount))
    else:
        lines.append(say("coverage.unattributed_none"))
    lines += [say("coverage.truncated", what=what) for what in coverage.truncated]
    if not coverage.truncated:
        lines.append(say("coverage.truncated_none"))
    return lines
