"""Suggestions of clauses: every sentence gets an id, and those of data are clauses."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.authoring.clauses import slug, suggest
from audit.authoring.sentences import sentences_of
from audit.checks.load import load_policy
from audit.checks.shipped import shipped_policies

_DOTTED = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")


@given(st.text())
@example("𝑨")
def test_ids_are_ids_and_unique(text):
    found = suggest(sentences_of(text))
    ids = [item.id for item in found]
    assert len(set(ids)) == len(ids)
    assert all(_DOTTED.fullmatch(identity) for identity in ids)


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("We never sell your data.", "promise"),
        ("Logs are deleted after 7 days.", "promise"),
        ("We may share your address with partners.", "disclosure"),
        ("We use cookies to know you.", "disclosure"),
    ],
)
def test_what_is_said_of_data_is_a_clause(sentence, kind):
    (found,) = suggest(sentences_of(sentence))
    assert found.is_clause
    assert found.kind == kind


def test_the_address_of_a_mailbox_or_page_says_nothing():
    text = "Write to privacy@data.example. Visit https://data.example/privacy-cookies for more. We log nothing."
    assert [item.is_clause for item in suggest(sentences_of(text))] == [False, False, True]


def test_what_says_nothing_of_data_is_none():
    assert [item.is_clause for item in suggest(sentences_of("Welcome! We like hills."))] == [
        False,
        False,
    ]


@pytest.mark.parametrize("folder", shipped_policies(), ids=lambda path: path.name)
def test_most_clauses_of_the_shipped_policies_would_have_been_suggested(folder):
    policy = load_policy(folder)
    for text in policy.texts.values():
        found = [item for item in suggest(sentences_of(text)) if item.is_clause]
        quotes = [clause.quote for clause in policy.file.clauses]
        held = [q for q in quotes if any(q[:40] in item.sentence.text for item in found)]
        assert len(held) >= 0.8 * len(quotes), set(quotes) - set(held)


def test_a_slug_is_made_of_words_that_mean_something():
    assert slug("We do not sell your Data to anyone", 3) == "not-sell-data"
    assert slug("Über Größe", 3) == "uber-groe"
    assert slug("数据", 3) == ""
