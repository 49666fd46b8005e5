"""Judged live, in whatever batches, a recording gives the rows that it gives when judged whole."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bundle.identity import read_identity
from tests.conftest import ROOT

from .judging import judged_whole, make_judge, records_of

SAMPLE = ROOT / "captures" / "sample"
DEMO = sorted((ROOT / "captures" / "demo").glob("*-intercepted"))
BUNDLES = [SAMPLE, *DEMO]


def target_of(bundle: Path) -> str | None:
    name = bundle.name.removesuffix("-intercepted")
    return name if (ROOT / "policies" / "session" / "targets" / name).is_dir() else None


@lru_cache
def whole(bundle: Path) -> tuple[dict[str, int], list[bytes]]:
    judge = make_judge(read_identity(bundle / "identity.json"), target_of(bundle), "session")
    path = bundle / "flows.mitm"
    return judged_whole(judge, path), records_of(path)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_batches_find_what_the_whole_recording_has(bundle):
    expected, records = whole(bundle)
    assert expected

    @given(st.lists(st.integers(0, len(records)), max_size=5))
    @settings(max_examples=4, deadline=None)
    def same(cuts):
        judge = make_judge(read_identity(bundle / "identity.json"), target_of(bundle), "session")
        edges = [0, *sorted(cuts), len(records)]
        found = [
            finding for start, end in pairwise(edges) for finding in judge.judge(records[start:end])
        ]
        assert judge.flows == len(records)
        assert judge.counts == expected
        assert {finding.fingerprint for finding in found if finding.is_new} == set(expected)

    same()


def test_rows_are_named_by_the_flows_number_in_the_run():
    _, records = whole(SAMPLE)
    judge = make_judge(read_identity(SAMPLE / "identity.json"), None, "session")
    found = [finding for record in records for finding in judge.judge([record])]
    numbers = {row.split("#")[1].split(":")[0] for finding in found for row in finding.rows}
    assert numbers <= {str(number) for number in range(1, len(records) + 1)}
    assert max(map(int, numbers)) > len(records) // 2


def test_what_needs_the_whole_recording_is_named():
    judge = make_judge(read_identity(SAMPLE / "identity.json"), None, "session")
    later = judge.afterwards()
    assert "session.seed.first-contact/seed-first" in later
    assert "session.app.contacts-beside-address/not-beside-the-address" not in later
    assert len(list(judge.expectations())) + len(later) == sum(
        len(program.expect) for program in judge._programs
    )


def test_nothing_comes_of_nothing():
    judge = make_judge(read_identity(SAMPLE / "identity.json"), None, "session")
    assert judge.judge([]) == []
    assert judge.flows == 0
