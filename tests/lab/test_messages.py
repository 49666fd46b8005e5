"""HTTP messages: what is read, what is refused."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.lab.messages import (
    MAX_HEAD_BYTES,
    BadMessageError,
    Request,
    Response,
    read_request,
    read_response,
)


class NoWriter:
    """Takes what a reader writes before the body comes."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def feed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=MAX_HEAD_BYTES)
    reader.feed_data(data)
    reader.feed_eof()
    return reader


def parse(data: bytes, writer: Any = None) -> list[Request]:
    async def run() -> list[Request]:
        reader = feed(data)
        found: list[Request] = []
        while request := await read_request(
            reader, writer or NoWriter(), scheme="http", peer="192.0.2.1:1"
        ):
            found.append(request)
        return found

    return asyncio.run(run())


def parse_response(data: bytes) -> tuple[Response, bool]:
    async def run() -> tuple[Response, bool]:
        return await read_response(feed(data))

    return asyncio.run(run())


def test_requests_follow_one_another_on_a_connection() -> None:
    first, second = parse(
        b"POST /a?b=c HTTP/1.1\r\nHost: h.example\r\nContent-Length: 3\r\n\r\nxyz"
        b"GET / HTTP/1.0\r\n\r\n"
    )
    assert (first.method, first.path, first.query, first.body) == ("POST", "/a", "b=c", b"xyz")
    assert first.keeps_alive
    assert not second.keeps_alive


def test_bodies_in_chunks_are_joined() -> None:
    (request,) = parse(
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: v\r\n\r\n"
    )
    assert request.body == b"Wikipedia"


def test_who_expects_a_go_ahead_gets_it() -> None:
    writer = NoWriter()
    parse(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", writer)
    assert writer.data == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nContent-Length: 10\r\n\r\nshort", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_with_its_status(data: bytes, status: int) -> None:
    with pytest.raises(BadMessageError) as caught:
        parse(data)
    assert caught.value.status == status


def test_answers_carry_date_and_length() -> None:
    raw = Response(status=421, body=b"x", headers=(("X-A", "b"),)).to_bytes()
    assert raw.startswith(b"HTTP/1.1 421 Misdirected Request\r\nDate: ")
    response, reusable = parse_response(raw)
    assert (response.status, response.body, reusable) == (421, b"x", True)


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    response, reusable = parse_response(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    assert (response.body, reusable) == (b"all of it", False)


@given(st.binary(max_size=400))
def test_any_bytes_give_requests_or_the_one_error(data: bytes) -> None:
    for prefix in (
        b"",
        b"GET / HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ):
        try:
            parse(prefix + data)
        except BadMessageError:
            continue


@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer_or_the_one_error(data: bytes) -> None:
    for prefix in (b"", b"HTTP/1.1 200 OK\r\n"):
        try:
            parse_response(prefix + data)
        except BadMessageError:
            continue
