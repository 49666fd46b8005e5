import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.report.wording import (
    cell,
    duration,
    joined,
    moment,
    parse_moment,
    period,
    sentence_case,
    share,
    shortened,
    size,
    timestamp,
)


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.00 kB"),
        (48_211, "48.2 kB"),
        (101_004, "101 kB"),
        (999_999, "1.00 MB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_have_three_digits(n, text):
    assert size(n) == text


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_share_is_never_rounded_to_all_or_nothing(part, rest):
    assert 1 <= int(share(part, part + rest).removesuffix(" %")) <= 99


def test_shares_at_the_ends():
    assert (share(0, 5), share(5, 5), share(0, 0)) == ("0 %", "100 %", "0 %")


@pytest.mark.parametrize(
    ("given_text", "text"),
    [("2026-04-14T08:41:02.114250Z", "2026-04-14 08:41:02 UTC"), ("2026-04-14T10:41:02+02:00", "2026-04-14 08:41:02 UTC"), ("2026-04-14", "2026-04-14 00:00:00 UTC"),
     ("soon", "soon"), (None, "not known"), ("", "not known"), ("0001-01-01T00:00:00+23:00", "0001-01-01T00:00:00+23:00")],
)  # fmt: skip
def test_moments_are_utc_or_stay_as_they_are(given_text, text):
    assert moment(given_text) == text


@given(st.text())
def test_any_text_is_a_moment_or_none(text):
    parse_moment(text)


def test_lengths_of_time():
    assert [duration(s) for s in (0, 0.74, 6.24, 245)] == ["0 ms", "740 ms", "6.2 s", "4 min 5 s"]


def test_lists_of_words():
    assert [joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("the action was not done", "The action was not done"),
        ("app.idle was", "app.idle was"),
        ("6 of 38", "6 of 38"),
        ("", ""),
        ("account_id sent", "account_id sent"),
    ],
)
def test_sentences_start_with_a_capital_unless_with_a_name(text, raised):
    assert sentence_case(text) == raised


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("180d", "180 days"),
        (15_552_000, "180 days"),
        ("1h", "one hour"),
        ("90m", "90 minutes"),
        ("36h", "36 hours"),
        ("", "–"),
        (None, "–"),
        ("a year", "a year"),
        (True, "yes"),
    ],
)
def test_periods_are_said_in_words(value, words):
    assert period(value) == words


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_any_json_value_is_a_cell(value):
    assert cell(value)


def test_cells():
    assert [cell(v) for v in (None, "", True, 12_345, 443, ["a", None], {"a": 1}, [])] == [
        "–",
        "–",
        "yes",
        "12,345",
        "443",
        "a, –",
        "a: 1",
        "–",
    ]


def test_a_text_that_is_cut_ends_in_dots():
    assert shortened("abcd", 4) == "abcd"
    assert shortened("abcde", 4) == "abc…"


def test_machines_read_a_moment_in_utc():
    assert timestamp("2026-04-12T11:31:07.5+02:00") == "2026-04-12T09:31:07Z"
    assert timestamp("yesterday") is None
