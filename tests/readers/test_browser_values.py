"""What a stored value can tell visitors apart by."""

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.readers.browser_values import host_of, identifying_bits

ENOUGH = 64


@pytest.mark.parametrize(
    "value",
    ["dark", "", "en-US", "1767225600000", "2026-01-01T00:00:00Z", "[]", "true", "1.4.2",
     "a long sentence that a page keeps for its reader, with many words in it and no number",
     json.dumps({"theme": "dark", "seen": ["welcome", "download"], "at": 1767225600000})],
)  # fmt: skip
def test_settings_words_and_moments_tell_nobody_apart(value: str) -> None:
    assert identifying_bits(value) < ENOUGH


@pytest.mark.parametrize(
    "value",
    ["1b4e28ba-2fa1-41d2-883f-b9a761bde3fb", "9f86d081884c7d659a2feaa0c55ad015",
     json.dumps({"v": 1, "id": {"visitor": "9f86d081884c7d659a2feaa0c55ad015"}}),
     "%7B%22id%22%3A%229f86d081884c7d659a2feaa0c55ad015%22%7D",
     "v1|1767225600000|Zk3qP0xw7Lr9sTyB2mVhQ1", json.dumps({"9f86d081884c7d659a2feaa0c55ad015": 1})],
)  # fmt: skip
def test_an_id_is_found_wherever_it_stands(value: str) -> None:
    assert identifying_bits(value) >= ENOUGH


@given(st.uuids(version=4))
def test_every_random_uuid_tells(value: uuid.UUID) -> None:
    assert identifying_bits(json.dumps({"u": str(value)})) >= ENOUGH or len(set(value.hex)) < 8


@given(st.one_of(st.none(), st.integers(), st.text(max_size=40)))
def test_an_address_has_a_host_or_none(url: object) -> None:
    assert host_of(url) is None or isinstance(url, str)
    assert host_of("https://Site.example:8443/a") == "site.example"
    assert host_of("https://[broken/") is None


@given(st.text(max_size=200))
def test_any_text_has_an_estimate(value: str) -> None:
    assert identifying_bits(value) >= 0
