"""in-toto: statements that the published bindings read; nothing unproven is called passed."""

from __future__ import annotations

import json

import pytest
from google.protobuf.json_format import Parse
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult as Predicate
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

from audit.model.outcome import Outcome
from audit.report.intoto import PRIVACY_AUDIT, TEST_RESULT, render_privacy_audit, render_test_result

from . import results
from .variants import VARIANTS

RENDERERS = {TEST_RESULT: render_test_result, PRIVACY_AUDIT: render_privacy_audit}


@pytest.mark.parametrize("kind", RENDERERS)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_real_consumer_reads_the_statement(name, kind):
    data = json.loads(RENDERERS[kind](VARIANTS[name]()))
    assert data["predicateType"] == kind
    statement = Statement.copy_from_pb(Parse(json.dumps(data), Message()))
    if not name.startswith(("hostile", "surrogates")):  # digests that are none are refused there
        statement.validate()
    assert len(statement.pb.subject) >= 1


@pytest.mark.parametrize("name", VARIANTS)
def test_the_predicate_is_that_of_the_published_binding(name):
    """Unknown or mistyped fields are errors of ``Parse``."""
    data = json.loads(render_test_result(VARIANTS[name]()))
    predicate = Parse(json.dumps(data["predicate"]), Predicate())
    assert predicate.result in {"PASSED", "WARNED", "FAILED"}
    assert not predicate.warned_tests


def predicate_of(*outcomes: Outcome) -> dict:
    verdicts = [results.make_verdict(f"c.{outcome}", "x", outcome) for outcome in outcomes]
    return json.loads(render_test_result(results.make_result(verdicts)))["predicate"]


def test_the_unproven_are_in_no_list_and_warn():
    predicate = predicate_of(Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.NOT_OBSERVABLE)
    assert predicate["result"] == "WARNED"
    assert predicate["passedTests"] == ["c.pass"]
    assert predicate["failedTests"] == []
    assert "warnedTests" not in predicate


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        ((Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE), "FAILED"),
        ((Outcome.PASS, Outcome.NOT_APPLICABLE), "PASSED"),
        ((Outcome.NOT_APPLICABLE,), "WARNED"),
        ((), "WARNED"),
    ],
)
def test_the_result_in_one_word(outcomes, word):
    assert predicate_of(*outcomes)["result"] == word


def test_subjects_are_the_program_else_the_recordings(broken):
    data = json.loads(render_test_result(broken))
    digest = broken.captures[0].client["digest"]
    assert data["subject"] == [{"name": "session-python 1.0.5", "digest": {"sha256": digest}}]
    bare = [one.model_copy(update={"client": {}}) for one in broken.captures]
    data = json.loads(render_test_result(broken.model_copy(update={"captures": bare})))
    assert [one["name"] for one in data["subject"]] == [one.id for one in bare]


def test_the_five_outcomes_are_told(broken):
    predicate = json.loads(render_privacy_audit(broken))["predicate"]
    assert {one["check"]: one["outcome"] for one in predicate["verdicts"]} == {
        verdict.check: verdict.outcome.value for verdict in broken.verdicts
    }
    assert predicate["gate"]["exitCode"] == 1
