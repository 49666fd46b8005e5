from __future__ import annotations

from audit.authoring.coverage import clause_coverage

from .making import make_policy


def test_clauses_without_a_check_are_listed(tmp_path):
    clauses = {clause["id"]: clause for clause in clause_coverage(make_policy(tmp_path))["clauses"]}
    assert clauses["trackers"]["checks"] == ["example.trackers"]
    assert clauses["address"] == {
        "id": "address",
        "quote": "We do not keep your address.",
        "checks": [],
        "attest": [],
    }
