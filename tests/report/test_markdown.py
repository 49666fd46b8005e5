"""Markdown: whole tables, bounded sizes, and captured values that stay text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.model.outcome import Outcome
from audit.report.markdown import COMMENT_CHARS, SUMMARY_BYTES, render_comment, render_summary
from audit.report.markdown_text import cell, code, escape

from . import results
from .hostile import hostile
from .variants import MORE_ATTACKS, VARIANTS, attested, compared, waived

SPAN = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", re.DOTALL)


def outside_code(text: str) -> str:
    """The text without its code spans (CommonMark §6.1) and without what a backslash escapes."""
    return "\n".join(
        re.sub(r"\\[!-/:-@[-`{-~]", "", SPAN.sub("", line)) for line in text.splitlines()
    )


def many() -> object:
    findings = [
        results.make_finding(fingerprint=results.sha(str(n)), message="m" * 900)
        for n in range(3_000)
    ]
    return results.make_result([results.make_verdict("a.b", "x", Outcome.FAIL, findings=findings)])


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("render", [render_summary, render_comment])
def test_tables_are_whole_and_texts_are_texts(render, name):
    text = render(VARIANTS[name]()).decode()
    shown = outside_code(text)
    assert not re.search(r"<[a-zA-Z/!]", shown)
    assert not re.search(r"\]\(|!\[|https?://|www\.|@\w|#\d", shown)
    width = 0
    for line in text.splitlines():
        bars = outside_code(line).count("|") if line.startswith("|") else 0
        assert not bars or not width or bars == width, line[:200]
        width = bars


def test_the_summary_says_what_was_found(broken):
    text = render_summary(broken).decode()
    assert text.startswith("## ")
    assert "### Who got what" in text
    for verdict in broken.verdicts:
        if verdict.outcome is Outcome.FAIL:
            assert verdict.check in text
            assert all(finding.evidence[0].locator in text for finding in verdict.findings)
        if verdict.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_OBSERVABLE}:
            assert verdict.check in text
    assert "(exit 1)" in text


def test_waivers_baseline_attestation_and_exit_zero_are_told():
    assert "critical (waived)" in render_comment(waived()).decode()
    text = render_comment(compared()).decode()
    assert "critical (new)" in text
    assert "- 1 finding is gone" in text
    assert "- 1 finding was not seen this time, which proves nothing" in text
    text = render_comment(attested()).decode()
    assert "Attested by The operator until 2027" in text
    assert "asked for exit code 0" in text


def test_what_a_baseline_had_is_counted_though_only_some_is_listed():
    result = compared()
    told = {
        **(result.baseline or {}),
        "new": 3,
        "fixed": 1700,
        "not_seen": 40,
        "coverage_loss": [{"text": f"less of {n}"} for n in range(15)],
        "removed_checks": [{"check": f"gone.{n}", "why": "no such file"} for n in range(15)],
    }
    text = render_comment(result.model_copy(update={"baseline": told})).decode()
    assert "- 3 new findings" in text
    assert "- 1,700 findings are gone" in text
    assert "- 40 findings were not seen this time" in text
    assert text.count("- less of ") + text.count("gone.") == 20
    assert "10 more are not listed here." in text


def test_a_fail_that_lists_no_finding_is_listed():
    verdict = results.make_verdict("a.b", "x", Outcome.FAIL, findings=[])
    text = render_comment(results.make_result([verdict])).decode()
    assert "| `a.b` | `a.b: broken; no finding is listed.` | – | – | – |" in text


def test_sizes_are_bounded_and_what_is_left_out_is_counted():
    result = many()
    summary, comment = render_summary(result), render_comment(result)
    assert len(summary) <= SUMMARY_BYTES
    assert len(comment.decode()) <= COMMENT_CHARS
    assert b"2,000 more are not listed here." in summary
    assert b"2,980 more are not listed here." in comment
    worst = render_comment(hostile(results.misbehaving(9), "\U000e0001" * 400))
    assert len(worst.decode()) <= COMMENT_CHARS


@given(st.text(st.characters()) | st.sampled_from(MORE_ATTACKS))
def test_any_text_stays_a_text(text):
    for line in (code(text), cell(text)):
        assert "\n" not in line
        assert outside_code(line) == ""
    assert "|" not in cell(text)
    shown = outside_code(escape(text))
    assert not re.search(r"[<>]|\]\(|!\[|://|www\.|@\w|#\d", shown, re.IGNORECASE)
