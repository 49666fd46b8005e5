import pytest

from audit.model.result import PolicyRef
from audit.report.anchors import anchor
from audit.report.index import render_index

from . import results
from .pages import Page


@pytest.fixture
def entries():
    return [
        ("session-python", results.session_python(), "session-python/index.html"),
        ("sessionpy-messenger", results.messenger(), "sessionpy-messenger/index.html"),
        ("misbehaving", results.misbehaving(), "mis behaving/index.html"),
    ]


def test_every_client_and_every_sentence_is_on_the_page(entries):
    words = Page(render_index(entries)).words()
    for name, result, _ in entries:
        assert name in words
        assert all(clause.quote in words for clause in result.clauses)
    assert "broke 2 of the 8 promises" in words


def test_every_mark_leads_to_the_sentence_in_the_clients_report(entries):
    page = Page(render_index(entries))
    for clause in entries[0][1].clauses:
        for folder in ("session-python", "sessionpy-messenger", "mis%20behaving"):
            assert f"{folder}/index.html#{anchor('clause', clause.id)}" in page.links
    assert [name for name, n in page.ids.items() if n > 1] == []


def test_marks_are_said_in_words(entries):
    words = Page(render_index(entries)).words()
    broken = sum(clause.outcome == "fail" for _, result, _ in entries for clause in result.clauses)
    assert words.count("Broken") == broken + 1


@pytest.mark.parametrize(
    "link",
    [
        "/etc/x.html",
        "https://evil.example/",
        "javascript:alert(1)",
        "\\\\host\\x",
        "data:text/html,x",
    ],
)
def test_links_must_be_relative(entries, link):
    with pytest.raises(ValueError, match="must be relative"):
        render_index([("a", entries[0][1], link)])


def test_clause_that_only_one_policy_has(entries):
    other = entries[1][1]
    fewer = other.model_copy(
        update={
            "clauses": other.clauses[1:],
            "policy": PolicyRef(id="p", title="Another policy", sha256="0" * 64),
        }
    )
    words = Page(render_index([entries[0], ("b", fewer, "b/index.html")])).words()
    assert "These results judge different policies" in words


def test_page_over_nothing_renders():
    assert "One policy, 0 clients." in Page(render_index([])).words()
