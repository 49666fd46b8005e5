"""Compressed data: opened wherever it stands, bounded, and never trusted."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers.compression import INFLATERS, inflate_brotli
from audit.identifiers.detector import Detector, text_payload

VALUE = b"C02XK1ABJG5J"
DETECTOR = Detector(make_identity([Identifier("serial", VALUE.decode())]))


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "deflate": raw,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def chains(data: bytes):
    result = DETECTOR.scan(text_payload(data))
    return [hit.chain for hit in result.hits], result.truncated


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=3000))
def test_what_was_packed_is_unpacked(name, data):
    done = INFLATERS[name](PACKERS[name](data), 0, 1 << 20)
    if data:
        assert done is not None
        assert (done.data, done.complete, done.cut) == (data, True, False)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=300))
def test_any_bytes_are_refused_without_an_error(name, data):
    INFLATERS[name](data, 0, 1000)


@pytest.mark.parametrize("name", PACKERS)
def test_no_more_is_unpacked_than_allowed(name):
    done = INFLATERS[name](PACKERS[name](b"\0" * 1_000_000), 0, 1000)
    assert done is not None
    assert (len(done.data), done.cut) == (1000, True)


@pytest.mark.parametrize("name", ["gzip", "zlib", "zstd"])
def test_marked_data_is_found_in_the_middle_of_other_bytes(name):
    found, _ = chains(b"\x00\x00\x01\x37" + PACKERS[name](VALUE + b" " + VALUE) + b"\x05\x00\x00")
    assert (name,) in found


@pytest.mark.parametrize("name", PACKERS)
def test_a_body_cut_short_is_searched_as_far_as_it_goes_and_said(name):
    body = PACKERS[name](VALUE + bytes(range(256)) * 40 + zlib.compress(bytes(range(256)) * 3) * 2)[
        :-20
    ]
    payload = text_payload(body)
    payload.content_encoding = ("deflate" if name == "zlib" else name,)
    result = DETECTOR.scan(payload)
    assert [hit.chain for hit in result.hits] == [(name,)] or name == "zstd"
    assert any("ends early" in text or "could not be decoded" in text for text in result.truncated)


def test_several_members_of_gzip_are_one_stream():
    found, _ = chains(gzip.compress(b"first ") + gzip.compress(VALUE))
    assert ("gzip",) in found


def test_names_in_headers_of_gzip_and_zip_are_searched():
    file = io.BytesIO()
    with gzip.GzipFile(VALUE.decode() + ".txt", "wb", fileobj=file, mtime=0) as packed:
        packed.write(b"nothing")
    assert chains(file.getvalue())[0] == [("gzip",)]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(VALUE.decode() + "/x", "nothing")
    assert chains(file.getvalue())[0] == [("zip",)]


def test_a_member_under_a_password_is_said():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", VALUE)
    data = bytearray(file.getvalue())
    for at in (data.find(b"PK\x03\x04") + 6, data.find(b"PK\x01\x02") + 8):
        data[at] |= 1
    assert chains(bytes(data))[1] == ("a member of a ZIP could not be opened",)


def test_a_stored_value_is_told_once_with_its_container():
    for packed in (zlib.compress(VALUE, 0), gzip.compress(VALUE, 0)):
        assert len(chains(packed)[0]) == 1
        assert chains(packed)[0][0] in [("zlib",), ("gzip",)]


def test_a_bomb_of_brotli_is_stopped_before_it_fills_the_memory():
    bomb = brotli.compress(b"\0" * (1 << 28), quality=9)
    tracemalloc.start()
    done = inflate_brotli(bomb, 0, 1 << 20)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert done is not None
    assert done.cut
    assert len(done.data) == 1 << 20
    assert most < 64 << 20
