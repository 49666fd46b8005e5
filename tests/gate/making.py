"""Policies, verdicts and findings with fixed values, for the tests of this room."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from audit.gate.dispositions import Clock
from audit.model.outcome import Outcome
from audit.model.result import (
    Coverage,
    Finding,
    Gate,
    PolicyRef,
    Result,
    Tool,
    VerdictRecord,
)

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLOCK = Clock(as_of=AS_OF)
TEXT = "We never talk to trackers.\n"
CHECK = """\
schema: audit/check@1
id: example.{name}
title: No tracker
version: 1.0.0
severity: {severity}
clause: {{policy: example, id: trackers, quote: We never talk to trackers., reading: None is contacted.}}
observe: [{{capability: process.attribution}}]
exercise: [{{id: idle, actions: [app.idle, app.message.send]}}]
expect:
  - {{id: none, assert: none, from: http_requests, match: {{host: t.example}}, identity: [recipient, user_agent], message: '{{recipient}}'}}
attest: {{question: Is it so?, by: [operator], valid_for: 365d, needs: [signed statement]}}
procedure: Look.
tests: [{{name: quiet, actions: [app.idle], verdict: inconclusive}}]
"""
SEVERITIES = {"low": "low", "high": "high", "critical": "critical", "tracker": "high"}


def write_gate_policy(folder: Path) -> Path:
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    files = {
        "source.txt": TEXT,
        "policy.yaml": (
            "schema: audit/policy@1\nid: example\ntitle: Example policy\n"
            f"editions: [{{id: first, text: source.txt, sha256: {digest}, url: unknown, retrieved: unknown}}]\n"
            "clauses:\n  - {id: trackers, section: One, quote: We never talk to trackers.}\n"
            "  - {id: other, section: Two, quote: We never talk, kind: disclosure}\n"
        ),
        "pack.yaml": (
            "schema: audit/pack@1\nid: example\nversion: 1.0.0\nlicense: Apache-2.0\nrequires: audit>=0.1\n"
        ),
        "gate.yaml": (
            "schema: audit/gate@1\nfail_on: {severity: high}\n"
            "require: {verdicts: {critical: [pass], high: [pass, not_observable+attested]}}\n"
        ),
        "checks/plain.yaml": CHECK.format(name="plain", severity="high").split("attest:")[0].strip()
        + "\ntests: [{name: quiet, actions: [app.idle], verdict: inconclusive}]\n",
    } | {
        f"checks/{name}.yaml": CHECK.format(name=name, severity=severity)
        for name, severity in SEVERITIES.items()
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def make_finding(recipient: str = "t.example", *, severity="high", agent="curl") -> Finding:
    return Finding(
        id="f",
        expectation="none",
        severity=severity,
        message=recipient,
        columns={"recipient": recipient, "user_agent": agent},
        fingerprint=hashlib.sha256(f"{recipient} {agent}".encode()).hexdigest(),
        count=1,
        evidence=[],
    )


def make_verdict(
    name="tracker", outcome=Outcome.PASS, *findings: Finding, **changes
) -> VerdictRecord:
    values = {
        "check": f"example.{name}",
        "clause": "trackers",
        "title": "No tracker",
        "severity": SEVERITIES.get(name, "high"),
        "quote": "We never talk to trackers.",
        "reading": "None is contacted.",
        "outcome": outcome,
        "reasons": [],
        "limits": [],
        "leaned_on": [],
        "exercised": [],
        "findings": list(findings),
    }
    return VerdictRecord(**(values | changes))


WAIVER = """\
schema: audit/waivers@1
waivers:
  - id: W-1
    check: example.tracker
    where: {recipient|domain: example, user_agent: curl}
    reason: link preview
    owner: net-team
    approved_by: privacy-lead
    created: 2026-02-01
    expires: 2026-04-01
"""
ATTESTATION = """\
schema: audit/attestations@1
attestations:
  - {check: example.tracker, statement: It is so., by: Ann, role: operator, signed: 2026-01-01, valid_until: 2026-06-01}
"""


def make_result(*verdicts: VerdictRecord, **changes) -> Result:
    values = {
        "as_of": "2026-03-01T12:00:00Z",
        "tool": Tool(name="privacy-audit", version="1"),
        "policy": PolicyRef(id="example", title="Example policy", sha256="1" * 64),
        "target": {"name": "client", "title": "client", "platform": None, "is_official": False},
        "captures": [],
        "coverage": Coverage(
            conversations={},
            bytes={},
            missed_by_proxy=[],
            drops={},
            truncated=[],
            unattributed={},
            actions=[],
            vantage=[],
        ),
        "clauses": [],
        "verdicts": list(verdicts),
        "reported": [],
        "gate": Gate(exit_code=0, reasons=[]),
    }
    return Result(**(values | changes))
