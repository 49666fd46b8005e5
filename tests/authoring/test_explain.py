"""A check in prose says all that it tests."""

from __future__ import annotations

import pytest

from audit.authoring.explain import explain, explain_check
from audit.checks.load import load_policy
from audit.checks.shipped import shipped_policies

from .making import CHECK, make_policy

POLICIES = [load_policy(folder) for folder in shipped_policies()]
CHECKS = [(policy, check) for policy in POLICIES for check in policy.checks]


@pytest.mark.parametrize(("policy", "check"), CHECKS, ids=lambda item: getattr(item, "path", ""))
def test_every_part_of_a_shipped_check_is_said(policy, check):
    text = "\n".join(line for _, lines in explain_check(policy, check) for line in lines)
    file = check.file
    assert file.clause.reading in text
    assert all(item.capability in text for item in file.observe)
    assert all(f"{item.id}: " in text for item in file.exercise)
    assert all(f"{item.id}" in text for item in file.expect)
    assert all(item.because in text for item in file.unsure)
    assert file.attest is None or file.attest.question in text
    assert all(item.name in text for item in file.tests)


def test_a_clause_is_explained_with_its_checks(tmp_path):
    blocks = list(explain(make_policy(tmp_path), "trackers"))
    assert blocks[0][0].startswith("clause trackers (promise)")
    assert blocks[1][0] == "example.trackers (high)"
    (_, sentence) = list(explain(make_policy(tmp_path), "address"))[1]
    assert sentence == ["No check tests this sentence yet."]


def test_an_unknown_name_has_no_explanation(tmp_path):
    assert explain(make_policy(tmp_path), "nothing") is None


def test_what_violates_is_said_for_each_assertion(tmp_path):
    expect = """\
  - {id: a, assert: every, from: conversations, where: {process: app}, match: {layer: 0}, message: x}
  - {id: b, assert: some, from: conversations, min: 3, message: x}
  - {id: c, assert: uniform, from: conversations, group_by: [recipient], field: transport, message: x}
  - {id: d, assert: no_join, left: {from: events, key: name}, right: {from: conversations, key: host}, message: x}
"""
    policy = make_policy(tmp_path, CHECK.replace("expect:\n", f"expect:\n{expect}"))
    blocks = dict(explain_check(policy, policy.checks[0]))
    assert blocks["What violates it"] == [
        "a: any of the rows of conversations where process is app, unless layer is 0",
        "b: fewer than 3 rows of conversations",
        "c: two different values of transport with the same recipient in rows of conversations",
        "d: any of the rows of conversations whose host is the name of one of the rows of events",
        "none: any of the rows of conversations where process is app and (host is, or lies below, tracker.example)",
    ]
