"""Bodies of archives, writer by writer; whatever is lacking is said, with its entry."""

import base64
import gzip

import pytest

from audit.readers.har_body import BodyReader, text_bytes
from audit.readers.har_gaps import Gaps
from audit.tables.extract import Extract

BLOB = bytes(range(256))


class Reading:
    def __init__(self, *, is_mitmproxy: bool = False, resources: dict[str, bytes] | None = None):
        self.extract = Extract()
        self.reader = BodyReader(
            entry=7,
            gaps=Gaps("log.har", self.extract),
            resources=(resources or {}).get,
            is_mitmproxy=is_mitmproxy,
        )

    def request(self, asked: dict, headers=()) -> bytes | None:
        return self.reader.request(asked, headers)

    def answer(self, answered: dict, headers=(), method="GET", status=200) -> bytes | None:
        return self.reader.answer(answered, headers, method=method, status=status)

    @property
    def told(self) -> list[str]:
        return [text for _, text in self.extract.unread]


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ({"postData": {"mimeType": "text/plain", "text": "é"}}, "é".encode()),
        ({"postData": {"text": packed(BLOB), "encoding": "base64"}}, BLOB),
        ({"_content": {"text": packed(BLOB), "encoding": "base64", "size": 256}}, BLOB),
        ({"postData": {"text": "", "_file": "a.bin"}}, BLOB),
        ({"postData": {"_sha1": "a.bin"}}, BLOB),
        ({"postData": {"params": [{"name": "a b", "value": "c&"}]}}, b"a+b=c%26"),
        ({"postData": {"text": ""}, "bodySize": 0}, b""),
        ({"postData": "é"}, "é".encode()),
        ({"bodySize": -1}, b""),
        ({}, b""),
    ],
)
def test_bodies_of_requests(asked, body):
    reading = Reading(resources={"a.bin": BLOB})
    assert reading.request(asked) == body
    assert not reading.told


@pytest.mark.parametrize(
    ("asked", "headers", "why"),
    [
        ({"bodySize": 9}, (), "9 bytes"),
        ({"bodySize": -1}, ((b"Content-Length", b"12"),), "12 bytes"),
        ({"postData": {"mimeType": "application/octet-stream", "text": ""}}, (), "no size is told"),
        ({"_requestBodyStatus": "discarded:too-large"}, (), "discarded:too-large"),
        ({}, ((b"Transfer-Encoding", b"Chunked"),), "no size is told"),
        ({"postData": [1]}, (), "no size is told"),
    ],
)
def test_a_request_whose_body_was_left_out_is_a_gap(asked, headers, why):
    reading = Reading()
    assert reading.request(asked, headers) is None
    assert reading.extract.unread == [
        ("sent", f"log.har#7: the body of the request was left out ({why})")
    ]


@pytest.mark.parametrize(
    ("answered", "method", "status", "is_gap"),
    [
        ({"content": {"size": 9}}, "GET", 200, True),
        ({"content": {"size": -1}}, "GET", 200, True),
        ({"content": {"size": -1}, "bodySize": 9}, "GET", 200, True),
        ({"content": {"size": -1}, "bodySize": 0}, "GET", 200, False),
        ({"content": {"size": 0}}, "GET", 200, False),
        ({"content": {"size": 0, "text": ""}, "bodySize": 20}, "GET", 200, False),
        ({}, "GET", 200, True),
        ({"content": {"size": 9}}, "HEAD", 200, False),
        ({"content": {"size": -1}}, "GET", 304, False),
        ({"content": {"size": -1}}, "GET", 204, False),
        ({"content": {"size": -1}}, "GET", 101, False),
    ],
)
def test_an_answer_without_text_is_a_gap_unless_it_had_no_body(answered, method, status, is_gap):
    reading = Reading()
    assert reading.answer(answered, method=method, status=status) == (None if is_gap else b"")
    assert bool(reading.told) is is_gap


def test_what_the_writer_says_of_a_missing_body_is_told():
    reading = Reading()
    reading.answer({"content": {"size": 9, "comment": "responseBodiesNotIncluded"}})
    assert reading.told == [
        "log.har#7: the body of the answer was left out (9 bytes, responseBodiesNotIncluded)"
    ]


