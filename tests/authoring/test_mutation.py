"""What no example notices, no example tests."""

from __future__ import annotations

import pytest

from audit.authoring.mutation import mutate

from .making import CHECK, make_policy

EXACT = (
    CHECK.replace("{process: app}, match", "{}, match")
    .replace(
        "rows: {conversations: [{host: tracker.example}]}",
        "rows: {conversations: [{host: a.tracker.example}]}",
    )
    .replace(
        "actions: [app.idle], verdict: pass",
        "actions: [app.idle], rows: {conversations: [{host: good.example}]}, verdict: pass",
    )
)


def survivors(folder, text):
    (found,) = mutate(make_policy(folder, text))
    return [survivor.mutant.what for survivor in found.survivors], found


def test_a_condition_that_no_example_needs_is_told_at_its_key(tmp_path):
    what, found = survivors(tmp_path, CHECK)
    assert what == [
        "the condition 'process'",
        "the condition 'host|domain'",
        "the modifier 'domain' of 'host|domain'",
    ]
    problem = found.survivors[0].problem
    assert (problem.code, problem.excerpt[problem.column - 1 :][:7]) == ("W302", "process")
    assert found.too_many


def test_examples_that_need_every_part_leave_no_survivor(tmp_path):
    assert survivors(tmp_path, EXACT)[0] == []


PARTS = [
    ("exercise:\n", "exercise:\n  - {id: two, actions: [app.relaunch, web.visit]}\n", "action"),
    ("exercise:\n", "exercise:\n  - {id: two, from: dns_queries, min: 2}\n", "the bound 'min'"),
    ("exercise:\n", "exercise:\n  - {id: two, from: dns_queries, max: 9}\n", "the bound 'max'"),
    ("observe:\n", "observe:\n  - {capability: dns.seen}\n", "the observation 'dns.seen'"),
    ("observe:\n", "opaque: limit\nobserve:\n", "'opaque: limit'"),
    ("match: {host|domain: tracker.example}", "match: {host|domain: [tracker.example, b.example]}", "the entry 'b.example'"),
    ("match: {host|domain: tracker.example}", "match: {any: [{host|domain: tracker.example}, {layer|gt: 3}]}", "item 2 of 'any'"),
    ("match: {host|domain: tracker.example}", "match: {host|domain: tracker.example, iface|not: lo}", "the condition 'iface|not'"),
    ("observe:\n", "scope: {platforms: [ios, desktop]}\nobserve:\n", "the scope"),
    ("observe:\n", "scope: {platforms: [ios, desktop]}\nobserve:\n", "the platform 'desktop'"),
    ("observe:\n", "observe:\n  - {capability: server.logs, source: seed}\n", "the bound 'source'"),
    ("tests:\n", "unsure:\n  - {from: dns_queries, where: {process: unknown}, because: so}\ntests:\n", "the unsure item 'so'"),
    ("expect:\n", "expect:\n  - {id: two, assert: uniform, from: conversations, group_by: [recipient, iface], field: transport, message: x}\n", "the expectation 'two'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "what"), PARTS)
def test_each_kind_of_part_is_dropped(tmp_path, old, new, what):
    assert old in EXACT
    text = EXACT.replace(old, new)
    if "dns_queries, min" in new:
        text = text.replace(
            "rows: {conversations: [{host: good.example}]}, verdict: pass",
            "rows: {conversations: [{host: good.example}], dns_queries: [{repeat: 2}]}, verdict: pass",
        )
    if "app.relaunch" in new:
        text = text.replace("actions: [app.idle], r", "actions: [app.idle, app.relaunch, web.visit], r")  # fmt: skip
    found = survivors(tmp_path, text)[0]
    assert any(what in one for one in found), found


def test_a_comment_excuses_a_survivor(tmp_path):
    text = CHECK.replace(
        "  - {id: none, assert",
        "  # audit: allow W302 the lab has one process\n  - {id: none, assert",
    )
    what, found = survivors(tmp_path, text)
    assert what == []
    assert {item.reason for item in found.allowed} == {"the lab has one process"}


def test_a_check_may_say_how_many_survive(tmp_path):
    text = CHECK.replace("severity: high", "severity: high\nmax_survivors: 3")
    what, found = survivors(tmp_path, text)
    assert len(what) == 3
    assert not found.too_many
