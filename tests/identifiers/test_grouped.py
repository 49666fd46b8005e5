"""Grouped hexadecimal text in bulk: what the decoder finds is there, UUIDs all at once."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit.identifiers.gates import marks_of
from audit.identifiers.grouped import decode_grouped
from audit.identifiers.groups import decode_hex_groups
from audit.identifiers.layer import first_layer
from audit.identifiers.piece import Piece

PARTS = st.lists(
    st.one_of(
        st.uuids().map(lambda value: str(value).encode()),
        st.uuids().map(lambda value: str(value).upper().encode()),
        st.builds(
            lambda data, mark: data.hex(mark).encode(),
            st.binary(min_size=2, max_size=20),
            st.sampled_from([":", "-", " ", ".", ",", "+"]),
        ),
        st.binary(min_size=4, max_size=12).map(
            lambda data: ", ".join(f"0x{byte:02x}" for byte in data).encode()
        ),
        st.sampled_from([b"2024-01-02T03:04:05", b"words", b"dead-beef-cafe", b"a", b"1", b'"']),
    ),
    min_size=1,
    max_size=6,
)


def decoded(data: bytes) -> list[bytes]:
    return [
        batch.data[start:end]
        for batch in decode_grouped(first_layer([data]))
        for start, end in zip(batch.starts, batch.ends, strict=True)
    ]


@settings(max_examples=300, deadline=None)
@example([b"00 00 00 00 00 00 00", b"dead-beef-cafe"], b" ")
@given(PARTS, st.sampled_from([b" ", b'","', b"\n", b"=", b"/"]))
def test_what_the_decoder_finds_is_there(parts, between):
    data = between.join(parts)
    known = decoded(data)
    for child in decode_hex_groups(Piece(data, field=True), marks_of("hex-groups", data)):
        assert any(child.data in output for output in known), child.data


def test_uuids_are_their_bytes():
    values = [uuid.UUID(int=number * 7**40 % 2**128) for number in range(1, 40)]
    expected = sorted(value.bytes for value in values)
    assert sorted(decoded(" ".join(map(str, values)).encode())) == expected


@pytest.mark.parametrize("data", [b"", b"12-34", b"no digits: at all", b"10:22:07.123"])
def test_nothing_is_made_of_anything_else(data):
    assert decoded(data) == []
