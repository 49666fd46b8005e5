"""Short values inside short encoded runs, at whatever offset, with whatever around them."""

from __future__ import annotations

import base64
import string

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers.detector import Detector, text_payload
from audit.identifiers.gates import LONG_RUN
from audit.identifiers.triggers import triggers

VALUE = "qx7-v2z"
DETECTOR = Detector(
    make_identity([Identifier("serial", VALUE), Identifier("address", "198.51.100.7")])
)
AROUND = st.text(st.sampled_from(" :;,~|"), max_size=5)
ENCODINGS = [
    lambda data: base64.b64encode(data).decode(),
    lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode(),
    lambda data: base64.b32encode(data).decode(),
    lambda data: base64.b32encode(data).rstrip(b"=").lower().decode(),
    lambda data: data.hex(),
    lambda data: data.hex().upper(),
]


@settings(max_examples=300, deadline=None)
@given(
    AROUND,
    AROUND,
    st.sampled_from(ENCODINGS),
    st.sampled_from([str.lower, str.upper, str]),
    st.sampled_from(["{}", "a {} b", '{{"k":"{}"}}', "x=1&y={}", "id-{}", "/u/{}/x"]),
)
def test_a_short_value_is_found_in_a_short_run(before, after, encode, case, place):
    text = place.format(encode((before + case(VALUE) + after).encode()))
    assert [hit.kind for hit in DETECTOR.scan(text_payload(text.encode())).hits] == ["serial"]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3), st.binary(max_size=3), st.sampled_from(ENCODINGS))
def test_packed_addresses_behind_their_length_are_found(before, after, encode):
    packed = bytes([198, 51, 100, 7])
    message = (
        b"\x0a"
        + bytes([len(before)])
        + before
        + b"\x12\x04"
        + packed
        + b"\x1a"
        + bytes([len(after)])
        + after
    )
    hits = DETECTOR.scan(text_payload(encode(message).encode())).hits
    assert "address" in [hit.kind for hit in hits]


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=3, max_size=30), st.binary(max_size=7), st.binary(max_size=5))
def test_some_trigger_of_a_value_stands_in_every_short_run_that_holds_it(value, before, after):
    whole = before + value + after
    texts = set(triggers({value: False}))
    for encoded in (base64.b64encode(whole), base64.b32encode(whole)):
        if len(encoded.rstrip(b"=")) < LONG_RUN:
            assert any(text in encoded for text in texts)


def test_words_of_prose_trigger_nothing():
    prose = " ".join(string.ascii_lowercase[n % 20 : n % 20 + 6] * 2 for n in range(500))
    result = DETECTOR.scan(text_payload(prose.encode()))
    assert (result.hits, result.unsure) == ((), ())
