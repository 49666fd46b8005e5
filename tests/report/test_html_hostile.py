"""Every value of a result is an attack, and the page is inert."""

import re

import pytest

from audit.report.html import render_html
from audit.report.index import render_index

from . import results
from .hostile import ATTACKS, EVERYTHING, HIDDEN, hostile
from .pages import Page

RESULTS = {"broken": results.session_python, "misbehaving": lambda: results.misbehaving(3)}


@pytest.fixture(params=RESULTS)
def result(request):
    return RESULTS[request.param]()


@pytest.mark.parametrize("attack", [*ATTACKS, EVERYTHING], ids=range(len(ATTACKS) + 1))
def test_attacks_add_no_element_and_no_attribute(result, attack):
    plain, attacked = Page(render_html(result)), Page(render_html(hostile(result, attack)))
    assert set(attacked.tags) <= set(plain.tags) | {"aside"}
    assert attacked.attributes <= plain.attributes
    assert {link[0] for link in attacked.links} == {"#"}
    assert [name for name, n in attacked.ids.items() if n > 1] == []
    assert {link[1:] for link in attacked.links} <= set(attacked.ids)


def test_attacks_are_shown_as_text(result):
    words = Page(render_html(hostile(result))).words()
    for attack in (
        "</script><script>alert(1)</script>",
        "javascript:alert(1)//",
        "{{ 7*7 }}{% raw %}",
        "{0.__class__} %s",
        "&lt;b&gt;",
    ):
        assert attack in words


def test_hidden_characters_are_named(result):
    html = render_html(hostile(result))
    assert HIDDEN
    assert not [f"U+{ord(c):04X}" for c in set(HIDDEN) if c in html]
    for name in (
        "[U+202E]",
        "[U+001B]",
        "[U+200B]",
        "[U+2028]",
        "[U+009B]",
        "[U+0000]",
        "[U+2066]",
    ):
        assert name in html


def test_lone_surrogates_render():
    coverage = results.make_coverage(
        missed_by_proxy=[{"conversation": "x\ud800", "\udcff": "\udfff"}]
    )
    html = render_html(results.make_result([], coverage=coverage))
    assert "x[U+D800]" in html
    html.encode()


def test_no_captured_value_reaches_a_command():
    html = render_html(hostile(results.session_python()))
    assert not re.search(r'class="command"', html)


def test_overview_is_inert():
    result = results.session_python()
    plain = Page(render_index([("a", result, "a/index.html")]))
    attacked = Page(render_index([(EVERYTHING, hostile(result), "a/index.html")]))
    assert set(attacked.tags) <= set(plain.tags)
    assert attacked.attributes <= plain.attributes
    assert all(link.startswith(("#", "a/index.html")) for link in attacked.links)
