from __future__ import annotations

import dataclasses
import hashlib

from audit.bundle.manifest import Client, Manifest
from audit.checks.evaluate import evaluate
from audit.checks.targets import target_of_nothing
from audit.gate.assemble import make_result
from audit.gate.decide import decide
from audit.gate.exercised import share_exercised
from audit.gate.rules import load_rules
from audit.model.outcome import Outcome
from audit.model.result import Result
from audit.report.json import render_json
from audit.tables.evidence import CaptureEvidence, PerformedAction, TapState
from audit.tables.frames import make_frame
from audit.tables.rows import TABLES

from .making import AS_OF, CLOCK

COVERAGE = {
    "conversations": {"transport": {"tls-keys": 2}, "content": {"readable": 2}},
    "bytes": {"transport": {"tls-keys": 100}, "content": {"readable": 100}},
    "missed_by_proxy": [],
    "drops": {"packets": 0},
    "truncated": ["cut for ann"],
    "unattributed": {"conversations": 0, "bytes": 0},
    "actions": [{"name": "app.idle", "ts": "2026-03-01T10:00:00Z"}],
    "vantage": ["netns"],
    "recipients": [{"recipient": "t.example", "role": None, "owner": None, "process": "app", "conversations": 1, "bytes": 7}],
    "timeline": [],
    "who_got_what": [{"recipient": "t.example", "kind": "email", "forms": ["hex"], "count": 2}],
}  # fmt: skip


def make_manifest(name: str) -> Manifest:
    return Manifest.model_validate(
        {
            "id": name,
            "status": "complete",
            "pass": "passive",
            "vantage": "netns",
            "device": "d",
            "install": "i",
            "started_at": "2026-03-01T10:00:00Z",
            "client": Client(name="app", command=("client", "--name", "ann")).model_dump(),
            "files": {"b": "2" * 64, "a": "1" * 64},
        }
    )


def make_evidence(name: str) -> CaptureEvidence:
    rows = [
        {
            "capture": name,
            "ref": "flows.mitm#1",
            "host": "t.example",
            "recipient": "t.example",
            "process": "app",
        }
    ]
    return CaptureEvidence(
        capture=name,
        digest=hashlib.sha256(name.encode()).hexdigest(),
        vantage="netns",
        pass_="passive",
        install="i",
        device="d",
        tables={t: make_frame(t, rows if t == "http_requests" else []) for t in TABLES},
        capabilities=frozenset({"process.attribution"}),
        taps=(TapState(tap="packets", control_found=True),),
        sees_all=True,
        actions=(
            PerformedAction(
                name="app.idle", ok=True, corroborated_by="recorder", ts="2026-03-01T10:00:00Z"
            ),
        ),
        coverage=COVERAGE,
    )


def redact(text: str) -> str:
    return text.replace("ann", "[user_name:aabbcc]")


def run(policy, *names: str) -> Result:
    target = target_of_nothing(policy)
    captures = [make_evidence(name) for name in names]
    judged = evaluate(policy, target, captures, AS_OF, redact)
    share = share_exercised(policy, target, captures, AS_OF)
    decision = decide(judged.verdicts, load_rules(policy), CLOCK, share)
    return make_result(
        policy,
        target,
        [(capture, make_manifest(capture.capture)) for capture in captures],
        decision.verdicts,
        judged.reported,
        decision.gate,
        AS_OF,
        "0.1.0",
        redact,
    )


def test_a_run_again_gives_the_same_bytes_whatever_the_order_of_captures(policy):
    first, second = render_json(run(policy, "a", "b")), render_json(run(policy, "b", "a"))
    assert first == second
    assert Result.model_validate_json(first) == run(policy, "a", "b")


def test_every_clause_stands_in_the_result_those_without_a_check_included(policy):
    clauses = {clause.id: clause for clause in run(policy, "a").clauses}
    assert clauses["trackers"].outcome is Outcome.FAIL
    assert len(clauses["trackers"].checks) == 5
    assert (clauses["other"].outcome, clauses["other"].checks) == (None, [])
    assert clauses["other"].kind == "disclosure"


def test_a_clause_takes_the_worst_of_its_stable_checks(policy):
    from audit.gate.assemble import clause_records

    from .making import make_verdict

    verdicts = [
        make_verdict("low", Outcome.FAIL, status="experimental"),
        make_verdict("high", Outcome.PASS),
        make_verdict("critical", Outcome.NOT_APPLICABLE),
    ]
    assert next(clause_records(policy, verdicts)).outcome is Outcome.PASS
    assert next(clause_records(policy, verdicts[:1])).outcome is None
    assert next(clause_records(policy, verdicts[2:])).outcome is Outcome.NOT_APPLICABLE


def test_coverage_is_added_up_over_captures(policy):
    coverage = run(policy, "a", "b").coverage
    assert coverage.conversations["transport"] == {"tls-keys": 4}
    assert coverage.bytes["content"] == {"readable": 200}
    assert coverage.vantage == ["netns"]
    assert [(r["conversations"], r["bytes"]) for r in coverage.recipients] == [(2, 14)]
    assert coverage.who_got_what[0]["count"] == 4
    assert coverage.truncated == ["cut for [user_name:aabbcc]"]


def test_a_result_is_redacted(policy):
    assert b"ann" not in render_json(run(policy, "a"))


def test_a_bare_file_has_no_manifest(policy):
    evidence = dataclasses.replace(make_evidence("a"), vantage="import")
    result = make_result(
        policy,
        target_of_nothing(policy),
        [(evidence, None)],
        [],
        [],
        decide([], load_rules(policy), CLOCK).gate,
        AS_OF,
        "0.1.0",
        redact,
    )
    assert (result.captures[0].client, result.captures[0].started_at) == ({}, None)


def test_the_share_of_exercised_actions_counts_what_was_proven(policy):
    target = target_of_nothing(policy)
    assert share_exercised(policy, target, [make_evidence("a")], AS_OF) == 0.5
    unproven = dataclasses.replace(
        make_evidence("a"),
        actions=(PerformedAction(name="app.idle", ok=True, corroborated_by=None, ts=""),),
    )
    assert share_exercised(policy, target, [unproven], AS_OF) == 0.0
