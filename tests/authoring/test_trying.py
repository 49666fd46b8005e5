"""Why a check did not fire: counts, key by key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from audit.authoring.example_evidence import AS_OF, ExampleEvidence
from audit.authoring.trying import try_check
from audit.checks.targets import target_of_nothing
from audit.yamlfile.check import Example

from .making import CHECK, make_policy


def tried(folder, rows: dict, text: str = CHECK, read_at=None, **example) -> list[str]:
    policy = make_policy(folder, text)
    target = target_of_nothing(policy)
    data = {"name": "x", "verdict": "pass", "rows": rows, **example}
    (check,) = policy.checks
    evidence = ExampleEvidence(policy, target, check, Example.model_validate(data))
    captures = [replace(evidence.capture(), records_read_at=read_at)]
    return [
        " ".join(line.split())
        for line in try_check(policy, evidence.target, check, captures, AS_OF, str)
    ]


def test_rows_are_counted_by_key_and_after_each_key(tmp_path):
    lines = tried(
        tmp_path,
        {
            "conversations": [
                {"host": "tracker.example"},
                {"host": "tracker.example", "process": "os"},
                {"host": "good.example", "repeat": 3},
            ]
        },
    )
    assert lines[0] == "example.trackers: fail"
    assert "where process: app 4 4 left" in lines
    assert "match host|domain: tracker.example 2 1 left" in lines
    assert "= 1 violate, 0 cannot be decided" in lines
    assert lines[-1].endswith("tracker.example was contacted (1 rows)")


def test_what_was_not_done_is_said(tmp_path):
    lines = tried(tmp_path, {})
    assert "exercise idle: lacking: app.idle was not done" in lines
    assert "observe process.attribution in example: there" in lines


def test_parts_of_any_and_not_are_counted_by_themselves(tmp_path):
    text = CHECK.replace(
        "match: {host|domain: tracker.example}",
        "match: {any: [{host|domain: tracker.example}, {not: {layer: 0}}], bytes_out|gt: 5}",
    )
    lines = tried(
        tmp_path, {"conversations": [{"layer": 1}, {"layer": 0, "bytes_out": None}]}, text
    )
    assert "match any 1 1 left" in lines
    assert "not 1" in lines
    assert "layer: 0 1" in lines
    assert "match bytes_out|gt: 5 1 1 left (1 undecided)" in lines


def test_joins_and_unsure_rows_are_counted_too(tmp_path):
    text = CHECK.replace(
        "expect:\n",
        "expect:\n  - {id: j, assert: no_join, left: {from: events, where: {name: app.idle}, key: name},"
        " right: {from: conversations, where: {layer: 0}, key: host}, message: x}\n",
    ).replace(
        "tests:\n",
        "unsure:\n  - {from: dns_queries, where: {process: unknown}, because: so}\ntests:\n",
    )
    lines = tried(tmp_path, {"conversations": [{}]}, text, actions=["app.idle"])
    assert "expect j (left): 1 rows of events" in lines
    assert "where layer: 0 1 1 left" in lines
    assert "unsure (so): 0 rows of dns_queries" in lines


def test_ages_count_to_when_records_were_read_as_they_do_in_the_verdict(tmp_path):
    text = CHECK.replace("process.attribution}", "server.logs}").replace(
        "actions: [app.idle]}\nexpect", "actions: [app.idle], age|gte: 7d}\nexpect"
    )
    when = {"text": text, "history": {"app.idle": "10d"}}
    assert "exercise idle: done" in tried(tmp_path / "now", {}, **when)
    lines = tried(tmp_path / "early", {}, read_at=AS_OF - timedelta(days=8), **when)
    assert "exercise idle: lacking: app.idle was done less than 7d ago" in lines
