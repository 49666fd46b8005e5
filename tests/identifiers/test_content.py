"""What bytes are once had: readable, mixed, opaque, empty; opaque is never taken for clean."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import zipfile
import zlib

import brotli
import cbor2
import msgpack
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.content import classify_content

DRAW = random.Random(11)
SECRET = DRAW.randbytes(300)
KEY = DRAW.randbytes(32)
TEXT = json.dumps({"user": "someone", "items": [1, 2, 3], "note": "words and words"}).encode()


def packed(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"", "empty"), (b"plain words", "readable"), (TEXT, "readable"), (SECRET, "opaque"),
        ("Grüße aus Köln — später".encode(), "readable"), (gzip.compress(TEXT * 9, mtime=0), "readable"),
        (zlib.compress(TEXT), "readable"), (brotli.compress(TEXT * 3), "readable"),
        (zstandard.compress(TEXT * 3), "readable"), (packed(TEXT), "readable"), (gzip.compress(SECRET, mtime=0), "opaque"),
        (json.dumps({"to": "05ab", "data": base64.b64encode(SECRET).decode()}).encode(), "mixed"),
        (json.dumps({"data": SECRET.hex(), "ttl": 5}).encode(), "mixed"),
        (base64.b64encode(SECRET), "opaque"), (base64.b64encode(TEXT * 3), "readable"),
        (json.dumps({"key": KEY.hex(), "signature": base64.b64encode(KEY * 2).decode()}).encode(), "readable"),
        (len(SECRET).to_bytes(4, "little") + SECRET + b'{"ephemeral_key":"05abcd","enc_type":"aes-gcm"}', "mixed"),
        (msgpack.packb({"a": 1, "b": "words"}), "readable"), (msgpack.packb({"a": 1, "b": SECRET}), "mixed"),
        (cbor2.dumps({"a": 1, "b": "words"}), "readable"), (cbor2.dumps({"note": "words", "b": SECRET}), "mixed"),
        (b"\x08\x96\x01\x12\x05words", "readable"), (b"\x0a\x05words\x12\xac\x02" + SECRET, "mixed"),
        (b"\x89PNG\r\n\x1a\n" + SECRET, "readable"), (b"\xff\xd8\xff\xe0" + SECRET, "readable"),
        (b"a=1&d=" + base64.urlsafe_b64encode(SECRET), "mixed"),
        (b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(range(12)), "readable"),
        (b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0." + base64.urlsafe_b64encode(SECRET), "readable"),
    ],
)  # fmt: skip
def test_content_is_judged_by_what_decoders_explain(data, content):
    assert classify_content(data) == content


@pytest.mark.parametrize("size", [16, 24, 32, 48, 64, 100, 300, 1000, 5000, 70_000])
def test_random_bytes_are_opaque(size):
    judged = [classify_content(DRAW.randbytes(size)) for _ in range(200)]
    assert sum(content in ("opaque", "mixed") for content in judged) >= 196


def test_declared_codings_are_undone():
    assert classify_content(brotli.compress(TEXT), content_encoding=("br",)) == "readable"
    assert classify_content(SECRET, content_encoding=("br",)) == "opaque"
    assert classify_content(TEXT, content_encoding=("gzip",)) == "readable"


def test_a_long_path_is_no_opaque_field():
    path = "/".join(f"assets-{n}/very_long_name_of_a_file" for n in range(8))
    assert classify_content(json.dumps({"p": path}).encode()) == "readable"


def test_ciphertext_behind_readable_text_is_mixed():
    assert (
        classify_content(b"POST /x HTTP/1.1\r\nHost: a.example\r\n\r\n" + DRAW.randbytes(500))
        == "mixed"
    )


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=600), st.sampled_from([None, "application/json", "application/x-protobuf"])
)
def test_any_bytes_have_a_content(data, content_type):
    assert (classify_content(data, content_type=content_type) == "empty") is (data == b"")


def test_a_bomb_is_bounded():
    assert classify_content(gzip.compress(b"\0" * 60_000_000)) in ("readable", "opaque")
