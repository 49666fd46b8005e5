import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from audit.readers import bodies
from audit.readers.bodies import canonical_json, decode_body


def headerless(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("coding", PACKERS)
@given(data=st.binary(max_size=300))
def test_codings_are_undone(coding, data):
    assert decode_body(PACKERS[coding](data), (coding,)) == data


def test_deflate_without_a_header_is_undone():
    assert decode_body(headerless(b"abc" * 50), ("deflate",)) == b"abc" * 50


def test_the_last_coding_is_undone_first():
    assert decode_body(gzip.compress(zlib.compress(b"x")), ("deflate", "gzip")) == b"x"


@pytest.mark.parametrize("coding", PACKERS)
def test_a_body_that_grows_too_large_is_left_alone(coding, monkeypatch):
    monkeypatch.setattr(bodies, "MAX_DECODED", 1000)
    assert decode_body(PACKERS[coding](b"a" * 1001), (coding,)) is None
    assert decode_body(PACKERS[coding](b"a" * 1000), (coding,)) == b"a" * 1000


@given(st.binary(max_size=200), st.sampled_from([*PACKERS, "compress", ""]))
def test_any_bytes_under_any_coding_are_undone_or_left(data, coding):
    decode_body(data, (coding,))


def test_json_is_made_canonical():
    assert canonical_json(b' {"b": 1, "a": [1.5, "\\u00e9"]}') == '{"a":[1.5,"\\u00e9"],"b":1}'
    assert canonical_json(b"\xef\xbb\xbf[1]") == "[1]"


@pytest.mark.parametrize(
    "text", [b"", b"text", b"12", b'"word"', b"{", b'{"a": NaN}', b"[" * 100_000, b"[1e999]"]
)
def test_what_is_no_object_or_list_is_no_json(text):
    assert canonical_json(text) is None


def test_json_beyond_the_bound_is_left(monkeypatch):
    monkeypatch.setattr(bodies, "MAX_JSON", 10)
    assert canonical_json(b'{"a": "bbbbbbb"}') is None


@given(st.binary(max_size=100))
def test_any_bytes_are_json_or_not(data):
    canonical_json(b"{" + data)
