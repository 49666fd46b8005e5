"""The one inline switch of lint: it needs a code, a reason and something to allow."""

from __future__ import annotations

import pytest

from audit.authoring.lint import lint_folders

from .making import CHECK, write_policy

SERVER = "  - {capability: server.logs, source: web}"
LATER = "  - {capability: app.screens}"
"""W206 is said of the one (nobody attests it), W203 of the other (nothing supplies it yet)."""


def linted(folder, server_line: str, head: str = ""):
    text = head + CHECK.replace("observe:\n", f"observe:\n{server_line}\n")
    (one,) = lint_folders([write_policy(folder, text)])
    return [p.code for p in one.problems if p.code != "W105"], one.allowed


def test_a_comment_on_the_line_allows(tmp_path):
    found, allowed = linted(
        tmp_path,
        f"{SERVER} # audit: allow W206 the operator is us\n{LATER}\n  # audit: allow W203 x",
    )
    assert found == ["W203", "W310"]
    assert [(item.problem.code, item.reason) for item in allowed] == [
        ("W206", "the operator is us")
    ]


def test_a_comment_above_the_line_allows(tmp_path):
    found, allowed = linted(tmp_path, f"{SERVER}\n  # audit: allow W203 later\n  # more\n{LATER}")
    assert found == ["W206"]
    assert [item.problem.code for item in allowed] == ["W203"]


def test_a_comment_before_the_first_key_means_the_whole_file(tmp_path):
    found, allowed = linted(
        tmp_path,
        f"{SERVER}\n{LATER}",
        "# audit: allow W203 later\n# audit: allow W206 nobody can\n",
    )
    assert found == []
    assert len(allowed) == 2


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("# audit: allow W206", "an allowance says why"),
        ("# audit: allow", "there is no code ''"),
        ("# audit: allow W2006 because", "there is no code 'W2006'"),
        ("# audit: allow E102 because", "'E102' cannot be allowed"),
    ],
)
def test_an_allowance_that_says_too_little_is_an_error(tmp_path, comment, words):
    text = CHECK.replace("severity: high", f"severity: high {comment}")
    (one,) = lint_folders([write_policy(tmp_path, text)])
    assert [p.message for p in one.problems if p.code == "E310" and words in p.message]
    assert one.errors == 1


def test_an_allowance_that_nothing_needs_is_told(tmp_path):
    text = CHECK.replace("severity: high", "severity: high # audit: allow W206 because")
    (one,) = lint_folders([write_policy(tmp_path, text)])
    assert [p.code for p in one.problems if p.code != "W105"] == ["W310"]


def test_words_inside_a_text_are_no_comment(tmp_path):
    text = CHECK.replace("title: No tracker", "title: 'No # audit: allow X tracker'")
    (one,) = lint_folders([write_policy(tmp_path, text)])
    assert [p.code for p in one.problems if p.code != "W105"] == []
