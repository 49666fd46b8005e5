"""Single values of captured bytes, with their paths, through every structure and packing."""

import base64
import gzip
import json
import zlib

import brotli
import cbor2
import msgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from audit.identifiers.leaves import LONGEST, MAX_LEAVES, Cut, leaves_of

BODY = {"a": {"b": [1, "x y", True]}, "c": "d"}
TEXT = json.dumps(BODY).encode()
TOLD = [("$.a.b[0]", "1"), ("$.a.b[1]", "x y"), ("$.a.b[2]", "true"), ("$.c", "d")]


def told(data, *encodings, hint=""):
    return [(leaf.path, leaf.text) for leaf in leaves_of(data, encodings, hint) if not leaf.is_name]


PACKED = {
    "plain": (TEXT, ()),
    "gzip sniffed": (gzip.compress(TEXT), ()),
    "zlib sniffed": (zlib.compress(TEXT), ()),
    "zstd sniffed": (zstandard.ZstdCompressor().compress(TEXT), ()),
    "gzip": (gzip.compress(TEXT), ("gzip",)),
    "br": (brotli.compress(TEXT), ("br",)),
    "deflate": (zlib.compress(TEXT), ("deflate",)),
    "two": (brotli.compress(gzip.compress(TEXT)), ("gzip", "br")),
}


@pytest.mark.parametrize("name", sorted(PACKED))
def test_json_is_taken_apart_however_it_is_packed(name):
    data, encodings = PACKED[name]
    assert told(data, *encodings) == TOLD


def test_names_of_fields_are_told_apart():
    names = [leaf.path for leaf in leaves_of(TEXT) if leaf.is_name]
    assert names == ["$.a", "$.a.b", "$.c"]


@pytest.mark.parametrize("pack", [msgpack.packb, cbor2.dumps])
def test_binary_maps_have_paths(pack):
    assert told(pack({"i": "some text", "n": 123_456, "d": {"k": "v v"}})) == [
        ("$.i", "some text"), ("$.n", "123456"), ("$.d.k", "v v"),
    ]  # fmt: skip


def test_protocol_buffers_have_numbers():
    data = b"\x08\xac\x02\x12\x07testing\x1a\x08\x0a\x06nested\x21" + (2**40 + 7).to_bytes(
        8, "little"
    )
    assert told(data) == [("1", "300"), ("2", "testing"), ("3.1", "nested"), ("4", str(2**40 + 7))]


def test_forms_are_decoded_and_multipart_is_named():
    assert told(b"a=1&who=x%20y+z", hint="form") == [("a", "1"), ("who", "x y z")]
    part = b'--cut\r\nContent-Disposition: form-data; name="who"\r\n\r\nx y\r\n--cut--\r\n'
    assert told(part) == [("who", "x y")]


def test_structures_inside_values_are_opened():
    inner = base64.b64encode(TEXT).decode()
    token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (
        b'{"alg": "none"}', b'{"sub": "somebody"}', b"xxxxxxxxxx"))  # fmt: skip
    data = json.dumps({"e": inner, "j": json.dumps({"k": "v"}), "t": token, "q": "a%2Fb"}).encode()
    assert told(data) == [
        *((f"$.e > base64 > {path}", value) for path, value in TOLD),
        ("$.j > $.k", "v"),
        ("$.t > jwt.header > $.alg", "none"),
        ("$.t > jwt.payload > $.sub", "somebody"),
        ("$.q", "a/b"),
    ]


def test_random_base64_and_short_bytes_stay_values():
    key = base64.b64encode(bytes(range(128, 160))).decode()
    assert told(key.encode()) == [("", key)]
    assert told(b"\x00\x9f\x80") == [("", "009f80")]


def test_content_is_no_value_and_bounds_are_said():
    assert told(b"x" * (LONGEST + 1)) == []
    cut = Cut()
    many = json.dumps(list(range(MAX_LEAVES + 5))).encode()
    assert len(list(leaves_of(many, cut=cut))) == MAX_LEAVES
    assert cut.reasons
    cut = Cut()
    assert list(leaves_of(bytes(9 << 20), cut=cut)) == []
    assert cut.reasons


@given(st.binary(max_size=300), st.sampled_from([(), ("gzip",), ("br",), ("deflate", "zstd")]))
def test_any_bytes_are_taken_apart_without_an_error(data, encodings):
    for leaf in leaves_of(data, encodings):
        assert len(leaf.text) <= LONGEST
