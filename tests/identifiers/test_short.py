"""Short runs of compressed data among many words."""

from __future__ import annotations

import base64
import zlib

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.gates import marks_of
from audit.identifiers.layer import first_layer
from audit.identifiers.piece import Piece
from audit.identifiers.short import decode_short, short_runs
from audit.identifiers.tokens import decode_tokens


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


ENCODINGS = [
    lambda data: base64.b64encode(data).decode(),
    lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode(),
    lambda data: base64.b32encode(data).decode().rstrip("="),
    lambda data: base64.b32encode(data).decode().lower(),
    lambda data: data.hex(),
    lambda data: base64.b64encode(base64.b64encode(data)).decode(),
]


def opened(text: bytes) -> list[bytes]:
    return [
        batch.data[start:end]
        for batch in decode_short(first_layer([text]))
        for start, end in zip(batch.starts, batch.ends, strict=True)
    ]


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from("abcxyz_059.-"), min_size=1, max_size=7),
    st.sampled_from([raw, brotli.compress, zlib.compress]),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["{}", "a {} word", '{{"k":"{}"}}', "/u/{}/x", "id-{}", "ab_cd-{}_x"]),
)
def test_what_the_decoder_of_tokens_opens_is_opened(value, pack, encode, place):
    text = place.format(encode(pack(value.encode()))).encode()
    piece = Piece(text, field=True)
    found = opened(text)
    for child in decode_tokens(piece, marks_of("token", text)):
        inner = child
        while inner.parent is not piece:
            inner = inner.parent
        assert child.data in found or inner.data in found


def test_words_and_identifiers_are_closed():
    words = b"international created_at misunderstanding camelCaseName some-kebab-case 2024-01-02 "
    assert opened(words * 20) == []


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        (b"a abcdefgh b", [b"abcdefgh"]),
        (b"/x/abcdefgh/y", [b"x/abcdefgh/y", b"abcdefgh/y", b"abcdefgh"]),
        (b"abcdefg", []),
        (b"abcdefghijklmnop", []),
        (b"ab-cdefgh", [b"ab-cdefgh"]),
    ],
)
def test_short_runs_end_at_signs_or_at_what_is_no_letter(text, runs):
    layer = first_layer([text])
    starts, ends = short_runs(layer.lanes)
    assert [text[start:end] for start, end in zip(starts, ends, strict=True)] == runs
