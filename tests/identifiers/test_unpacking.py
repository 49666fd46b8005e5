"""What is compressed in a layer is opened there."""

from __future__ import annotations

import gzip
import random
import zlib

import brotli
import numpy as np
import pytest

from audit.identifiers.layer import Layer, first_layer
from audit.identifiers.unpacking import may_be_zlib, unpack_layer

TEXT = b'{"id": "harbour plan 81d0", "note": "at the quay"}'


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def fields(*stretches: bytes) -> Layer:
    layer = first_layer(stretches)
    layer.fields = np.ones(len(stretches), np.bool_)
    return layer


def opened(layer: Layer, marks=()) -> list[bytes]:
    batches, large = unpack_layer(layer, marks)
    assert large == []
    return [
        batch.data[s:e] for batch in batches for s, e in zip(batch.starts, batch.ends, strict=True)
    ]


@pytest.mark.parametrize("pack", [raw, brotli.compress])
def test_fields_that_are_compressed_as_a_whole_are_opened(pack):
    assert TEXT in opened(fields(b"text", pack(TEXT), b"\xff" * 30))


def test_only_fields_are():
    assert opened(first_layer([raw(TEXT)])) == []


@pytest.mark.parametrize(("gate", "pack"), [("gzip", gzip.compress), ("zlib", zlib.compress)])
def test_marked_data_is_opened_where_it_begins(gate, pack):
    layer = first_layer([b"some bytes " + pack(TEXT) + b" and more"])
    assert opened(layer, [(0, gate, 11)]) == [TEXT]


def test_data_behind_its_length_is_opened():
    packed = raw(TEXT[:30])
    assert TEXT[:30] in opened(fields(b"\xff\x08\x01" + bytes([len(packed)]) + packed))


def test_fields_of_binary_formats_are_taken_apart():
    packed = raw(random.Random(1).randbytes(20) + TEXT)
    message = b"\x08\x01\x12" + bytes([len(packed)]) + packed + b"\x1a\x03end"
    assert len(message) >= 64
    assert packed in opened(fields(message))


def test_what_gives_too_much_must_be_looked_at():
    layer = fields(raw(bytes(4 << 20)), b"\xff\xfe\xfd")
    assert unpack_layer(layer, ())[1] == [0]
    bomb = zlib.compress(bytes(4 << 20))
    assert unpack_layer(first_layer([bomb]), [(0, "zlib", 0)])[1] == [0]


def test_two_bytes_alone_are_no_zlib():
    packed = zlib.compress(TEXT)
    assert may_be_zlib(packed + b"\xff" * 9, 0, len(packed))
    assert not may_be_zlib(b"\x78\x9c\xff\xff\xff\xff\xff\xff", 0, 8)
