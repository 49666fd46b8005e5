"""Which clauses of a policy have checks, and which have none."""

from __future__ import annotations

from typing import Any

from audit.checks.policy import Policy


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
