"""JUnit: valid by the published XSD, read by a real consumer, and whole whatever was captured."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from audit.model.outcome import Outcome
from audit.report.junit import render_junit
from audit.report.xml_text import xml

from . import results
from .variants import VARIANTS, waived

XSD = etree.XMLSchema(etree.parse(str(Path(__file__).parent / "schemas" / "junit-10.xsd")))
STRICT = etree.XMLParser(resolve_entities=False, no_network=True, recover=False)


def tree_of(result):
    return etree.fromstring(render_junit(result).encode("utf-8"), STRICT)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_document_is_valid(name):
    XSD.assertValid(tree_of(VARIANTS[name]()))


def test_a_broken_document_is_not_valid(broken):
    tree = tree_of(broken)
    del tree[0].attrib["tests"]
    assert not XSD.validate(tree)


def test_a_suite_a_section_and_a_case_a_check(broken):
    tree = tree_of(broken)
    sections = list(dict.fromkeys(clause.section for clause in broken.clauses))
    assert [suite.get("name") for suite in tree] == sections
    cases = tree.findall(".//testcase")
    checked = {verdict.clause for verdict in broken.verdicts}
    unchecked = [clause.id for clause in broken.clauses if clause.id not in checked]
    expected = [verdict.check for verdict in broken.verdicts] + unchecked
    assert Counter(case.get("name") for case in cases) == Counter(expected)


def test_outcomes_become_failures_and_skips(broken):
    by_name = {case.get("name"): case for case in tree_of(broken).findall(".//testcase")}
    for verdict in broken.verdicts:
        case = by_name[verdict.check]
        failure, skipped = case.find("failure"), case.find("skipped")
        assert (failure is not None) == (verdict.outcome is Outcome.FAIL)
        assert (skipped is not None) == (
            verdict.outcome
            in {Outcome.INCONCLUSIVE, Outcome.NOT_OBSERVABLE, Outcome.NOT_APPLICABLE}
        )
        if skipped is not None:
            assert skipped.get("message")
            assert skipped.get("type") == verdict.outcome.value
            for reason in verdict.reasons:
                assert reason.text in skipped.get("message")
        if failure is not None:
            for finding in verdict.findings:
                assert finding.message in failure.text
                assert finding.evidence[0].locator in failure.text


def test_a_waived_failure_stays_a_failure_and_says_so():
    failures = tree_of(waived()).findall(".//failure")
    assert len(failures) == 2
    assert "W-1, in force: mended in 1.15." in failures[0].text


@pytest.mark.parametrize("name", VARIANTS)
def test_a_real_consumer_counts_the_same(name, tmp_path):
    result = VARIANTS[name]()
    path = tmp_path / "junit.xml"
    path.write_text(render_junit(result), encoding="utf-8")
    loaded = junitparser.JUnitXml.fromfile(str(path))
    fails = sum(verdict.outcome is Outcome.FAIL for verdict in result.verdicts)
    found = [case for suite in loaded for case in suite]
    assert sum(case.is_failure for case in found) == fails
    before = (loaded.tests, loaded.failures, loaded.errors, loaded.skipped)
    loaded.update_statistics()
    assert before[:3] == (loaded.tests, loaded.failures, loaded.errors)
    assert sum(case.is_skipped for case in found) == loaded.skipped


@given(st.text(st.characters()))
def test_any_text_is_well_formed_and_holds_nothing_hidden(text):
    shown = xml(text)
    tree = etree.fromstring(f'<a b="{shown}">{shown}</a>'.encode(), STRICT)
    assert len(tree) == 0
    assert tree.get("b") == (tree.text or "")
    assert not [c for c in tree.text or "" if ord(c) < 32 and c not in "\n\t"]


def test_text_comes_back_as_it_was():
    text = "a <b> & \"c\" 'd'\n\te ]]> &amp;"
    tree = etree.fromstring(f'<a b="{xml(text)}">{xml(text)}</a>', STRICT)
    assert tree.text == tree.get("b") == text


def test_a_verdict_of_no_known_clause_keeps_its_case():
    verdict = results.make_verdict("x.y", "gone", Outcome.FAIL, findings=[results.make_finding()])
    tree = tree_of(results.make_result([verdict], clauses=[]))
    assert [suite.get("name") for suite in tree] == ["gone"]
    XSD.assertValid(tree)
