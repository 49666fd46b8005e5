"""Any text is cut into sentences that stand in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.authoring.honesty import squeeze
from audit.authoring.sentences import is_page, sentences_of, text_of_page


def cut(text: str) -> list[tuple[str, str]]:
    return [(sentence.section, sentence.text) for sentence in sentences_of(text)]


@given(st.text(alphabet=st.sampled_from("aB .!?\n\t-#1)”'。:ü\xa0")), st.text())
def test_every_sentence_stands_in_the_text(structured, anything):
    for text in (structured, anything):
        squeezed = squeeze(text)
        found = sentences_of(text)
        assert all(sentence.text in squeezed for sentence in found)
        assert [sentence.number for sentence in found] == list(range(1, len(found) + 1))


@given(st.text(alphabet=st.sampled_from('<>/ph1ilscriptbody &;a.\n"=-!')))
def test_any_page_gives_text(page):
    assert isinstance(text_of_page(page), str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("We use e.g. Stripe Inc. for that. Nobody else.", ["We use e.g. Stripe Inc. for that.", "Nobody else."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("See Art. 5 GDPR. It says so.", ["See Art. 5 GDPR.", "It says so."]),
        ("Version 2.5 is out. v1.2 is not.", ["Version 2.5 is out.", "v1.2 is not."]),
        ("- first thing\n- second thing", ["first thing", "second thing"]),
        ("1. We sell nothing. 2) We keep nothing. (3) We are 3. 4. We go.", ["We sell nothing.", "We keep nothing.", "We are 3.", "We go."]),
        ("我们不收集数据。我们不出售。", ["我们不收集数据。", "我们不出售。"]),
        ("A sentence that is wrapped by hand at some\nwidth of a terminal. And one more.", ["A sentence that is wrapped by hand at some width of a terminal.", "And one more."]),
    ],
)  # fmt: skip
def test_sentences_end_where_people_end_them(text, expected):
    assert [words for _, words in cut(text)] == expected


def test_headings_name_the_sections():
    text = "# Privacy\n\nWe care.\n\nWhat we collect\n\nWe collect nothing at all of yours.\n2. Your Rights\nYou may ask us anything.\n"
    assert cut(text) == [
        ("Privacy", "We care."),
        ("What we collect", "We collect nothing at all of yours."),
        ("Your Rights", "You may ask us anything."),
    ]


def test_a_title_is_no_sentence_though_it_is_longer_than_what_follows():
    text = "Privacy Notice of the Example Company\n\nLogs\n\nWe keep no logs.\n"
    assert cut(text) == [("Logs", "We keep no logs.")]
    assert cut("We keep no logs of anything\n\nNone.\n") == [
        ("We keep no logs of anything", "None.")
    ]
    assert cut("We keep no logs of anything\nNone.\n")[0] == ("", "We keep no logs of anything")


def test_a_page_gives_its_words_alone():
    page = "<!DOCTYPE html><html><head><title>x</title><style>p{}</style></head><body><h2>Logs</h2><p>We keep&nbsp;<b>no</b> logs.</p><script>track()</script><ul><li>None.</li></ul></body></html>"
    assert is_page(page)
    assert not is_page("We keep no logs.")
    text = text_of_page(page)
    assert "track" not in text
    assert cut(text) == [("Logs", "We keep no logs."), ("Logs", "None.")]
