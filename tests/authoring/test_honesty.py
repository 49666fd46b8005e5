"""What would let a check say more than its evidence does."""

from __future__ import annotations

import pytest

from audit.authoring.lint import lint_folder, lint_folders

from .making import CHECK, PACK, POLICY, write_policy

JOIN = """\
  - {id: gone, assert: no_join, left: {from: LEFT, where: {WHERE}, key: subject_hash}, right: {from: db_records, where: {source: mail}, key: email_hash}, message: '{right.table}'}
"""


def problems(folder, text):
    return {p.code: p for p in lint_folder(write_policy(folder, text)) if p.code != "W105"}


def joined(left: str, where: str, exercise: str) -> str:
    join = JOIN.replace("LEFT", left).replace("WHERE", where)
    text = CHECK.replace("expect:\n", f"{exercise}expect:\n{join}")
    return text.replace("observe:\n", "observe:\n  - {capability: server.records, source: mail}\n")


@pytest.mark.parametrize(
    ("left", "where", "exercise"),
    [
        ("events", "name: web.newsletter.unsubscribe", ""),
        ("events", "name: web.newsletter.unsubscribe", "  - {id: two, actions: [web.visit]}\n"),
        (
            "events",
            "name: web.newsletter.unsubscribe, ts|age|gt: 30d",
            "  - {id: two, actions: [web.newsletter.unsubscribe]}\n",
        ),
        (
            "events",
            "name: web.newsletter.unsubscribe",
            "  - {id: two, from: events, where: {name: web.visit}, min: 1}\n",
        ),
    ],
)
def test_a_join_whose_left_side_may_be_empty_is_told(tmp_path, left, where, exercise):
    found = problems(tmp_path, joined(left, where, exercise))
    assert "may have no row" in found["E206"].message


@pytest.mark.parametrize(
    ("where", "exercise"),
    [
        ("name: web.newsletter.unsubscribe", "  - {id: two, actions: [web.newsletter.unsubscribe]}\n"),
        (
            "name: web.newsletter.unsubscribe, ts|age|gt: 30d",
            "  - {id: two, actions: [web.newsletter.unsubscribe], age|gte: 30d}\n",
        ),
        (
            "name: web.visit",
            "  - {id: two, from: events, where: {name: web.visit, ok: true}, min: 1}\n",
        ),
    ],
)  # fmt: skip
def test_a_join_whose_left_side_is_exercised_is_honest(tmp_path, where, exercise):
    assert "E206" not in problems(tmp_path, joined("events", where, exercise))


def test_a_text_newer_than_the_review_is_told(tmp_path):
    write_policy(tmp_path, CHECK.replace("severity: high", "severity: high\nreviewed: 2026-01-31"))
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace("retrieved: unknown", "retrieved: 2026-02-01"))
    assert "W202" in {p.code for p in lint_folder(tmp_path)}
    path.write_text(POLICY.replace("retrieved: unknown", "retrieved: 2026-01-31"))
    assert "W202" not in {p.code for p in lint_folder(tmp_path)}


@pytest.mark.parametrize(
    "exercise",
    [
        "  - {id: idle, actions: []}\n",
        "  - {id: idle, from: conversations, min: 1}\n",
        "  - {id: idle, actions: [app.idle]}\n  - {id: two, from: conversations, min: 0}\n",
    ],
)
def test_an_exercise_that_a_client_at_rest_meets_is_refused(tmp_path, exercise):
    text = CHECK.replace("  - {id: idle, actions: [app.idle]}\n", exercise)
    assert set(problems(tmp_path, text)) == {"E204"}


def test_a_share_of_nothing_observes_nothing(tmp_path):
    observed = "observe:\n  - {capability: transport.opened, min_ratio: 0}\n"
    assert set(problems(tmp_path, CHECK.replace("observe:\n", observed))) == {"E209"}


def test_a_table_that_no_platform_in_scope_can_fill_is_told(tmp_path):
    text = CHECK.replace("observe:\n", "scope: {platforms: [library]}\nobserve:\n").replace(
        "expect:\n",
        "  - {id: two, from: cookies, min: 1}\nexpect:\n",
    )
    found = problems(tmp_path, text)
    assert "can anything fill 'cookies'" in found["E203"].message


def test_what_nothing_supplies_yet_needs_somebody_to_vouch_and_a_way_to_test(tmp_path):
    text = CHECK.replace("observe:\n", "observe:\n  - {capability: app.files}\n")
    assert set(problems(tmp_path, text)) == {"W203"}
    text += "attest: {question: Is it so?, by: [operator], valid_for: 180d}\nprocedure: Look.\n"
    assert set(problems(tmp_path, text)) == set()


def test_policies_that_share_ids_are_told(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    write_policy(first, CHECK)
    write_policy(second, CHECK)
    (second / "policy.yaml").write_text(POLICY.replace("id: example\n", "id: other\n"))
    (second / "pack.yaml").write_text(PACK.replace("id: example\n", "id: other\n"))
    (second / "checks" / "0.yaml").write_text(CHECK.replace("policy: example", "policy: other"))
    one, two = lint_folders([first, second])
    assert one.errors == 0
    assert [p.code for p in two.problems if p.level == "error"] == ["E119"]
    one, two = lint_folders([first, first])
    assert one.errors == two.errors == 0
