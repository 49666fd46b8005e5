"""Encoded text behind a name: what tells of it, and what does not."""

from __future__ import annotations

import base64
import gzip
import random
import zlib

import pytest

from audit.identifiers.beginnings import begins, is_name


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@pytest.mark.parametrize(
    "data",
    [
        b"text of any sort",
        "Zo\u00eb Quill and more".encode(),
        "wide text".encode("utf-16-le"),
        gzip.compress(b"some words " * 9, mtime=0),
        zlib.compress(b"some words " * 9),
        zlib.compress(b"some words " * 9)[2:-4],
    ],
)
def test_text_and_compressed_data_tell_of_themselves(data):
    assert begins(b"id_" + encoded(data), 3)


def test_random_bytes_seldom_do():
    draw = random.Random(6)
    runs = [encoded(draw.randbytes(60)) for _ in range(2000)]
    assert sum(begins(run, 0) for run in runs) < 120
    assert sum(begins(encoded(draw.randbytes(1200)), 0) for _ in range(300)) < 30


@pytest.mark.parametrize(
    ("text", "end", "named"),
    [
        (b"user_Yk9xQ0", 5, True),
        (b"/v1/users/Yk9xQ0", 10, True),
        (b"Bearer-aYk9xQ0", 7, True),
        (b"created_at_the_end", 8, False),
        (b"aB3xQz_Yk9xQ0", 7, False),
        (b"a_Yk9xQ0", 2, False),
    ],
)
def test_a_name_stands_before_what_is_none(text, end, named):
    assert is_name(text, end) is named
