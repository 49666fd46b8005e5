"""Gate, waiver and attestation files, loaded and checked against the policy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from audit.checks.conditions import Condition, build_condition
from audit.checks.faults import Faults
from audit.checks.fingerprints import SERVER_COLUMNS
from audit.checks.identity import IDENTITY
from audit.checks.policy import LoadedCheck, Policy
from audit.checks.scope import ColumnScope
from audit.checks.truth import TRUE
from audit.tables.column import Column
from audit.tables.frames import columns_of
from audit.tables.rows import TABLES
from audit.tables.vocabulary import SEVERITIES, Severity
from audit.yamlfile import attestations as attestations_file
from audit.yamlfile import gate as gate_file
from audit.yamlfile import waivers as waivers_file
from audit.yamlfile.check import Attest
from audit.yamlfile.expectation import NoJoin, Some, Uniform
from audit.yamlfile.loader import load_yaml
from audit.yamlfile.located import Located
from audit.yamlfile.problem import PolicyFileError, Problem, did_you_mean
from audit.yamlfile.units import parse_duration, parse_time
from audit.yamlfile.validate import parse_model

GATE_FILE: Final = "gate.yaml"
_NEEDS_WHERE: Final = frozenset({"high", "critical"})
"""Severities at which a waiver must say which findings it means."""

_STRANGERS: Final = (
    ("zq7vx", "zq7vx.invalid"),
    ("Ω 0k-JB/wy", "0k-jb.wy.invalid"),
    ("~", "2001:db8:ffff:7::e"),
    ("4711", "192.0.2.211"),
)
"""Text and host of findings that no real one resembles: reserved names and addresses (RFC 2606,
RFC 5737, RFC 3849)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWaiver:
    """A waiver, and its condition over the columns of findings."""

    file: waivers_file.Waiver
    where: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedAttestation:
    """An attestation, and what its check asks of one."""

    file: attestations_file.Attestation
    attest: Attest

    @property
    def lapses(self) -> datetime:
        """When it ends: as it says, and no later than its check lets an answer hold."""
        longest = timedelta(seconds=parse_duration(self.attest.valid_for))
        signed = parse_time(self.file.signed)
        return min(parse_time(self.file.valid_until), signed + longest)

    @property
    def is_shortened(self) -> bool:
        """Whether its check ends it before the day that it says."""
        return self.lapses < parse_time(self.file.valid_until)

    @property
    def is_entitled(self) -> bool:
        """Whether name or role has the words of one of those who may answer."""
        said = _words(f"{self.file.by} {self.file.role}")
        return any(_words(who) <= said for who in self.attest.by)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """Everything that turns verdicts into an exit code."""

    gate: gate_file.GateFile = field(default_factory=gate_file.GateFile)
    waivers: tuple[LoadedWaiver, ...] = ()
    attestations: tuple[LoadedAttestation, ...] = ()
    baseline: Path | None = None
    """Earlier result to compare with; ``None``: none."""


def load_rules(
    policy: Policy,
    gate: Path | None = None,
    waivers: Path | None = None,
    attestations: Path | None = None,
    baseline: Path | None = None,
) -> GateRules:
    """Load the files of a gate; without ``gate`` the policy's own ``gate.yaml`` holds.

    ``waivers``, ``attestations`` and ``baseline`` go before the files that the gate names. Raises
    :class:`PolicyError` (exit code 2): with a wrong file nothing is judged.
    """
    path = gate or policy.folder / GATE_FILE
    rules = gate_file.GateFile()
    if gate is not None or path.is_file():
        rules = parse_model(load_yaml(path), gate_file.GateFile, gate_file.SCHEMA)
    waivers = waivers or _beside(path, rules.waivers.file)
    attestations = attestations or _beside(path, rules.attestations.file)
    return GateRules(
        gate=rules,
        waivers=() if waivers is None else load_waivers(policy, waivers, rules.waivers),
        attestations=() if attestations is None else load_attestations(policy, attestations),
        baseline=baseline or _beside(path, rules.compare.baseline),
    )


def _beside(path: Path, name: str | None) -> Path | None:
    return None if name is None else path.parent / name