def test_a_body_in_a_file_that_is_not_there_is_a_gap():
    reading = Reading()
    assert reading.answer({"content": {"size": 9, "_file": "a.bin"}}) is None
    assert "a.bin" in reading.told[0]


@pytest.mark.parametrize(
    ("content", "is_cut"),
    [
        ({"text": "abc", "size": 9}, True),
        ({"text": packed(b"abc"), "encoding": "base64", "size": 4}, True),
        ({"text": "abc", "size": 3}, False),
        ({"text": "é", "size": 1}, False),  # one byte of latin-1
        ({"text": "abc", "size": 6}, False),  # a byte order mark
        ({"text": "abcdefgh", "size": 18, "mimeType": "text/html; charset=utf-16"}, False),
        ({"text": "abc", "size": -1}, False),
    ],
)
def test_a_body_that_is_shorter_than_it_was_is_a_gap(content, is_cut):
    reading = Reading()
    reading.answer({"content": content})
    assert bool(reading.told) is is_cut


def test_mitmproxy_tells_the_length_as_sent_and_what_the_coding_saved():
    reading = Reading(is_mitmproxy=True)
    reading.answer({"content": {"text": "abc" * 9, "size": 12, "compression": 15}})
    assert not reading.told
    reading.answer({"content": {"text": "abc" * 7, "size": 12, "compression": 15}})
    assert reading.told == ["log.har#7: a body was cut by the writer (21 of 27 bytes are there)"]


def test_what_is_no_base64_is_kept_as_it_stands_and_said():
    reading = Reading()
    assert reading.answer({"content": {"text": "a", "encoding": "base64"}}) == b"a"
    assert "no base64" in reading.told[0]


def test_mangled_bytes_are_said_to_be_lost():
    reading = Reading()
    reading.request({"postData": {"text": "x\ufffdy", "mimeType": "application/octet-stream"}})
    assert "lost bytes" in reading.told[0]


def test_a_file_that_a_form_lacks_is_a_gap():
    reading = Reading()
    params = [{"name": "f", "fileName": "a.jpg", "contentType": "image/jpeg"}]
    assert reading.request({"postData": {"params": params}}) == b"f=a.jpg"
    assert reading.told == ["log.har#7: a file in a form was left out (a.jpg)"]


def test_mitmproxys_text_of_octet_streams_is_one_character_a_byte():
    reading = Reading(is_mitmproxy=True)
    posted = {"text": BLOB.decode("latin-1"), "mimeType": "application/octet-stream"}
    assert reading.request({"postData": posted}) == BLOB


def test_escaped_surrogates_are_bytes_and_lone_ones_survive():
    assert text_bytes("\udcff") == b"\xff"
    assert text_bytes("\ud800") == b"\xed\xa0\x80"


@pytest.mark.parametrize(
    ("text", "headers", "is_cut"),
    [
        ("abc", {"Content-Length": "90"}, True),  # a file left out of a form (Chrome)
        ("abc", {"Content-Length": "90", "Content-Encoding": "gzip"}, False),
        ("abc", {"Content-Length": "3"}, False),
        ("a\nb\n", {"Content-Length": "6"}, False),  # lines ended with CRLF
        ("abc", {}, False),
    ],
)
def test_a_request_shorter_than_its_length_is_a_gap(text, headers, is_cut):
    reading = Reading()
    lines = tuple((name.encode(), value.encode()) for name, value in headers.items())
    reading.request({"postData": {"text": text}, "bodySize": len(text)}, lines)
    assert bool(reading.told) is is_cut


def test_an_answer_of_no_told_size_is_compared_with_its_length():
    reading = Reading()
    reading.answer({"content": {"text": "abc"}}, ((b"Content-Length", b"9"),))
    assert reading.told == ["log.har#7: a body was cut by the writer (3 of 9 bytes are there)"]


def test_bytes_written_a_letter_each_are_bytes_again():
    packed_bytes = gzip.compress(BLOB, mtime=0)
    for body, headers in (
        (packed_bytes, ()),
        (BLOB, ((b"content-length", b"256"),)),
    ):
        reading = Reading()
        assert reading.request({"postData": {"text": body.decode("latin-1")}}, headers) == body
        assert not reading.told
    text = "naïve"
    assert Reading().request({"postData": {"text": text}}) == text.encode()
