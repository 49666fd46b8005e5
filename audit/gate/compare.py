"""Release against release: what two results say of one client, finding by finding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from audit.model.outcome import Outcome
from audit.model.result import Finding, Result, VerdictRecord
from audit.tables.vocabulary import SEVERITIES

_DECIDED: Final = frozenset({Outcome.PASS, Outcome.FAIL})
_PROVEN: Final = {
    Outcome.PASS: 3,
    Outcome.FAIL: 3,
    Outcome.INCONCLUSIVE: 2,
    Outcome.NOT_OBSERVABLE: 1,
    Outcome.NOT_APPLICABLE: 0,
}
"""How much an outcome says: a step down is a coverage loss."""
_NUMBER: Final = re.compile(r"\d+")
"""Counts differ from recording to recording; that alone is no difference worth a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fact beside the verdicts that the two results do not share."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A finding, and what the other result has of it."""

    verdict: VerdictRecord
    """Of the result that it stands in; of both, the newer."""
    finding: Finding
    is_known: bool = False
    """In both: whether the older result holds it against the same promise, so that a gate may
    take it for old."""
    doubt: str | None = None
    """In the older alone: why its absence does not prove that it was mended; ``None``: mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A check that proves less than it did."""

    check: str
    before: Outcome
    after: Outcome
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A stable check of the older result that can block nothing any more."""

    check: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that differs between two results, in a stable order."""

    old: Result
    new: Result
    differences: tuple[Difference, ...]
    """Policy, target, tool, client and recordings."""
    added: tuple[Compared, ...]
    """Findings of the newer result alone."""
    kept: tuple[Compared, ...]
    """Findings of both."""
    absent: tuple[Compared, ...]
    """Findings of the older result alone."""
    losses: tuple[Loss, ...]
    removed_checks: tuple[Removed, ...]
    added_checks: tuple[str, ...]
    drift: tuple[Difference, ...]
    """Clauses whose quote changed, came or went: policy drift."""
    changed_checks: tuple[Difference, ...]
    """Version, reading or severity of checks, and what their passes newly lean on."""
    matrix: Mapping[Outcome, Mapping[Outcome, int]]
    """Older outcome -> newer outcome -> checks of both results."""

    @property
    def is_of_one_client(self) -> bool:
        """Whether both speak of one policy and one target."""
        return _client(self.old) == _client(self.new)

    @property
    def fixed(self) -> tuple[Compared, ...]:
        """Findings of the older result that are proven mended."""
        return tuple(one for one in self.absent if one.doubt is None)

    @property
    def not_seen(self) -> tuple[Compared, ...]:
        """Findings of the older result that are absent and not proven mended."""
        return tuple(one for one in self.absent if one.doubt is not None)

    @property
    def exit_code(self) -> int:
        """Of ``audit diff``: 1 a new violation, 4 less is proven, 0 neither; stable checks only."""
        if any(one.verdict.status == "stable" for one in self.added):
            return 1
        return 4 if self.losses or self.removed_checks else 0


def compare(old: Result, new: Result) -> Comparison:
    """Compare two results; findings are the same where check and fingerprint are."""
    before = {verdict.check: verdict for verdict in old.verdicts}
    after = {verdict.check: verdict for verdict in new.verdicts}
    both = [(before[name], after[name]) for name in sorted(before.keys() & after.keys())]
    had, has = _findings(old), _findings(new)
    stranger = "it is of another client or policy" if _client(old) != _client(new) else None
    return Comparison(
        old=old,
        new=new,
        differences=tuple(_differences(old, new)),
        added=tuple(
            Compared(verdict=v, finding=f) for key, (v, f) in has.items() if key not in had
        ),
        kept=tuple(
            Compared(verdict=v, finding=f, is_known=_is_known(*had[key], v, f))
            for key, (v, f) in has.items()
            if key in had
        ),
        absent=tuple(
            Compared(verdict=v, finding=f, doubt=stranger or _doubt(v, f, after.get(v.check)))
            for key, (v, f) in had.items()
            if key not in has
        ),
        losses=tuple(loss for one, other in both for loss in _losses(one, other)),
        removed_checks=tuple(_removed(before, after)),
        added_checks=tuple(sorted(after.keys() - before.keys())),
        drift=tuple(_drift(old, new)),
        changed_checks=tuple(change for one, other in both for change in _changes(one, other)),
        matrix=_matrix(both),
    )


def _client(result: Result) -> tuple[str, object]:
    """Return policy and target that a result speaks of."""
    return result.policy.id, result.target.get("name")


def _findings(result: Result) -> dict[tuple[str, str], tuple[VerdictRecord, Finding]]:
    """Return the findings of violated checks: nothing else is a violation."""
    return {
        (verdict.check, finding.fingerprint): (verdict, finding)
        for verdict in sorted(result.verdicts, key=lambda one: one.check)
        if verdict.outcome is Outcome.FAIL
        for finding in verdict.findings
    }


