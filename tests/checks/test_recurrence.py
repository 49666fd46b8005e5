from __future__ import annotations

import pytest

from .making import make_capture, make_policy, verdict

LEAK = {"conversations": [{"host": "tracker.example", "process": "app"}]}


@pytest.fixture
def policy(tmp_path):
    return make_policy(tmp_path)


def told(policy, *captures) -> tuple[int, int] | None:
    (finding,) = verdict(policy, *captures).findings
    return finding.recordings


def test_one_recording_of_a_kind_says_nothing(policy):
    passive = make_capture("b", pass_="passive")
    assert told(policy, make_capture("a", rows=LEAK)) is None
    assert told(policy, make_capture("a", rows=LEAK), passive) is None


def test_a_finding_of_every_recording_is_not_flaky(policy):
    assert told(policy, make_capture("a", rows=LEAK), make_capture("b", rows=LEAK)) == (2, 2)


def test_a_finding_of_some_recordings_is_k_of_n(policy):
    captures = [make_capture(name, rows=LEAK if name == "a" else None) for name in "abc"]
    found = verdict(policy, *captures)
    assert found.outcome == "fail"
    assert found.findings[0].recordings == (1, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"pass_": "passive"},
        {"vantage": "proxy"},
        {"platform": "android"},
        {"actions": ()},
        {"capabilities": frozenset()},
    ],
)
def test_a_recording_that_could_not_have_shown_it_does_not_count(policy, changes):
    other = make_capture("b", **changes)
    assert told(policy, make_capture("a", rows=LEAK), other) is None
    assert told(policy, make_capture("a", rows=LEAK), other, make_capture("c")) == (1, 2)


def test_a_recording_that_shows_it_counts_whatever_else_it_lacks(policy):
    lacking = make_capture("b", rows=LEAK, actions=())
    assert told(policy, make_capture("a", rows=LEAK), lacking) == (2, 2)


def test_the_order_of_recordings_does_not_matter(policy):
    captures = [make_capture("a"), make_capture("b", rows=LEAK), make_capture("c")]
    assert told(policy, *captures) == told(policy, *captures[::-1]) == (1, 3)
