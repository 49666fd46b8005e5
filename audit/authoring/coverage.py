"""Which clauses of a policy have checks, which have none, and what nothing can observe yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.checks.policy import Policy
from audit.tables.supply import CAPABILITIES_TO_COME


def clause_coverage(policy: Policy) -> dict[str, Any]:
    """Return ``{"clauses": [{"id", "quote", "checks": [ids], "attest": [ids]}]}``.

    ``attest`` names the checks that say who could vouch where nothing can be observed.
    """
    clauses = []
    for clause in policy.file.clauses:
        checks = [check.file for check in policy.checks if check.file.clause.id == clause.id]
        clauses.append(
            {
                "id": clause.id,
                "quote": clause.quote,
                "checks": [check.id for check in checks],
                "attest": [check.id for check in checks if check.attest is not None],
            }
        )
    return {"clauses": clauses}


def not_yet(policy: Policy) -> Mapping[str, str]:
    """Return check -> what it reads that no reader of this version fills, in words."""
    found: dict[str, str] = {}
    for check in policy.checks:
        lacking = [
            f"{item.capability} comes with {CAPABILITIES_TO_COME[item.capability]}"
            for item in check.file.observe
            if item.capability in CAPABILITIES_TO_COME
        ]
        if lacking:
            found[check.file.id] = "; ".join(dict.fromkeys(lacking))
    return found
