"""The badge: honest numbers, plain SVG."""

from __future__ import annotations

import pytest
from lxml import etree

from audit.model.outcome import Outcome
from audit.report.badge import render_badge

from . import results
from .variants import VARIANTS

SVG = "{http://www.w3.org/2000/svg}"


def texts(result) -> list[str]:
    tree = etree.fromstring(render_badge(result).encode(), etree.XMLParser(resolve_entities=False))
    return [node.text for node in tree.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_well_formed_and_holds_nothing_that_acts(name):
    tree = etree.fromstring(render_badge(VARIANTS[name]()).encode())
    assert {node.tag.removeprefix(SVG) for node in tree.iter()} == {
        "svg", "title", "rect", "g", "text",
    }  # fmt: skip
    names = {key for node in tree.iter() for key in node.attrib}
    assert not [key for key in names if key.startswith("on") or "href" in key]


def of(*outcomes: Outcome):
    clauses = results.clauses()
    verdicts = [
        results.make_verdict(f"c.{n}", clauses[n][0], outcome) for n, outcome in enumerate(outcomes)
    ]
    return results.make_result(verdicts)


def test_it_says_what_came_of_the_promises(broken):
    label, text = texts(broken)
    assert label == "privacy promises"
    assert text.startswith("2 broken, 6 kept")


def test_what_was_not_proven_is_never_left_out():
    text = texts(of(Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.NOT_OBSERVABLE))[1]
    assert text.startswith("1 kept, 2 not proven, ")
    assert text.endswith("untested")


def test_where_nothing_was_tested_it_says_so():
    assert texts(of())[1].startswith("none tested")
    assert texts(of(Outcome.NOT_APPLICABLE))[1].startswith("none tested")


@pytest.mark.parametrize(
    ("outcomes", "colour"),
    [
        ((Outcome.PASS, Outcome.FAIL), "#b3261e"),
        ((Outcome.PASS, Outcome.INCONCLUSIVE), "#8a5a00"),
        ((Outcome.PASS,), "#1b6e3c"),
        ((), "#595959"),
    ],
)
def test_green_is_for_kept_promises_alone(outcomes, colour):
    assert colour in render_badge(of(*outcomes))


def test_the_words_fit(broken):
    tree = etree.fromstring(render_badge(broken).encode())
    widths = [float(node.get("width")) for node in tree.iter(f"{SVG}rect")]
    for width, text in zip(widths, texts(broken), strict=True):
        assert width >= len(text) * 6
    assert float(tree.get("width")) == sum(widths)
