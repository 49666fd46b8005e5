"""Gate, waiver and attestation files, loaded and checked against the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from audit.checks.conditions import Condition, build_condition
from audit.checks.faults import Faults
from audit.checks.fingerprints import SERVER_COLUMNS
from audit.checks.identity import IDENTITY
from audit.checks.policy import LoadedCheck, Policy
from audit.checks.scope import ColumnScope
from audit.tables.column import Column
from audit.tables.frames import columns_of
from audit.tables.rows import TABLES
from audit.tables.vocabulary import SEVERITIES, Severity
from audit.yamlfile import attestations as attestations_file
from audit.yamlfile import gate as gate_file
from audit.yamlfile import waivers as waivers_file
from audit.yamlfile.expectation import NoJoin, Some, Uniform
from audit.yamlfile.loader import load_yaml
from audit.yamlfile.located import Located
from audit.yamlfile.problem import PolicyFileError, Problem, did_you_mean
from audit.yamlfile.units import parse_time
from audit.yamlfile.validate import parse_model

GATE_FILE: Final = "gate.yaml"
_NEEDS_WHERE: Final = frozenset({"high", "critical"})
"""Severities at which a waiver must say which findings it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWaiver:
    """A waiver, and its condition over the columns of findings."""

    file: waivers_file.Waiver
    where: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """Everything that turns verdicts into an exit code."""

    gate: gate_file.GateFile = field(default_factory=gate_file.GateFile)
    waivers: tuple[LoadedWaiver, ...] = ()
    attestations: tuple[attestations_file.Attestation, ...] = ()


def load_rules(
    policy: Policy,
    gate: Path | None = None,
    waivers: Path | None = None,
    attestations: Path | None = None,
) -> GateRules:
    """Load the files of a gate; without ``gate`` the policy's own ``gate.yaml`` holds.

    ``waivers`` and ``attestations`` go before the files that the gate names. Raises
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
            _check_rules(waiver, check, rules, faults)
            loaded.append(LoadedWaiver(file=waiver, where=_where(waiver, check, policy, faults)))
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
    faults: Faults,
) -> None:
    severity = _worst_severity(check)
    if severity not in rules.allow_for:
        faults.under("check").add(
            "E131", f"findings of severity {severity} cannot be waived", allowed=rules.allow_for
        )
    if not waiver.where and severity in _NEEDS_WHERE:
        faults.under("where").add(
            "E132", f"at severity {severity} a waiver must say which findings it means"
        )
    life = parse_time(waiver.expires) - parse_time(waiver.created)
    if life > timedelta(days=rules.max_days):
        faults.under("expires").add("E133", f"a waiver lives at most {rules.max_days} days")
    if rules.approver_differs and waiver.owner.casefold() == waiver.approved_by.casefold():
        faults.under("approved_by").add("E134", "owner and approver must be two")


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


def load_attestations(policy: Policy, path: Path) -> tuple[attestations_file.Attestation, ...]:
    """Load attestations; raises :class:`PolicyError` for one of a check that does not exist."""
    located = load_yaml(path)
    file = parse_model(located, attestations_file.AttestationsFile, attestations_file.SCHEMA)
    checks = tuple(check.file.id for check in policy.checks)
    faults = Faults()
    for index, item in enumerate(file.attestations):
        if item.check not in checks:
            faults.under("attestations", index, "check").add(
                "E130", f"there is no check '{item.check}'", hint=did_you_mean(item.check, checks)
            )
    if faults.found:
        raise PolicyFileError(_placed(faults, located))
    return tuple(file.attestations)
