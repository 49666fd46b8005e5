import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.readers.header_lines import header_object, lines_of, text
from audit.readers.http_message import HttpMessage, host_name, split_target


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("API.Example", "api.example"),
        ("api.example.:443", "api.example"),
        ("user:pass@api.example:1", "api.example"),
        ("198.51.100.7", None),
        ("198.51.100.7:80", None),
        ("[2001:db8::1]:443", None),
        ("2001:db8::1", None),
        ("", None),
        (None, None),
        (":80", None),
    ],
)
def test_host_is_a_name_and_never_an_address(authority, host):
    assert host_name(authority) == host


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("/a?b=c", ("/a", "b=c")),
        ("/a?b?c", ("/a", "b?c")),
        ("http://api.example/a?b", ("/a", "b")),
        ("http://api.example", ("/", "")),
        ("*", ("*", "")),
        ("/http://x", ("/http://x", "")),
    ],
)
def test_targets_split_into_path_and_query(target, parts):
    assert split_target(target) == parts


def test_headers_of_one_name_are_joined_in_order():
    headers = (
        (b"Accept", b"a"),
        (b"ACCEPT", b"b"),
        (b"Cookie", b"x"),
        (b"Cookie", b"y"),
        (b":path", b"/"),
    )
    assert json.loads(header_object(lines_of(headers))) == {"accept": "a, b", "cookie": "x; y"}


def test_text_that_is_no_utf8_is_kept_byte_for_byte():
    assert text(b"\xff\xfe").encode("latin-1") == b"\xff\xfe"


def test_the_head_is_canonical():
    message = HttpMessage(
        side="request", first_line=b"GET / HTTP/1.1", headers=((b"A", b"b"),), body=b""
    )
    assert message.head == b"GET / HTTP/1.1\r\nA: b\r\n\r\n"


def test_codings_stand_in_the_order_they_were_applied():
    message = HttpMessage(
        side="request",
        first_line=b"",
        headers=((b"Content-Encoding", b"GZIP, identity"), (b"content-encoding", b"br")),
        body=b"",
    )
    assert message.encodings == ("gzip", "br")


@given(st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=4))
def test_any_headers_are_json(headers):
    json.loads(header_object(lines_of(tuple(headers))))


@given(st.text(max_size=30))
def test_any_authority_is_a_name_or_none(authority):
    host = host_name(authority)
    assert host is None or host == host.lower()
