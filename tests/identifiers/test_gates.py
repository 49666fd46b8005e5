"""Gates and decoders belong together; what a gate must let through, it lets through."""

from __future__ import annotations

import base64
import re
import zlib

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.decoders import CONTAINERS, ESCAPES
from audit.identifiers.engine import HyperscanEngine
from audit.identifiers.gates import GATES, MAGICS, PACKED_FIRST, marks_of

ENGINE = HyperscanEngine([])
RUNS = {"run", "token"}


def opened(data: bytes) -> set[str]:
    return {GATES[number].name for _, number in ENGINE.gates(data)}


def test_every_gate_opens_a_decoder_and_every_decoder_has_a_gate():
    assert {gate.name for gate in GATES} == {*CONTAINERS, *ESCAPES, *RUNS}


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_patterns_are_read_alike_by_both_engines(gate):
    re.compile(gate.pattern.encode())
    if gate.width:
        assert gate.before or gate.width <= 4


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=3, max_size=9), st.sampled_from([raw, brotli.compress]))
def test_short_compressed_data_opens_its_gate_in_each_alphabet(data, pack):
    packed = pack(data)
    assert packed[0] in PACKED_FIRST
    for text in (
        base64.b64encode(packed),
        base64.urlsafe_b64encode(packed).rstrip(b"="),
        base64.b32encode(packed),
        base64.b32encode(packed).lower(),
        packed.hex().encode(),
        packed.hex().upper().encode(),
    ):
        if len(text.rstrip(b"=")) >= 8:
            assert opened(b'"' + text + b'"') & RUNS
            assert opened(text) & RUNS


@pytest.mark.parametrize(
    ("data", "gate"),
    [
        (b"a%41", "percent"), (b"%u0041", "percent-u"), (b"a=b+c", "plus"), (b'\\"', "escaped"), (b"&#65;", "html"),
        (b"&#x41;", "html"), (b"&commat;", "html"), (b"a\0b\0c\0", "utf16"), (b"\0a\0b\0c\0d", "utf16"),
        (b"de:ad:be:ef", "hex-groups"), (b"0xde, 0xad", "hex-groups"), (b"deadbeef-cafe-babe", "hex-groups"),
        (b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x78\x9c", "zlib"), (b"PK\x03\x04", "zip"),
        (b"abcdefghijklmnop", "run"),
    ],
)  # fmt: skip
def test_marks_open_their_gates_wherever_they_stand(data, gate):
    for text in (data, b"\n" + data + b"\n", b"\xff" * 3 + data):
        assert gate in opened(text)


@pytest.mark.parametrize(("name", "mark"), MAGICS)
def test_magics_are_the_gates_that_open_the_same(name, mark):
    data = b"\xff" + mark + b"\xff"
    assert name in opened(data)
    assert marks_of(name, data) == [1]


def test_marks_are_where_patterns_end_or_begin():
    assert marks_of("percent", b"a%41%zz%42") == [4, 10]
    assert marks_of("run", b"x " + b"a" * 20) == [2]
    assert marks_of("token", b"no, nothing") == []
