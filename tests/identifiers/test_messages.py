"""Messages of binary formats, told apart from random bytes many at a time."""

from __future__ import annotations

import random

import cbor2
import msgpack
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.frames import find_frames
from audit.identifiers.messages import may_be_framed

OBJECTS = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False),
        st.text(max_size=40), st.binary(max_size=300),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=20), st.dictionaries(st.text(max_size=5), inner, max_size=20)
    ),
    max_leaves=30,
)  # fmt: skip
WIRES = st.tuples(st.integers(1, 400), st.sampled_from([0, 1, 2, 2, 5]), st.integers(0, 2**63), st.binary(max_size=300))  # fmt: skip


def varint(number: int) -> bytes:
    out = b""
    while True:
        number, low = number >> 7, number & 0x7F
        out += bytes([low | (0x80 if number else 0)])
        if not number:
            return out


def message(fields: list[tuple[int, int, int, bytes]]) -> bytes:
    out = b""
    for number, wire, value, data in fields:
        out += varint(number << 3 | wire)
        if wire == 2:
            out += varint(len(data)) + data
        else:
            out += varint(value) if wire == 0 else value.to_bytes(8, "big")[: 8 if wire == 1 else 4]
    return out


MESSAGES = st.one_of(
    OBJECTS.map(msgpack.packb),
    OBJECTS.map(cbor2.dumps),
    st.lists(WIRES, min_size=1, max_size=9).map(message),
    st.lists(WIRES, min_size=1, max_size=4).map(
        lambda fields: b"\0" + len(message(fields)).to_bytes(4, "big") + message(fields)
    ),
)


def told(stretches: list[bytes]) -> list[bool]:
    sizes = np.array([len(stretch) for stretch in stretches], np.int64)
    starts = np.cumsum(sizes) - sizes
    array = np.frombuffer(b"".join(stretches) + b"\n" * 64, np.uint8)
    found: list[bool] = may_be_framed(array, starts, starts + sizes).tolist()
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=30))
def test_whatever_the_readers_read_is_told(messages):
    for data, known in zip(messages, told(messages), strict=True):
        assert known or not [frame for frame in find_frames(data) if frame.name != "form"]


def test_random_bytes_are_seldom_told():
    draw = random.Random(4)
    assert sum(told([draw.randbytes(draw.choice((64, 200, 900))) for _ in range(3000)])) < 300
