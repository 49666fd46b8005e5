"""Sentences of one policy that cannot both be kept."""

from __future__ import annotations

import pytest

from audit.authoring.lint import lint_folder

from .making import CHECK, POLICY, write_policy


def found(folder, first: str, second: str):
    policy = POLICY.replace(
        "quote: We do not keep your address.}",
        f"quote: We do not keep your address., states: [{first}]}}",
    ).replace(
        "quote: We never talk to trackers.}",
        f"quote: We never talk to trackers., states: [{second}]}}",
    )
    write_policy(folder, CHECK)
    (folder / "policy.yaml").write_text(policy)
    problems = lint_folder(folder)
    assert not [p.render() for p in problems if p.level == "error"]
    return [p for p in problems if p.code == "W208"]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (
            "{kind: deletion, data: logs, period: 7d}",
            "{kind: deletion, data: logs, period: 183d}",
            "two deletion times",
        ),
        (
            "{kind: deletion, data: everything, period: 183d}",
            "{kind: storage, data: newsletter}",
            "without end",
        ),
        (
            "{kind: storage, data: logs, period: 30d}",
            "{kind: deletion, data: everything, period: 7d}",
            "kept for longer",
        ),
        (
            "{kind: never, data: address}",
            "{kind: storage, data: address, period: 1d}",
            "never had",
        ),
    ],
)
def test_a_contradiction_is_told_at_the_later_sentence(tmp_path, first, second, words):
    (problem,) = found(tmp_path, first, second)
    assert words in problem.hint
    assert problem.excerpt.lstrip().startswith("- {id: trackers")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{kind: deletion, data: logs, period: 7d}", "{kind: deletion, data: mail, period: 9d}"),
        ("{kind: deletion, data: logs, period: 7d}", "{kind: deletion, data: logs, period: 168h}"),
        (
            "{kind: deletion, data: everything, period: 183d}",
            "{kind: storage, data: logs, period: 7d}",
        ),
        ("{kind: never, data: logs}", "{kind: storage, data: mail}"),
        (
            "{kind: deletion, data: everything, period: 183d}",
            "{kind: deletion, data: logs, period: 7d}",
        ),
        ("{kind: deletion, data: logs, period: 7d}", "{kind: storage, data: everything}"),
    ],
)
def test_what_can_both_hold_is_no_contradiction(tmp_path, first, second):
    assert found(tmp_path, first, second) == []