def load_waivers(
    policy: Policy, path: Path, rules: gate_file.WaiverRules
) -> tuple[LoadedWaiver, ...]:
    """Load waivers; raises :class:`PolicyError` for one that the gate's rules do not allow."""
    located = load_yaml(path)
    file = parse_model(located, waivers_file.WaiversFile, waivers_file.SCHEMA)
    problems: list[Problem] = []
    loaded: list[LoadedWaiver] = []
    checks = {check.file.id: check for check in policy.checks}
    seen: set[str] = set()
    for index, waiver in enumerate(file.waivers):
        faults = Faults().under("waivers", index)
        if waiver.id in seen:
            faults.under("id").add("E111", f"the waiver '{waiver.id}' stands twice")
        seen.add(waiver.id)
        check = checks.get(waiver.check)
        if check is None:
            hint = did_you_mean(waiver.check, tuple(checks))
            faults.under("check").add("E130", f"there is no check '{waiver.check}'", hint=hint)
        else:
            where = _where(waiver, check, policy, faults)
            _check_rules(waiver, check, rules, where, faults)
            loaded.append(LoadedWaiver(file=waiver, where=where))
        problems += _placed(faults, located)
    if problems:
        raise PolicyFileError(problems)
    return tuple(loaded)


def _placed(faults: Faults, located: Located) -> list[Problem]:
    return [fault.problem(located) for fault in faults.found]


def _check_rules(
    waiver: waivers_file.Waiver,
    check: LoadedCheck,
    rules: gate_file.WaiverRules,
    where: Condition,
    faults: Faults,
) -> None:
    severity = _worst_severity(check)
    if severity not in rules.allow_for:
        faults.under("check").add(
            "E131", f"findings of severity {severity} cannot be waived", allowed=rules.allow_for
        )
    is_written = not any(fault.path[2:3] == ("where",) for fault in faults.found)
    if severity in _NEEDS_WHERE and is_written and _is_wide(where, check):
        faults.under("where").add(
            "E132", f"at severity {severity} a waiver must say which findings it means"
        )
    life = parse_time(waiver.expires) - parse_time(waiver.created)
    if life > timedelta(days=rules.max_days):
        faults.under("expires").add("E133", f"a waiver lives at most {rules.max_days} days")
    if rules.approver_differs and _person(waiver.owner) == _person(waiver.approved_by):
        faults.under("approved_by").add("E134", "owner and approver must be two")


def _person(name: str) -> str:
    """Return a name as it is compared: compatibility forms, case, spaces and signs aside."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in folded if sign.isalnum())


def _is_wide(where: Condition, check: LoadedCheck) -> bool:
    """Whether a waiver would also cover findings that nobody has seen yet.

    It is asked of findings whose every column is something that no policy, client or capture names:
    ``{}``, ``exists``, a pattern that fits all and a ``not`` of one value hold for one of them.
    """
    columns = finding_columns(check)
    for text, host in _STRANGERS:
        stranger: dict[str, object] = {
            name: host if column.type == "host" else text for name, column in columns.items()
        }
        if where.of(stranger) == TRUE:
            return True
    return False


def _worst_severity(check: LoadedCheck) -> Severity:
    said = [check.file.severity, *(item.severity for item in check.file.expect if item.severity)]
    return max(said, key=SEVERITIES.index)


def _where(
    waiver: waivers_file.Waiver, check: LoadedCheck, policy: Policy, faults: Faults
) -> Condition:
    scope = ColumnScope(
        table="findings",
        columns=finding_columns(check),
        variables=policy.variables(),
        lists=policy.lists,
    )
    return build_condition(waiver.where, scope, faults.under("where"))


def finding_columns(check: LoadedCheck) -> Mapping[str, Column]:
    """Return the columns that findings of a check have: text, and hosts where servers are named."""
    found: dict[str, Column] = {}
    for item in check.file.expect:
        if isinstance(item, NoJoin):
            continue
        names = item.identity
        if names is None and isinstance(item, Uniform):
            names = item.group_by
        if names is None:
            names = [] if isinstance(item, Some) else list(IDENTITY[item.from_])
        known = columns_of(item.from_) if item.from_ in TABLES else {}
        for name in names:
            column = known.get(name)
            is_host = name in SERVER_COLUMNS or (column is not None and column.type == "host")
            found[name] = Column("host" if is_host else "text", "column of a finding")
    return found


def load_attestations(policy: Policy, path: Path) -> tuple[LoadedAttestation, ...]:
    """Load attestations; raises :class:`PolicyError` for one of a check that asks for none."""
    located = load_yaml(path)
    file = parse_model(located, attestations_file.AttestationsFile, attestations_file.SCHEMA)
    checks = {check.file.id: check for check in policy.checks}
    faults = Faults()
    loaded = []
    for index, item in enumerate(file.attestations):
        place = faults.under("attestations", index, "check")
        check = checks.get(item.check)
        if check is None:
            hint = did_you_mean(item.check, tuple(checks))
            place.add("E130", f"there is no check '{item.check}'", hint=hint)
        elif check.file.attest is None:
            place.add("E135", f"'{item.check}' asks nobody: it is decided by what is recorded")
        else:
            loaded.append(LoadedAttestation(file=item, attest=check.file.attest))
    if faults.found:
        raise PolicyFileError(_placed(faults, located))
    return tuple(loaded)
