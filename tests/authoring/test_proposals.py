"""Proposed rows notice the mutant that they were made for."""

from __future__ import annotations

import pytest

from audit.authoring.examples import run_examples
from audit.authoring.mutation import mutate
from audit.authoring.proposals import propose

from .making import CHECK, make_policy
from .test_mutation import EXACT, PARTS


def proposed(folder, text):
    policy = make_policy(folder / "before", text)
    (found,) = mutate(policy)
    for survivor in found.survivors:
        yield survivor.mutant.what, propose(policy, survivor)


def accepted(folder, text, line):
    policy = make_policy(folder / "after", f"{text}  {line}\n")
    assert not [p.render() for result in run_examples(policy) for p in result.problems]
    (found,) = mutate(policy)
    return {survivor.mutant.what for survivor in found.survivors}


def test_a_near_miss_kills_its_mutant_when_it_is_accepted(tmp_path):
    for number, (what, line) in enumerate(proposed(tmp_path, CHECK)):
        assert line.startswith("- {name: "), what
        assert what not in accepted(tmp_path / str(number), CHECK, line)


@pytest.mark.parametrize(("old", "new", "part"), [p for p in PARTS if "opaque" not in p[1]])
def test_there_is_a_near_miss_for_each_kind_of_part(tmp_path, old, new, part):
    text = EXACT.replace(old, new)
    if "dns_queries, min" in new:
        text = text.replace(
            "rows: {conversations: [{host: good.example}]}, verdict: pass",
            "rows: {conversations: [{host: good.example}], dns_queries: [{repeat: 2}]}, verdict: pass",
        )
    if "app.relaunch" in new:
        text = text.replace("actions: [app.idle], r", "actions: [app.idle, app.relaunch, web.visit], r")  # fmt: skip
    found = {what: line for what, line in proposed(tmp_path, text) if part in what}
    assert found
    for number, (what, line) in enumerate(found.items()):
        assert line is not None, what
        assert what not in accepted(tmp_path / str(number), text, line)


def test_an_equivalent_mutant_gets_no_row(tmp_path):
    text = EXACT.replace("opaque: limit\n", "").replace("observe:\n", "opaque: limit\nobserve:\n")
    assert dict(proposed(tmp_path, text)) == {"'opaque: limit'": None}
