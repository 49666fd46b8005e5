"""A result as CycloneDX 1.6 declarations: what is required, claimed, shown for and against it.

The policy is a standard, each of its sentences a requirement; each stable check is a claim about
the client, with evidence, or counter-evidence by finding; the map of an attestation says how far
each requirement is met. A sentence that was not proven has no score: no number stands for *not
known*. A person's word is evidence with an author and a day of expiry.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, Final

from audit.model.outcome import Outcome
from audit.model.result import ClauseRecord, Finding, Result, VerdictRecord
from audit.report.dispositions import attestation_of
from audit.report.json import render_json, render_shown, without_nothing
from audit.report.sarif import text_without_finding
from audit.report.sentence import client_of, verdict_sentence, versions_of
from audit.report.texts import say
from audit.report.verdicts import by_clause
from audit.report.wording import timestamp

_NAMESPACE: Final = uuid.UUID("5b1d0d3c-6a0e-5d0b-9a39-0f1b5d2f6c11")
"""Names of documents are made of it and of the result, so equal results have equal names."""
_LONGEST: Final = 100
"""Characters of a version: the schema takes 1024, and a hidden one is written out as ten."""
_SCORES: Final = {Outcome.PASS: 1, Outcome.FAIL: 0}
_CLIENT: Final = "client"
_ASSESSOR: Final = "assessor"
_Evidence = dict[str, dict[str, Any]]


def render_cyclonedx(result: Result) -> bytes:
    """Return the document; references are ``KIND:NAME``."""
    evidence: _Evidence = {}
    stable = [verdict for verdict in result.verdicts if verdict.status == "stable"]
    claims = [_claim(result, verdict, evidence) for verdict in stable]
    tests = by_clause(stable)
    mapped = [_mapping(clause, tests.get(clause.id, [])) for clause in result.clauses]
    attestation = {"summary": verdict_sentence(result), "assessor": _ASSESSOR, "map": mapped}
    version = result.tool.version[:_LONGEST]
    tool = {"type": "application", "name": result.tool.name, "version": version}
    name = uuid.uuid5(_NAMESPACE, render_json(result).decode("utf-8"))
    return render_shown(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{name}",
            "version": 1,
            "metadata": without_nothing(
                {
                    "timestamp": timestamp(result.as_of),
                    "tools": {"components": [tool]},
                    "component": _client(result, "audited"),
                }
            ),
            "definitions": {"standards": [_standard(result)]},
            "declarations": {
                "assessors": [{"bom-ref": _ASSESSOR, "organization": {"name": result.tool.name}}],
                "attestations": [attestation],
                "claims": claims,
                "evidence": list(evidence.values()),
                "targets": {"components": [_client(result, _CLIENT)]},
            },
        }
    )


def _standard(result: Result) -> dict[str, Any]:
    return {
        "bom-ref": f"policy:{result.policy.id}",
        "name": result.policy.title,
        "version": result.policy.sha256,
        "requirements": [
            {
                "bom-ref": f"clause:{clause.id}",
                "identifier": clause.id,
                "title": clause.section,
                "text": clause.quote,
            }
            for clause in result.clauses
        ],
    }


def _client(result: Result, reference: str) -> dict[str, Any]:
    digests = sorted(
        {str(one.client["digest"]) for one in result.captures if one.client.get("digest")}
    )
    hashes = [{"alg": "SHA-256", "content": digest} for digest in digests if _is_sha256(digest)]
    return without_nothing(
        {
            "type": "application",
            "bom-ref": reference,
            "name": str(result.target.get("name") or client_of(result).title),
            "version": ", ".join(versions_of(result))[:_LONGEST],
            "description": str(result.target.get("title") or ""),
            "hashes": hashes,
        }
    )


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and all(char in "0123456789abcdef" for char in text)


def _claim(result: Result, verdict: VerdictRecord, evidence: _Evidence) -> dict[str, Any]:
    reference = f"claim:{verdict.check}"
    for_, against = [], []
    for number, finding in enumerate(verdict.findings, start=1):
        name = f"evidence:{verdict.check}/{number}"
        evidence[name] = _of_finding(result, finding, name)
        against.append(name)
    if verdict.outcome is Outcome.PASS and verdict.exercised:
        name = f"evidence:{verdict.check}/exercised"
        evidence[name] = _of_pass(verdict, name)
        for_.append(name)
    if word := _of_attestation(verdict, f"evidence:{verdict.check}/attested"):
        evidence[word["bom-ref"]] = word
        for_.append(word["bom-ref"])
    return {
        "bom-ref": reference,
        "target": _CLIENT,
        "predicate": verdict.title,
        "reasoning": f"{verdict.reading}\n{text_without_finding(verdict)}"
        if not verdict.findings
        else verdict.reading,
        "evidence": for_,
        "counterEvidence": against,
    }


def _of_finding(result: Result, finding: Finding, name: str) -> dict[str, Any]:
    digests = {(one.id, file): d for one in result.captures for file, d in one.digests.items()}
    data = [
        {
            "name": one.locator,
            "contents": {
                "attachment": {
                    "contentType": "text/plain",
                    "content": "\n".join(
                        [
                            f"{one.capture}/{one.file}",
                            f"sha256 {digests.get((one.capture, one.file), '–')}",
                            one.reasoning,
                            one.excerpt,
                        ]
                    ),
                }
            },
        }
        for one in finding.evidence
    ]
    return without_nothing(
        {
            "bom-ref": name,
            "propertyName": f"fingerprint:{finding.fingerprint}",
            "description": finding.message,
            "data": data,
        }
    )


def _of_pass(verdict: VerdictRecord, name: str) -> dict[str, Any]:
    return {
        "bom-ref": name,
        "propertyName": "exercised",
        "description": "\n".join([*verdict.exercised, *_limits(verdict)]),
    }


def _of_attestation(verdict: VerdictRecord, name: str) -> dict[str, Any]:
    said = attestation_of(verdict)
    if not said:
        return {}
    return without_nothing(
        {
            "bom-ref": name,
            "propertyName": "attestation",
            "description": str(said.get("statement") or ""),
            "created": timestamp(said.get("signed")),
            "expires": timestamp(said.get("valid_until")),
            "author": {"name": f"{said.get('by')} ({said.get('role')})"},
        }
    )


def _mapping(clause: ClauseRecord, verdicts: list[VerdictRecord]) -> dict[str, Any]:
    outcome = clause.outcome
    rationale = "\n".join(_rationale(verdicts)) or say("outputs.unchecked")
    conformance: dict[str, Any] = {"rationale": rationale}
    confidence: dict[str, Any] = {"rationale": "\n".join(_doubts(verdicts)) or rationale}
    if outcome in _SCORES:
        conformance["score"] = _SCORES[outcome]
    return {
        "requirement": f"clause:{clause.id}",
        "claims": [f"claim:{one.check}" for one in verdicts if one.outcome is not Outcome.FAIL],
        "counterClaims": [f"claim:{one.check}" for one in verdicts if one.outcome is Outcome.FAIL],
        "conformance": conformance,
        "confidence": confidence,
    }


def _rationale(verdicts: list[VerdictRecord]) -> Iterator[str]:
    for verdict in verdicts:
        yield f"{verdict.check}: {say(f'outcome_lower.{verdict.outcome.value}')}"


def _doubts(verdicts: list[VerdictRecord]) -> Iterator[str]:
    for verdict in verdicts:
        yield from (reason.text for reason in verdict.reasons)
        yield from _limits(verdict)
        yield from verdict.leaned_on


def _limits(verdict: VerdictRecord) -> list[str]:
    return [say("outputs.limits", limits="; ".join(verdict.limits))] if verdict.limits else []
