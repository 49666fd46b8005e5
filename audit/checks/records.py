"""Records of servers as evidence: which expectations read them alone, and when they are dead.

A log proves that something is not recorded only where it is of the right machine (it names the host
that the source names, or holds the token of a probe), was written to at the time of what was done,
and was read whole. What could not be read or dated is a row with a reason, and blocks a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from audit.checks.exercise import Exercised
from audit.checks.places import reads_records_alone
from audit.checks.program import Program
from audit.checks.union import Union
from audit.model.result import Reason
from audit.tables.evidence import CaptureEvidence, Feed

TABLES: Final = {
    "log_lines": "server.logs",
    "db_records": "server.records",
    "config_entries": "server.config",
}
"""Table -> capability that fills it."""
_SHOWN: Final = 5


def unsure_rows(program: Program, union: Union) -> Iterator[Reason]:
    """Yield a reason for records that could not be read or dated, each with its place."""
    for name in sorted(_tables(program)):
        sources = _sources(program, TABLES[name])
        table = union.table(name)
        why, source, ref = (table.encoded(column) for column in ("unsure", "source", "ref"))
        told = [
            f"{ref.at(row)}: {why.at(row)}"
            for row in np.flatnonzero(why.codes >= 0).tolist()
            if sources is None or source.at(row) in sources
        ]
        for text in told[:_SHOWN]:
            yield Reason(text=f"{name}: {text}", hint=_UNSURE_HINT)
        if len(told) > _SHOWN:
            yield Reason(text=f"{name}: {len(told) - _SHOWN} more rows of which nothing is known")


_UNSURE_HINT: Final = "mend or leave out what cannot be read, say its format, or attest"


def _tables(program: Program) -> set[str]:
    observed = {item.item.capability for item in program.observe}
    found = {name for name in TABLES if name in program.tables or TABLES[name] in observed}
    if any(map(reads_records_alone, program.expect)) and "server.logs" in observed:
        found.add("log_lines")
    return found


def _sources(program: Program, capability: str) -> frozenset[str] | None:
    """Return the roles whose records a check observes; ``None``: anybody's."""
    named = [item.item.source for item in program.observe if item.item.capability == capability]
    if not named or None in named:
        return None
    return frozenset(name for name in named if name)


def dead_feeds(
    program: Program, items: Sequence[Exercised], union: Union, candidates: Sequence[int]
) -> Iterator[Reason]:
    """Yield why the logs that a check observes prove nothing of what was done."""
    wanted = _sources(program, "server.logs")
    if not any(item.item.capability == "server.logs" for item in program.observe):
        return
    moments = [
        action.ts
        for compiled, one in zip(program.exercise, items, strict=True)
        if compiled.age_s is None
        for action in one.performed
    ]
    problems: list[dict[Reason, None]] = []
    for index in candidates:
        capture = union.captures[index]
        feeds = [feed for feed in capture.feeds if wanted is None or feed.source in wanted]
        if feeds or _is_real(capture, wanted):
            problems.append(dict.fromkeys(_of_feeds(feeds, moments)))
    if problems:
        yield from min(problems, key=len)


def _is_real(capture: CaptureEvidence, wanted: frozenset[str] | None) -> bool:
    """Whether the capture itself, not an example's word, supplies logs."""
    names = [name for name in capture.capabilities if name.startswith("server.logs:")]
    return any(wanted is None or name.partition(":")[2] in wanted for name in names)


def _of_feeds(feeds: Sequence[Feed], moments: Sequence[str]) -> Iterator[Reason]:
    for feed in feeds:
        if not feed.tied:
            yield Reason(
                text=f"nothing shows that the logs of {feed.source} are of its machine: no line "
                "names a host of the source, and none holds the token of a probe",
                hint="name 'hosts' of logs that hold the host, or import the journal of a probe "
                "whose token stands in them",
            )
        elif feed.untied:
            names = ", ".join(feed.untied[:_SHOWN])
            yield Reason(text=f"nothing shows that these logs are of {feed.source}: {names}")
        for moment in moments:
            if feed.first is None or not feed.first <= moment <= (feed.last or ""):
                yield Reason(
                    text=f"the logs of {feed.source} do not cover {moment}, when it was done: they "
                    f"begin {feed.first} and end {feed.last}",
                    hint="export the logs some time after, and before they are rotated away",
                )
