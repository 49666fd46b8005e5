"""Violating rows become findings: grouped by identity, with pointers to the bytes."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from audit.checks.assertions import Rows, Tested, combined_codes
from audit.checks.demands import demand
from audit.checks.encoding import EncodedTable
from audit.checks.fingerprints import SERVER_COLUMNS, Redact, fingerprint, normalise
from audit.checks.messages import ABSENT, render_message, render_time, render_value, shorten
from audit.checks.program import FieldRef, JoinExpectation, Program
from audit.checks.recurrence import Recurrence
from audit.identifiers.kinds import kind_info
from audit.model.result import Evidence, Finding
from audit.tables.column import ColumnType
from audit.tables.reference import Reference, parse_reference

MOST_EVIDENCE: Final = 20
"""Rows that a finding points at, at most; ``count`` says how many there are."""
_LOOKED_AT: Final = 500
"""Rows of a finding among which those with different messages are chosen."""


@dataclass(slots=True)
class _Group:
    columns: dict[str, str | None]
    rows: list[int] = field(default_factory=list)


def make_findings(
    tested: Sequence[Tested],
    program: Program,
    redact: Redact,
    recurrence: Recurrence | None = None,
) -> list[Finding]:
    """Return the findings of a check, in the order of its expectations and their columns.

    ``recurrence`` counts the recordings that show each; ``None``: not counted.
    """
    findings: list[Finding] = []
    for one in tested:
        if one.is_short:
            continue
        groups = _groups(one, program, redact)
        order = sorted(groups, key=lambda key: ([*map(str, groups[key].columns.values())], key))
        findings += [
            _finding(one, program, groups[key], key, number, redact, recurrence)
            for number, key in enumerate(order, start=1)
        ]
    return findings


def missing_rows_finding(one: Tested, program: Program) -> Finding:
    """Return the finding of a ``some`` that is not met: there are no rows to point at."""
    item = one.expectation.item
    check = program.check.file
    return Finding(
        id=f"{check.id}/{item.id}/1",
        expectation=item.id,
        severity=item.severity or check.severity,
        message=render_message(one.expectation.message, lambda _: None),
        columns={},
        fingerprint=fingerprint(check.id, item.id, {}),
        count=0,
        evidence=[],
        expected=demand(one.expectation),
    )


def _groups(one: Tested, program: Program, redact: Redact) -> dict[str, _Group]:
    """Group violating rows by fingerprint; identities are worked out once a distinct tuple."""
    rows = one.violating
    if not len(rows):
        return {}
    fields = [*one.expectation.identity]
    grouping = [item for item in fields if not item.text.startswith("left.")]
    if any(item.column in SERVER_COLUMNS for item in fields):
        grouping.append(_plain(one.table, "peer_role"))
    left_keys = [
        tuple(str(one.left.value(item.column, one.partners[row], item.path)) for item in fields)
        if one.left is not None and any(item.text.startswith("left.") for item in fields)
        else ()
        for row in (rows.tolist() if one.left is not None else [])
    ]
    codes = combined_codes(one.table, tuple(grouping), rows)
    if left_keys:
        pairs = {key: number for number, key in enumerate(dict.fromkeys(left_keys))}
        codes = codes * len(pairs) + np.array([pairs[key] for key in left_keys])
    found: dict[str, _Group] = {}
    for members in _partition(rows, codes):
        columns = _identity(one, members[0], redact)
        key = fingerprint(program.check.file.id, one.expectation.item.id, columns)
        found.setdefault(key, _Group(columns)).rows.extend(members)
    return found


def _partition(rows: Rows, codes: Rows) -> Iterable[list[int]]:
    order = np.argsort(codes, kind="stable")
    edges = np.flatnonzero(np.diff(codes[order])) + 1
    return [part.tolist() for part in np.split(rows[order], edges)]


def _plain(table: EncodedTable, column: str) -> FieldRef:
    kind: ColumnType = table.columns[column].type if column in table.columns else "text"
    return FieldRef(table=table.name, column=column, path=(), type=kind, text=column)


def _value(one: Tested, row: int, field_: FieldRef) -> object:
    if one.left is not None and field_.text.startswith("left."):
        return one.left.value(field_.column, one.partners[row], field_.path)
    return one.table.value(field_.column, row, field_.path)


def _identity(one: Tested, row: int, redact: Redact) -> dict[str, str | None]:
    role = one.table.value("peer_role", row) if "peer_role" in one.table.columns else None
    return {
        item.text: normalise(
            item,
            render_value(_value(one, row, item), item),
            None if item.text.startswith("left.") else role,
            redact,
        )
        for item in one.expectation.identity
    }


def _finding(
    one: Tested,
    program: Program,
    group: _Group,
    key: str,
    number: int,
    redact: Redact,
    recurrence: Recurrence | None,
) -> Finding:
    item = one.expectation.item
    check = program.check.file
    chosen = _chosen(one, group.rows, redact)
    shown = set(one.table.origin[np.array(group.rows, dtype=np.intp)].tolist())
    return Finding(
        id=f"{check.id}/{item.id}/{number}",
        expectation=item.id,
        severity=item.severity or check.severity,
        message=chosen[0][1] + _others(one, group),
        columns={
            name: None if text is None else shorten(text) for name, text in group.columns.items()
        },
        fingerprint=key,
        count=len(group.rows),
        evidence=[_evidence(one, row, message, redact) for row, message in chosen],
        expected=demand(one.expectation),
        recordings=None if recurrence is None else recurrence.of(shown),
        terms=_terms(one, group),
    )


def _terms(one: Tested, group: _Group) -> dict[str, str]:
    """Return what outside vocabularies call the identifier that a finding is about."""
    kind = group.columns.get("kind")
    if one.table.name != "identifier_hits" or kind is None:
        return {}
    info = kind_info(kind)
    return {"dpv": info.dpv, "fideslang": info.fideslang}


def _others(one: Tested, group: _Group) -> str:
    """Say how many more servers stand behind the role that a finding names."""
    if "recipient" not in group.columns or "peer_role" not in one.table.columns:
        return ""
    recipients = one.table.encoded("recipient")
    different = len({int(recipients.codes[row]) for row in group.rows})
    return f" (and {different - 1} more of the same role)" if different > 1 else ""


def _chosen(one: Tested, rows: list[int], redact: Redact) -> list[tuple[int, str]]:
    """Choose the rows to point at: one for each different message first, then in order."""
    near = _nearest(one.table, rows)
    order = dict(zip(near, _order(one.table, near), strict=True))
    first = heapq.nsmallest(_LOOKED_AT, near, key=order.__getitem__)
    rendered = sorted(
        zip(first, _row_messages(one, first, redact), strict=True),
        key=lambda item: (order[item[0]], item[1]),
    )
    by_message: dict[str, list[int]] = defaultdict(list)
    for position, (_, message) in enumerate(rendered):
        by_message[message].append(position)
    turns = sorted(
        (turn, position)
        for positions in by_message.values()
        for turn, position in enumerate(positions)
    )
    kept = sorted(position for _, position in turns[:MOST_EVIDENCE])
    return [rendered[position] for position in kept]


def _row_messages(one: Tested, rows: list[int], redact: Redact) -> list[str]:
    """Return the message of each row; it is made once a distinct tuple of what it shows."""
    message = one.expectation.message
    shown = tuple(piece for piece in message.pieces if not isinstance(piece, str))
    if one.left is None:
        numbers = combined_codes(one.table, shown, np.array(rows, dtype=np.intp)).tolist()
    else:
        numbers = list(range(len(rows)))
    made: dict[int, str] = {}
    for row, number in zip(rows, numbers, strict=True):
        if number not in made:
            made[number] = redact(render_message(message, partial(_value, one, row)))
    return [made[number] for number in numbers]


def _nearest(table: EncodedTable, rows: list[int]) -> list[int]:
    """Leave out rows that are not among the first by :func:`_order`, without encoding columns."""
    if len(rows) <= _LOOKED_AT:
        return rows
    numbers = np.array(rows, dtype=np.intp)
    lengths = np.array([len(text or "") for text in table.raw("ref", numbers)], dtype=np.int64)
    keys = (table.origin[numbers] << 32) + lengths
    last = np.partition(keys, _LOOKED_AT - 1)[_LOOKED_AT - 1]
    kept: list[int] = numbers[keys <= last].tolist()
    return kept


def _order(table: EncodedTable, rows: list[int]) -> list[tuple[int, int, str, str]]:
    """Order rows by capture and place, whatever order they came in; shorter numbers first."""
    numbers = np.array(rows, dtype=np.intp)
    references = [str(text or "") for text in table.raw("ref", numbers)]
    excerpts = [""] * len(rows)
    if "excerpt" in table.columns:
        excerpts = [str(text) for text in table.raw("excerpt", numbers)]
    origins = table.origin[numbers].tolist()
    lengths = map(len, references)
    return list(zip(origins, lengths, references, excerpts, strict=True))


def _evidence(one: Tested, row: int, message: str, redact: Redact) -> Evidence:
    locator = str(one.table.value("ref", row) or "")
    try:
        reference = parse_reference(locator)
    except ValueError:
        reference = Reference(file=locator)
    moment = one.table.value("ts", row)
    conversation, also = (
        one.table.value(name, row) if name in one.table.columns else None
        for name in ("conversation", "also")
    )
    return Evidence(
        capture=str(one.table.value("capture", row) or ""),
        file=reference.file,
        record=",".join(map(str, reference.records)),
        part=reference.part,
        locator=locator,
        excerpt=_excerpt(one, row, redact),
        reasoning=f"{message}; {demand(one.expectation)}",
        conversation=None if conversation is None else redact(str(conversation)),
        ts=None if moment is None else render_time(moment),
        also=None if also is None else str(also),
        chain=_chain(one, row),
    )


def _chain(one: Tested, row: int) -> list[str]:
    """Return the decoders of a hit and, last, its form; nothing for other rows."""
    if one.table.name != "identifier_hits":
        return []
    steps, form = one.table.value("chain", row), one.table.value("form", row)
    return [*(steps if isinstance(steps, list | tuple) else ()), *([str(form)] if form else [])]


def _excerpt(one: Tested, row: int, redact: Redact) -> str:
    if "excerpt" in one.table.columns:
        excerpt = one.table.value("excerpt", row)
        if excerpt is not None:
            return shorten(redact(str(excerpt)), 400)
    parts = []
    for item in _columns_read(one):
        text = render_value(one.table.value(item.column, row, item.path), item)
        parts.append(f"{item.text}={ABSENT if text is None else shorten(text)}")
    return shorten(redact("; ".join(parts)), 400)


def _columns_read(one: Tested) -> list[FieldRef]:
    expectation = one.expectation
    if isinstance(expectation, JoinExpectation):
        return [expectation.right_key]
    read: dict[str, FieldRef] = {}
    for condition in (expectation.where, expectation.match):
        for leaf in condition.leaves():
            item = _plain(one.table, leaf.column)
            text = ".".join((leaf.column, *leaf.path))
            read[text] = FieldRef(
                table=item.table, column=leaf.column, path=leaf.path, type=item.type, text=text
            )
    for item in (*expectation.group_by, *([expectation.field] if expectation.field else [])):
        read[item.text] = item
    return list(read.values())
