"""Why a check that found nothing cannot say that there was nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.checks.assertions import Tested
from audit.checks.conditions import Leaf, Node, Not
from audit.checks.demands import counted
from audit.checks.exercise import Exercised
from audit.checks.opacity import Opacity
from audit.checks.program import TRAFFIC_TABLES, Program
from audit.checks.truth import FALSE
from audit.checks.union import Union
from audit.model.result import Reason
from audit.tables.evidence import CaptureEvidence
from audit.tables.supply import SELDOM_FILLED

_NO_CONTROL_HINT = (
    "record again with 'audit record'; an import proves violations, not that there is none"
)


def not_exercised(program: Program, items: Sequence[Exercised]) -> Iterator[Reason]:
    """Yield a reason for each item of ``exercise`` that is not met."""
    for compiled, one in zip(program.exercise, items, strict=True):
        if not one.is_met:
            hint = compiled.item.hint or (
                "let the client do it in one recording that supplies what the check observes"
            )
            yield Reason(text=f"not exercised ('{compiled.item.id}'): {one.lacking}", hint=hint)


def unset_variables(program: Program) -> Iterator[Reason]:
    """Yield a reason for each variable that the check reads and nothing sets."""
    for name in sorted(program.unset):
        yield Reason(
            text=f"nothing sets the variable '{name}' that the check reads",
            hint=f"set it under 'vars' in the target's file, '{name}: …'",
        )


def empty_lists(program: Program) -> Iterator[Reason]:
    """Yield a reason for each key that nothing can meet, where meeting it would show harm."""
    found: dict[str, None] = {}
    for node, harms in program.harmful():
        found |= dict.fromkeys(_of_nothing(node, harms))
    for key in sorted(found):
        yield Reason(
            text=f"'{key}' compares with an empty list: nothing could violate what rests on it",
            hint="give the variable that it reads an entry",
        )


def _of_nothing(node: Node, harms: bool) -> Iterator[str]:
    """Yield the keys that compare with nothing and so keep rows from being looked at."""
    if isinstance(node, Leaf):
        if node.is_of_nothing and harms is not node.is_negated:
            yield node.text
    elif isinstance(node, Not):
        yield from _of_nothing(node.part, not harms)
    else:
        for part in node.parts:
            yield from _of_nothing(part, harms)


def dead_evidence(program: Program, union: Union) -> Iterator[Reason]:
    """Yield a reason for each part of the evidence that is incomplete or proven by nothing."""
    for capture in union.captures:
        for sentence in capture.truncated:
            yield Reason(
                text=f"capture {capture.capture} is incomplete: {sentence}", hint="record again"
            )
        if "identifier_hits" in program.tables and capture.detector_missing:
            yield Reason(
                text=f"in capture {capture.capture} the identifier search missed its own controls: "
                f"{', '.join(sorted(capture.detector_missing))}",
                hint="this is a fault of the tool or its installation; see 'audit doctor'",
            )
        if program.reads_traffic and _is_of_traffic(capture):
            yield from _dead_taps(capture)
    for name in sorted(program.rests_on):
        for capture in union.without_table(name):
            yield Reason(text=f"capture {capture.capture} has no table {name}")
    if program.reads_traffic and not any(map(_is_of_traffic, union.captures)):
        yield Reason(text="no capture holds traffic", hint=_NO_CONTROL_HINT)


def _is_of_traffic(capture: CaptureEvidence) -> bool:
    """Whether a capture has, or should have, listened to traffic; server records have not."""
    return (
        capture.vantage != "import"
        or bool(capture.taps)
        or any(len(frame) for name, frame in capture.tables.items() if name in TRAFFIC_TABLES)
    )


def _dead_taps(capture: CaptureEvidence) -> Iterator[Reason]:
    name = capture.capture
    if not capture.taps:
        yield Reason(text=f"capture {name} has no tap", hint=_NO_CONTROL_HINT)
    for tap in sorted(capture.taps, key=lambda item: item.tap):
        if not tap.control_found:
            yield Reason(
                text=f"in capture {name} the {tap.tap} tap did not show its control: "
                "nothing passes on it",
                hint=_NO_CONTROL_HINT,
            )
        if tap.dropped:
            what = "packets" if tap.tap == "packets" else "flows"
            yield Reason(
                text=f"in capture {name} the {tap.tap} tap lost {tap.dropped} {what}",
                hint="record again on a less busy machine",
            )
        for sentence in tap.truncated:
            yield Reason(text=f"in capture {name} the {tap.tap} tap was cut: {sentence}")


def unfilled_columns(program: Program, union: Union) -> Iterator[Reason]:
    """Yield a reason for each seldom filled column that the verdict reads and nothing filled."""
    for name, column in sorted(program.columns & SELDOM_FILLED.keys()):
        table = union.table(name)
        if not np.any(table.encoded(column).codes >= 0):
            yield Reason(
                text=f"nothing fills {name}.{column} here: what the check asks of it is not known",
                hint=f"it comes of {SELDOM_FILLED[name, column]}",
            )


def partial_view(tested: Sequence[Tested], union: Union) -> Iterator[Reason]:
    """Yield the reason that "nothing else was sent" cannot be said."""
    if any(capture.sees_all for capture in union.captures):
        return
    for one in tested:
        if one.rests_on_traffic and TRAFFIC_TABLES.intersection(one.expectation.tables):
            yield Reason(
                text="what the client sent around the recording proxy was not seen",
                hint="record packets on every interface; 'audit doctor' says whether this "
                "machine can",
            )
            return


def unread(
    program: Program, opacity: Opacity, union: Union, candidates: Sequence[int]
) -> Iterator[Reason]:
    """Yield the reasons that content which the check reads stayed unread."""
    if program.check.file.opaque == "block" and opacity.opaque:
        yield Reason(
            text=f"{opacity.opaque} of {opacity.selected} messages that the check reads are "
            "opaque: what they hold is not known",
            hint="a second check of what lies inside needs the keys; in the lab they are there",
        )
    if opacity.sealed and opacity.sealed.issuperset(candidates):
        names = ", ".join(str(union.captures[index].capture) for index in sorted(opacity.sealed))
        yield Reason(
            text=f"conversations that the check reads were never opened (captures {names})",
            hint="record a passive pass with TLS keys, or an intercepted pass",
        )


def undecided(program: Program, tested: Sequence[Tested], union: Union) -> Iterator[Reason]:
    """Yield a reason for rows that the evidence leaves open, and for ``unsure`` rows."""
    for one in tested:
        if len(one.undecided):
            item = one.expectation.item
            yield Reason(
                text=f"'{item.id}' cannot be decided for "
                f"{counted(len(one.undecided), one.table.name)}: a value that it "
                "compares is absent, lies in the future, or "
                "is a name that is the client's word alone; an event that nothing proves; or "
                "traffic of nobody knows whom"
            )
        if one.unkeyed and one.left is not None:
            yield Reason(
                text=f"'{one.expectation.item.id}' cannot compare "
                f"{counted(one.unkeyed, one.left.name)}: there is no key"
            )
    for unsure in program.unsure:
        truths = unsure.where.evaluate(union.table(unsure.item.from_))
        count = int(np.count_nonzero(truths != FALSE))
        if count:
            text = f"{counted(count, unsure.item.from_)}: {unsure.item.because}"
            yield Reason(text=text)
