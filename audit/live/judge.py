"""Judges flows as they come, by the readers of dumps and the evaluator's own expectations.

What is judged is what one row decides, ``none`` and ``every``. Expectations that need the whole
recording (counts, joins, ranks, what a journal says) are named once and judged afterwards.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from audit.bundle.identity import Identity
from audit.checks.assertions import Tested, apply
from audit.checks.compiling import compile_check
from audit.checks.faults import Faults
from audit.checks.findings import make_findings
from audit.checks.fingerprints import Redact
from audit.checks.policy import Policy, Target
from audit.checks.program import TRAFFIC_TABLES, Program, RowExpectation
from audit.checks.union import Union
from audit.evidence.context import EvidenceContext
from audit.evidence.imports import import_file
from audit.tables.evidence import CaptureEvidence
from audit.tables.reference import parse_reference
from audit.yamlfile.expectation import Every, NoneOf
from audit.yamlfile.pack import ListedRole
from audit.yamlfile.problem import PolicyFileError

OF_THE_WHOLE: Final = frozenset(
    {
        "bytes_in", "bytes_out", "content", "first_contact", "first_seen", "last_seen",
        "missed_bytes", "only_dns", "packets_in", "packets_out", "payload_bytes",
    }
)  # fmt: skip
"""Columns of ``conversations`` that only a whole conversation, or recording, fills."""
OF_A_JOURNAL: Final = frozenset({"phase", "vpn_up"})
"""Columns that a journal fills."""
_FILE: Final = "flows.mitm"
_CONVERSATIONS: Final = "conversations"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFinding:
    """Violating rows of one batch that belong to one finding."""

    check: str
    expectation: str
    severity: str
    message: str
    fingerprint: str
    rows: tuple[str, ...]
    """References of the rows, ``flows.mitm#N…``, N counted from the first flow of the run."""
    is_new: bool
    """Whether no batch before had it."""


@dataclass(slots=True)
class LiveJudge:
    """Judges records of flows, a batch after the other."""

    policy: Policy
    target: Target
    context: EvidenceContext
    as_of: datetime
    redact: Redact
    flows: int = 0
    """Flows that were judged."""
    counts: dict[str, int] = field(default_factory=dict)
    """Fingerprint -> rows."""
    _programs: list[Program] = field(default_factory=list)
    _kept: list[tuple[int, bytes]] = field(default_factory=list)
    """Earlier flows, with their numbers, that later rows are understood by."""
    _told: set[tuple[str, str, str]] = field(default_factory=set)
    """Conversations that an expectation found before: a later flow on one adds no row."""

    def __post_init__(self) -> None:
        for check in self.policy.checks:
            if not self.target.is_judged(check):
                continue
            faults = Faults()
            program = compile_check(check, self.policy, self.target, self.as_of, faults)
            if faults.found:
                raise PolicyFileError(fault.problem(check.located) for fault in faults.found)
            self._programs.append(program)

    def prepare(self) -> None:
        """Make the search now, which takes seconds for many identifiers, and not with a flow."""
        from audit.identifiers.detector import detector_of

        detector_of(self.context.identity or Identity()).controls()

    def expectations(self) -> Iterator[tuple[Program, RowExpectation]]:
        """Yield what is judged here."""
        for program in self._programs:
            for expectation in program.expect:
                if isinstance(expectation, RowExpectation) and _is_of_a_row(expectation):
                    yield program, expectation

    def afterwards(self) -> list[str]:
        """Return ``check/expectation`` of what needs the whole recording."""
        here = {id(expectation) for _, expectation in self.expectations()}
        return [
            f"{program.check.file.id}/{expectation.item.id}"
            for program in self._programs
            for expectation in program.expect
            if id(expectation) not in here
        ]

    def judge(self, records: Sequence[bytes]) -> list[LiveFinding]:
        """Judge flows, given as records of a dump, in the order of the checks."""
        if not records:
            return []
        numbers = [number for number, _ in self._kept]
        numbers += range(self.flows + 1, self.flows + len(records) + 1)
        batch = [record for _, record in self._kept] + list(records)
        known = len(self._kept)
        self.flows += len(records)
        evidence = self._read(batch)
        found = list(self._findings(evidence, numbers, known))
        self._keep(evidence, batch, numbers)
        return found

    def _read(self, batch: Sequence[bytes]) -> CaptureEvidence:
        with TemporaryDirectory(prefix="audit-live-") as folder:
            path = Path(folder) / _FILE
            path.write_bytes(b"".join(batch))
            return import_file(path, self.context)

    def _findings(
        self, evidence: CaptureEvidence, numbers: Sequence[int], known: int
    ) -> Iterator[LiveFinding]:
        union = Union([evidence])
        for program, expectation in self.expectations():
            tested = apply(expectation, union)
            rows = [
                row
                for row in tested.violating.tolist()
                if self._is_new_row(tested, row, program, known)
            ]
            if not rows:
                continue
            fresh = dataclasses.replace(tested, violating=np.array(rows, dtype=np.intp))
            for finding in make_findings([fresh], program, self.redact):
                is_new = finding.fingerprint not in self.counts
                self.counts[finding.fingerprint] = (
                    self.counts.get(finding.fingerprint, 0) + finding.count
                )
                yield LiveFinding(
                    check=program.check.file.id,
                    expectation=finding.expectation,
                    severity=finding.severity,
                    message=finding.message,
                    fingerprint=finding.fingerprint,
                    rows=tuple(_renumbered(one.locator, numbers) for one in finding.evidence),
                    is_new=is_new,
                )

    def _is_new_row(self, tested: Tested, row: int, program: Program, known: int) -> bool:
        first = _record_of(str(tested.table.value("ref", row)))
        if tested.table.name != _CONVERSATIONS:
            return first > known
        name = tested.table.value("conversation", row)
        key = (program.check.file.id, tested.expectation.item.id, str(name))
        if name is not None and key in self._told:
            return False
        self._told.add(key)
        return name is not None or first > known

    def _keep(
        self, evidence: CaptureEvidence, batch: Sequence[bytes], numbers: Sequence[int]
    ) -> None:
        """Keep the flows that say what later servers are: look-ups, and answers that list them."""
        listing = {
            rule.address_listed_in.role
            for rule in self.policy.pack.peer_roles.values()
            if isinstance(rule, ListedRole)
        }
        answers = evidence.tables["http_responses"]
        refs = [*answers.loc[answers["peer_role"].isin(listing), "ref"]]
        refs += [*evidence.tables["dns_queries"]["ref"]]
        places = sorted({_record_of(str(ref)) - 1 for ref in refs})
        held = {batch[place]: numbers[place] for place in places if 0 <= place < len(batch)}
        self._kept = [(number, record) for record, number in held.items()]


def _is_of_a_row(expectation: RowExpectation) -> bool:
    """Whether one row of what the proxy saw decides."""
    table = expectation.item.from_
    if not isinstance(expectation.item, NoneOf | Every) or table not in TRAFFIC_TABLES:
        return False
    leaves = (*expectation.where.leaves(), *expectation.match.leaves())
    read = {leaf.column for leaf in leaves}
    if read & OF_A_JOURNAL:
        return False
    return table != _CONVERSATIONS or not read & OF_THE_WHOLE


def _record_of(locator: str) -> int:
    records = parse_reference(locator).records
    return records[0] if records else 0


def _renumbered(locator: str, numbers: Sequence[int]) -> str:
    """Return a reference with the numbers that the flows have in the whole run."""
    reference = parse_reference(locator)
    records = tuple(numbers[record - 1] for record in reference.records)
    return str(dataclasses.replace(reference, records=records))
