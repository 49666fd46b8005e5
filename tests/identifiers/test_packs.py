"""Headerless compressed data, told apart from other bytes many at a time."""

from __future__ import annotations

import random
import zlib

import brotli
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.compression import decode_headerless
from audit.identifiers.packs import may_be_packed, unpack
from audit.identifiers.piece import Piece


def raw(data: bytes, level: int = 6, strategy: int = 0) -> bytes:
    packer = zlib.compressobj(level, wbits=-15, strategy=strategy)
    return packer.compress(data) + packer.flush()


PACKERS = [
    raw,
    lambda data: raw(data, 0),
    lambda data: raw(data, 9, zlib.Z_FIXED),
    lambda data: raw(data, 9, zlib.Z_HUFFMAN_ONLY),
    brotli.compress,
    lambda data: brotli.compress(data, quality=1),
    lambda data: brotli.compress(data, quality=5, lgwin=18),
    lambda data: raw(data) + b"x",
    lambda data: data,
]
CONTENTS = st.one_of(
    st.binary(max_size=80),
    st.text(st.sampled_from('abcdef {}":,'), max_size=400).map(str.encode),
    st.sampled_from([b"id=fr_FR", b"a" * 300, b"hello world " * 90]),
)


def laid_out(stretches: list[bytes]):
    sizes = np.array([len(stretch) for stretch in stretches], np.int64)
    starts = np.cumsum(sizes) - sizes
    return np.frombuffer(b"".join(stretches) + bytes(64), np.uint8), starts, starts + sizes


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CONTENTS, st.sampled_from(PACKERS)), min_size=1, max_size=8))
def test_what_the_decoder_opens_is_told_and_opened(drawn):
    stretches = [packed for data, pack in drawn if len(packed := pack(data)) >= 3]
    array, starts, ends = laid_out(stretches)
    told = may_be_packed(array, starts, ends)
    numbers, made, large = unpack(array, starts, ends)
    assert large == []
    for number, stretch in enumerate(stretches):
        opened = [child.data for child in decode_headerless(Piece(stretch, field=True))]
        assert told[number] or not opened
        assert opened == [data for at, data in zip(numbers, made, strict=True) if at == number]


def test_random_bytes_are_hardly_ever_told():
    draw = random.Random(5)
    stretches = [draw.randbytes(draw.choice((8, 20, 40, 90))) for _ in range(4000)]
    assert may_be_packed(*laid_out(stretches)).sum() < 40


def test_of_longer_data_the_beginning_tells():
    data = raw(random.Random(1).randbytes(300) + b"words " * 300)[:100]
    array, starts, ends = laid_out([data, bytes(reversed(data))])
    assert may_be_packed(array, starts, ends, whole=False).tolist()[0]


def test_what_gives_too_much_is_said():
    array, starts, ends = laid_out([raw(bytes(3 << 20))])
    assert unpack(array, starts, ends) == ([], [], [0])


def test_a_trial_of_brotli_gives_no_more_than_its_bound(monkeypatch):
    given = []

    class Counting:
        def __init__(self):
            self._real = real()

        def process(self, data):
            out = self._real.process(data)
            given.append(len(out))
            return out

        def is_finished(self):
            return self._real.is_finished()

    real = brotli.Decompressor
    monkeypatch.setattr(brotli, "Decompressor", Counting)
    bomb = brotli.compress(bytes(64 << 20))
    array, starts, ends = laid_out([bomb])
    may_be_packed(array, starts, ends)
    assert given
    assert sum(given) < 20 << 20