def _is_known(old: VerdictRecord, before: Finding, new: VerdictRecord, after: Finding) -> bool:
    """Whether the older result holds a finding against the same promise, and no waiver held it."""
    was_waived = (old.disposition or {}).get("kind") == "waiver"
    return (
        old.status == new.status == "stable"
        and _same_question(old, new)
        and not was_waived
        and _severity(after.severity) <= _severity(before.severity)
        and _severity(new.severity) <= _severity(old.severity)
    )


def _severity(name: str) -> int:
    """Return how severe; a word that nobody knows is least, so nothing is known by it."""
    return SEVERITIES.index(name) if name in SEVERITIES else -1


def _same_question(old: VerdictRecord, new: VerdictRecord) -> bool:
    if None not in (old.version, new.version) and old.version != new.version:
        return False
    return (old.clause, old.quote, old.reading) == (new.clause, new.quote, new.reading)


def _doubt(old: VerdictRecord, finding: Finding, new: VerdictRecord | None) -> str | None:
    """Return why a finding that is absent may not have been mended."""
    if new is None:
        return "its check is gone"
    if new.outcome not in _DECIDED:
        return f"its check is {new.outcome} now"
    if not _same_question(old, new):
        return "its check was changed"
    if lost := _actions(old) - _actions(new):
        return f"{', '.join(sorted(lost))} was not exercised"
    if finding.recordings and finding.recordings[0] < finding.recordings[1]:
        return f"it was flaky, in {finding.recordings[0]} of {finding.recordings[1]} recordings"
    return None


def _actions(verdict: VerdictRecord) -> set[str]:
    return {line.split(":", 1)[0] for line in verdict.exercised}


def _losses(old: VerdictRecord, new: VerdictRecord) -> Iterator[Loss]:
    if old.status != "stable" or new.status != "stable":
        return
    text = ""
    if _PROVEN[new.outcome] < _PROVEN[old.outcome]:
        why = f": {new.reasons[0].text}" if new.reasons else ""
        text = f"{old.outcome} -> {new.outcome}{why}"
    elif new.outcome is Outcome.PASS and (lost := _actions(old) - _actions(new)):
        text = f"{old.outcome} -> pass, without {', '.join(sorted(lost))}"
    if text:
        yield Loss(check=new.check, before=old.outcome, after=new.outcome, text=text)


def _removed(
    before: Mapping[str, VerdictRecord], after: Mapping[str, VerdictRecord]
) -> Iterator[Removed]:
    for name in sorted(before):
        if before[name].status != "stable":
            continue
        if name not in after:
            yield Removed(check=name, why="it is gone")
        elif after[name].status != "stable":
            yield Removed(check=name, why=f"it is {after[name].status} now and blocks nothing")


def _changes(old: VerdictRecord, new: VerdictRecord) -> Iterator[Difference]:
    for name in ("version", "severity", "reading", "clause"):
        before, after = getattr(old, name), getattr(new, name)
        if None not in (before, after) and before != after:
            yield Difference(what=f"{name} of {new.check}", before=str(before), after=str(after))
    if new.outcome is not Outcome.PASS or old.outcome not in _DECIDED:
        return
    for what, before, after in (
        ("leans on", old.leaned_on, new.leaned_on),
        ("is limited", old.limits, new.limits),
    ):
        had = {_NUMBER.sub("0", line) for line in before}
        for line in after:
            if _NUMBER.sub("0", line) not in had:
                yield Difference(what=f"{new.check} {what}", before="", after=line)


def _drift(old: Result, new: Result) -> Iterator[Difference]:
    before = {clause.id: clause.quote for clause in old.clauses}
    after = {clause.id: clause.quote for clause in new.clauses}
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Difference(what=name, before=before.get(name, ""), after=after.get(name, ""))


def _matrix(
    both: list[tuple[VerdictRecord, VerdictRecord]],
) -> Mapping[Outcome, Mapping[Outcome, int]]:
    counts = {one: dict.fromkeys(Outcome, 0) for one in Outcome}
    for old, new in both:
        counts[old.outcome][new.outcome] += 1
    return counts


def _differences(old: Result, new: Result) -> Iterator[Difference]:
    before, after = _facts(old), _facts(new)
    for name in before:
        if before[name] != after[name]:
            yield Difference(what=name, before=before[name], after=after[name])


def _facts(result: Result) -> dict[str, str]:
    """Return what must be the same for two results to speak of one thing."""
    clients = {
        f"{one.client.get('name')} {one.client.get('version')} {one.client.get('digest')}"[:80]
        for one in result.captures
    }
    taken = Counter(f"{one.pass_} ({one.vantage})" for one in result.captures)
    servers = {"stand-ins of a lab" if one.stand_ins else "real" for one in result.captures}
    return {
        "policy": result.policy.id,
        "policy text": result.policy.sha256[:16],
        "target": str(result.target.get("name")),
        "platform": str(result.target.get("platform")),
        "client": ", ".join(sorted(clients)),
        "recordings": ", ".join(f"{taken[name]} {name}" for name in sorted(taken)),
        "servers": ", ".join(sorted(servers)),
        "tool": f"{result.tool.name} {result.tool.version}",
    }
