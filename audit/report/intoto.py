"""A result as in-toto statements, to be signed by other tools; this one holds no keys.

The predicate ``test-result/v0.1`` knows tests that passed, passed with warnings, and failed. A
check that proved nothing is none of the three, so it is left out of every list: a verifier that
requires it by name fails closed, and ``result`` is ``WARNED``. A second predicate of our own
carries all five outcomes.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from audit.model.outcome import Outcome
from audit.model.result import Result
from audit.report.json import render_json, render_shown, without_nothing

STATEMENT: Final = "https://in-toto.io/Statement/v1"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
PRIVACY_AUDIT: Final = "urn:privacy-audit:predicate:verdicts:v1"
"""Type of the predicate with the five outcomes; see ``docs/outputs.md``."""
_OPEN: Final = frozenset({Outcome.INCONCLUSIVE, Outcome.NOT_OBSERVABLE})


def render_test_result(result: Result) -> bytes:
    """Return a statement of ``test-result/v0.1``; only stable checks are tests."""
    stable = [verdict for verdict in result.verdicts if verdict.status == "stable"]
    passed = [verdict.check for verdict in stable if verdict.outcome is Outcome.PASS]
    failed = [verdict.check for verdict in stable if verdict.outcome is Outcome.FAIL]
    is_open = any(verdict.outcome in _OPEN for verdict in stable) or not passed
    word = "FAILED" if failed else "WARNED" if is_open else "PASSED"
    predicate = {
        "result": word,
        "configuration": _configuration(result),
        "passedTests": passed,
        "failedTests": failed,
    }
    return _statement(result, TEST_RESULT, predicate)


def render_privacy_audit(result: Result) -> bytes:
    """Return a statement that tells each check's outcome, its findings by fingerprint, the gate."""
    predicate = {
        "asOf": result.as_of,
        "configuration": _configuration(result),
        "gate": {
            "exitCode": result.gate.exit_code,
            "exitZero": result.gate.exit_zero,
            "reasons": list(result.gate.reasons),
        },
        "clauses": [
            {"id": clause.id, "outcome": clause.outcome.value if clause.outcome else None}
            for clause in result.clauses
        ],
        "verdicts": [
            without_nothing(
                {
                    "check": verdict.check,
                    "version": verdict.version,
                    "clause": verdict.clause,
                    "severity": verdict.severity,
                    "status": verdict.status,
                    "outcome": verdict.outcome.value,
                    "findings": [finding.fingerprint for finding in verdict.findings],
                    "waived": sorted({name for one in verdict.findings for name in one.waivers}),
                }
            )
            for verdict in result.verdicts
        ],
    }
    return _statement(result, PRIVACY_AUDIT, predicate)


def _statement(result: Result, kind: str, predicate: dict[str, Any]) -> bytes:
    return render_shown(
        {
            "_type": STATEMENT,
            "subject": _subjects(result),
            "predicateType": kind,
            "predicate": predicate,
        }
    )


def _subjects(result: Result) -> list[dict[str, Any]]:
    """Return what was tested: the program, else its recordings, else the result itself."""
    programs = {
        str(digest): " ".join(
            str(one.client[key]) for key in ("name", "version") if one.client.get(key)
        )
        for one in result.captures
        if (digest := one.client.get("digest"))
    }
    found = [_descriptor(name or "client", digest) for digest, name in sorted(programs.items())]
    found = found or [_descriptor(one.id, one.digest) for one in result.captures]
    if found:
        return found
    return [_descriptor("result.json", hashlib.sha256(render_json(result)).hexdigest())]


def _configuration(result: Result) -> list[dict[str, Any]]:
    """Return what the verdicts were made with: policy, target, recordings, tool, by digest."""
    target = str(result.target.get("name") or "")
    return [
        _descriptor(f"policy/{result.policy.id}", result.policy.sha256),
        {"name": f"target/{target}"},
        *(_descriptor(f"capture/{one.id}", one.digest) for one in result.captures),
        {"name": f"tool/{result.tool.name}", "annotations": {"version": result.tool.version}},
    ]


def _descriptor(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digest}}
