from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checks.lists import host_is_below


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("tracker.example", True),
        ("a.b.tracker.example", True),
        ("xtracker.example", False),
        ("example", False),
        ("tracker.example.org", False),
        ("", False),
    ],
)
def test_a_host_is_below_a_domain_at_a_label_edge_only(host, expected):
    assert host_is_below(host, frozenset({"tracker.example"})) is expected


labels = st.text("ab", min_size=1, max_size=3)


@given(st.lists(labels, min_size=1, max_size=4), st.lists(labels, min_size=1, max_size=3))
def test_below_is_what_the_labels_say(host, domain):
    expected = host[-len(domain) :] == domain
    assert host_is_below(".".join(host), frozenset({".".join(domain)})) is expected
