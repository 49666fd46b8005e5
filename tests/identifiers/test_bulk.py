"""Runs decoded in bulk: nothing that their decoders give is left out."""

from __future__ import annotations

import base64
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.bulk import decode_runs
from audit.identifiers.compression import decode_headerless
from audit.identifiers.gates import marks_of
from audit.identifiers.layer import first_layer
from audit.identifiers.piece import Piece
from audit.identifiers.runs import decode_runs as decode_each
from audit.identifiers.text import is_text

CONTENTS = st.one_of(
    st.binary(min_size=12, max_size=90),
    st.text(st.sampled_from("abc {}:,\"'=%\\/"), min_size=12, max_size=120).map(str.encode),
)
ENCODINGS = [
    base64.b64encode,
    lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    base64.b32encode,
    lambda data: base64.b32encode(data).rstrip(b"=").lower(),
    lambda data: data.hex().encode(),
    lambda data: data.hex().upper().encode() + b"0",
    lambda data: b"name_" + base64.b64encode(data),
    lambda data: b"/v2/users/" + base64.urlsafe_b64encode(data) + b"/x",
    lambda data: base64.b64encode(data * 6),
]
PARTS = st.lists(
    st.one_of(
        st.builds(lambda data, encode: encode(data), CONTENTS, st.sampled_from(ENCODINGS)),
        st.sampled_from([b"some words", b"\xff\x00\x01", b'{"a": 1}', b"--", b"a" * 40]),
    ),
    min_size=1,
    max_size=5,
)


def outputs(data: bytes) -> list[bytes]:
    found = []
    for batch in decode_runs(first_layer([data])):
        assert len(batch.low) == len(batch.starts) == len(batch.ends) == len(batch.high)
        found += [batch.data[s:e] for s, e in zip(batch.starts, batch.ends, strict=True)]
    return found


def tells(child: Piece, data: bytes) -> bool:
    """Whether a child stands for a whole run, or what is behind a sign in one is no chance."""
    begins = child.start == 0 or not re.match(rb"[A-Za-z0-9+/_-]", data[child.start - 1 :])
    return begins or is_text(child.data[:12]) or any(decode_headerless(child))


@settings(max_examples=300, deadline=None)
@given(PARTS, st.sampled_from([b" ", b'","', b"\n\n", b"=;"]))
def test_whatever_the_decoders_of_runs_give_is_there(parts, between):
    data = between.join(parts)
    known = outputs(data)
    for child in decode_each(Piece(data, field=True), marks_of("run", data)):
        if tells(child, data):
            assert any(child.data in output for output in known), (child.step, child.start)


@settings(max_examples=100, deadline=None)
@given(CONTENTS, st.integers(1, 9), st.sampled_from([b"\n", b"\r\n", b"\n\t"]))
def test_lines_are_decoded_as_one_text_of_whatever_length(data, times, line_end):
    text = b"head\n\n" + base64.encodebytes(data * times).replace(b"\n", line_end)
    known = outputs(text)
    for child in decode_each(Piece(text, field=True), marks_of("run", text)):
        if child.end - child.start > 77:
            assert any(child.data in output for output in known)


def test_each_result_comes_from_a_long_run():
    draw = random.Random(2)
    data = b" ".join(base64.b64encode(draw.randbytes(draw.randint(12, 90))) for _ in range(50))
    runs = {match.start() for match in re.finditer(rb"[A-Za-z0-9+/_-]{16,}", data)}
    for batch in decode_runs(first_layer([data])):
        assert set(batch.low.tolist()) <= runs


def test_lines_of_one_length_are_decoded_as_one_text():
    text = bytes(range(32, 127)) * 20
    data = b"head\n\n" + base64.encodebytes(text)
    (whole,) = [output for output in outputs(data) if len(output) == len(text)]
    assert whole == text
    assert sum(map(len, outputs(data))) < 2 * len(text)


@pytest.mark.parametrize("data", [b"", b"word", b"=" * 100, b"-" * 100, b"\xff" * 100])
def test_nothing_comes_of_what_is_no_run_or_of_signs(data):
    assert not any(b"a" in output for output in outputs(data))
