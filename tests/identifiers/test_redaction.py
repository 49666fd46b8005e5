"""Whatever the detector finds can be blanked; what is left holds nothing."""

from __future__ import annotations

import base64
import json
import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bundle.identity import Identifier, Identity, make_identity
from audit.identifiers.detector import Detector, text_payload
from audit.identifiers.redaction import Redactor, merge
from tests.identifiers.planting import SUBJECT, SUBJECT6, containers, planted, wrap

VALUES = [*SUBJECT.items(), ("address", SUBJECT6)]
IDENTITY = make_identity([Identifier(kind, value) for kind, value in VALUES])
DETECTOR = Detector(IDENTITY)
REDACTOR = Redactor(IDENTITY)
PSEUDONYM = re.compile(r"\[[a-z_]+:[0-9a-f]{6}\]")

ITEMS = [item for kind, value in VALUES for item in planted(kind, value)]


def found_in(data: bytes):
    result = DETECTOR.scan(text_payload(data))
    return (*result.hits, *result.unsure)


@st.composite
def leaking_text(draw):
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        parts.append(
            draw(st.sampled_from([" ", "&a=", '","b":"', "\n", "; ", "/", "=", ":", ">", ""]))
        )
        item = draw(st.sampled_from([item for item in ITEMS if item.text]))
        names = draw(st.lists(st.sampled_from(containers()), max_size=1))
        data = wrap(item.data, True, tuple(names))
        if data is not None and data.isascii():
            parts.append(data.decode())
        parts.append(draw(st.text(st.characters(codec="utf-8"), max_size=6)))
    return "".join(parts)


@settings(max_examples=150, deadline=None)
@given(leaking_text())
def test_a_redacted_text_holds_nothing_and_stays_as_it_is(text):
    blanked = REDACTOR.text(text)
    assert found_in(blanked.encode("utf-8", "surrogatepass")) == ()
    assert REDACTOR.text(blanked) == blanked


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=3), st.randoms())
def test_redacted_bytes_hold_nothing(items, draw):
    data = b"\n".join(
        wrap(item.data, item.text, (draw.choice(containers()),)) or item.data for item in items
    )
    assert found_in(REDACTOR.data(data)) == ()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_other_text_is_left_alone(text):
    if not found_in(text.encode("utf-8", "surrogatepass")):
        assert REDACTOR.text(text) == text.encode("utf-8", "surrogatepass").decode(
            "utf-8", "replace"
        )


def test_one_value_has_one_pseudonym_in_whatever_form():
    seen = set()
    for item in planted("serial", SUBJECT["serial"]):
        if item.text:
            seen |= set(PSEUDONYM.findall(REDACTOR.text(item.data.decode())))
    assert len(seen) == 1


def test_the_pseudonym_is_keyed_by_the_subject():
    one = Redactor(make_identity([Identifier("serial", "C02XK1ABJG5J")])).text("C02XK1ABJG5J")
    other = Redactor(
        make_identity([Identifier("serial", "C02XK1ABJG5J"), Identifier("email", "a@b.example")])
    ).text("C02XK1ABJG5J")
    assert PSEUDONYM.fullmatch(one)
    assert PSEUDONYM.fullmatch(other)
    assert one != other


def test_json_stays_json():
    draw = random.Random(2)
    for item in draw.sample([item for item in ITEMS if item.text], 60):
        text = json.dumps({"a": item.data.decode(), "b": [item.data.decode(), 1], "n": 3323088331})
        blanked = json.loads(REDACTOR.text(text))
        assert set(blanked) == {"a", "b", "n"}
        assert PSEUDONYM.search(blanked["a"])
    assert json.loads(REDACTOR.text('{"ip": 3323088331, "x": [3323088331]}'))["ip"].startswith(
        "[address:"
    )


def test_urls_headers_and_log_lines_lose_the_value_alone():
    url = "https://h.example/p?a=1&mail=Quentin.Vale%2Bcanary%40mail.example&z=2"
    assert re.fullmatch(r"https://h\.example/p\?a=1&mail=\[email:\w{6}\]&z=2", REDACTOR.text(url))
    header = "X-Forwarded-For: 198.18.77.203, 203.0.113.1"
    assert re.fullmatch(
        r"X-Forwarded-For: \[address:\w{6}\], 203\.0\.113\.1", REDACTOR.text(header)
    )
    line = '198.18.77.203 - - [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"'
    assert REDACTOR.text(line).endswith(
        '- - [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"'
    )


def test_the_whole_encoded_span_goes():
    text = (
        "k=" + base64.b64encode(b"before " + SUBJECT["email"].encode() + b" behind").decode() + ";"
    )
    assert re.fullmatch(r"k=\[email:\w{6}\];", REDACTOR.text(text))


def test_tokens_go_too():
    redactor = Redactor(IDENTITY, tokens=["00112233445566778899aabbccddeeff"])
    text = redactor.text("GET /00112233445566778899aabbccddeeff from 198.18.77.203")
    assert re.fullmatch(r"GET /\[token:\w{6}\] from \[address:\w{6}\]", text)


def test_without_an_identity_tokens_are_keyed_by_the_given_key():
    one = Redactor(Identity(), ["secret-token-1"], key=b"1" * 32).text("secret-token-1")
    other = Redactor(Identity(), ["secret-token-1"], key=b"2" * 32).text("secret-token-1")
    assert one != other
    assert Redactor(Identity()).text("plain text") == "plain text"


def test_several_captures_are_redacted_together():
    other = make_identity([Identifier("serial", "ZZ9PLURALZA")])
    merged = merge([Redactor(IDENTITY, ["first-token"]), Redactor(other), Redactor(IDENTITY)])
    text = merged.text("C02XK1ABJG5J ZZ9PLURALZA first-token")
    assert text.count("[serial:") == 2
    assert "[token:" in text
    assert REDACTOR.text("C02XK1ABJG5J") in text


def test_a_value_with_a_pattern_in_it_is_taken_literally():
    redactor = Redactor(make_identity([Identifier("display_name", r"\d+ (.*) [a-z]$ quux")]))
    assert redactor.text(r"x \d+ (.*) [a-z]$ quux y").count("[display_name:") == 1
    assert redactor.text("x 12 (ab) c quux y") == "x 12 (ab) c quux y"
