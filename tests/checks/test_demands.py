from __future__ import annotations

import pytest

from audit.checks.compiling import compile_check
from audit.checks.demands import ROWS, demand
from audit.checks.faults import Faults
from audit.checks.load import load_policy
from audit.checks.shipped import shipped_policies
from audit.tables.rows import TABLES

from .making import AS_OF, CHECK, make_policy

LINE = next(line for line in CHECK.splitlines() if "no-tracker" in line)


def demands_of(policy):
    return [
        demand(expectation)
        for check in policy.checks
        for expectation in compile_check(check, policy, None, AS_OF, Faults()).expect
    ]


def test_every_table_has_its_word():
    assert set(ROWS) == set(TABLES)


@pytest.mark.parametrize("folder", shipped_policies(), ids=lambda folder: folder.name)
def test_no_demand_of_a_shipped_check_names_a_table_or_a_column(folder):
    said = demands_of(load_policy(folder))
    assert len(said) > 10
    assert not [text for text in said if "_" in text or text.startswith("'") or "capture" in text]


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        (
            "{id: a, assert: uniform, from: http_requests, group_by: [host], field: user_agent, message: m}",
            "the user agent must be the same in all requests with the same host",
        ),
        (
            "{id: a, assert: some, from: dns_queries, match: {name: a.example}, min: 2, message: m}",
            "there must be at least 2 such look-ups of names",
        ),
        (
            "{id: a, assert: some, from: dns_queries, match: {name: a.example}, min: 1, message: m}",
            "there must be at least one such look-up of a name",
        ),
        (
            "{id: a, assert: every, from: cookies, match: {name: a}, message: m}",
            "every such cookie must be as the check says, and this one is not",
        ),
        (
            "{id: a, assert: no_join, left: {from: cookies, key: name}, right: {from: http_requests, key: path}, message: m}",
            "no such request may have the same path as the name of a cookie",
        ),
    ],
)
def test_each_assertion_is_said_in_words(tmp_path, expectation, words):
    policy = make_policy(tmp_path, CHECK.replace(LINE, f"  - {expectation}"))
    assert demands_of(policy) == [words]
