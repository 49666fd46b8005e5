from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.readers.http1 import NotHttp1Error, read_message
from audit.readers.http1_dialogue import read_dialogue
from audit.readers.http_names import METHODS, NAMES
from tests.readers import wire
from tests.readers.wire import TcpTalk

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /path?q=1&r=%41 HTTP/1.1\r\nHost: Example.ORG:8080\r\n\r\n"


def talk(folder, sent, received=b"", *, close=True, **options):
    made = TcpTalk(sport=8080, **options).open().sent(sent).received(received)
    return wire.read_talk(folder, made.close() if close else made)


def dialogue(sent, received, *, closed=True):
    return read_dialogue(sent, received, requests_closed=closed, responses_closed=closed)


def test_a_request_and_its_answer_on_any_port_are_rows(tmp_path):
    extract = talk(tmp_path, GET, OK)
    (request,), (response,) = extract.rows["http_requests"], extract.rows["http_responses"]
    assert (request["method"], request["path"], request["query"]) == ("GET", "/path", "q=1&r=%41")
    assert (request["host"], request["transport"]) == ("example.org", "plaintext")
    assert json.loads(request["headers"]) == {"host": "Example.ORG:8080"}
    assert (response["status"], response["path"], response["body_len"]) == (200, "/path", 2)
    assert extract.rows["conversations"][0]["host"] == "example.org"
    assert extract.truncated == []


def test_pipelined_requests_find_their_answers(tmp_path):
    sent = GET + GET.replace(b"/path", b"/two") + GET.replace(b"/path", b"/three")
    extract = talk(tmp_path, sent, OK + OK.replace(b"200", b"404") + OK)
    found = [(row["path"], row["status"]) for row in extract.rows["http_responses"]]
    assert found == [("/path", 200), ("/two", 404), ("/three", 200)]


@pytest.mark.parametrize(
    ("method", "head"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n"),
        (b"GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK),
    ],
)
def test_answers_without_body_leave_the_next_one_in_place(method, head):
    sent = b"%s /a HTTP/1.1\r\nHost: a\r\n\r\n" % method + GET
    found = dialogue(sent, head + OK)
    assert [exchange.response.complete for exchange in found.exchanges] == [True, True]
    assert found.exchanges[1].response.message.body == b"ok"
    assert found.response_problem is None


def test_chunked_bodies_are_joined_and_trailers_searched(tmp_path):
    body = b'4;ext=1\r\n{"b"\r\n5\r\n:[1]}\r\n0\r\nX-Sum: tail\r\n\r\n'
    sent = b"POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + body
    extract = talk(tmp_path, sent + GET, OK + OK)
    row = extract.rows["http_requests"][0]
    assert (row["json"], row["body_len"]) == ('{"b":[1]}', 9)
    assert len(extract.rows["http_requests"]) == 2
    start = sent.index(b"tail")
    name, trailer = [payload for payload in extract.payloads if payload.location == "trailer"]
    assert sent[name.ref.start : name.ref.end] == name.data == b"X-Sum"
    assert (trailer.data, trailer.ref.start, trailer.ref.part) == (b"tail", start, "tcp.sent")
    (joined,) = [p for p in extract.payloads if p.location == "body"]
    assert str(joined.ref) == "packets.pcapng#4:tcp.sent/body.0@0-9"


def test_a_body_without_length_runs_to_the_end_of_the_connection(tmp_path):
    received = b"HTTP/1.0 200 OK\r\n\r\neverything until FIN"
    extract = talk(tmp_path, GET, received)
    assert extract.rows["http_responses"][0]["body_len"] == 20
    assert extract.truncated == []
    assert talk(tmp_path, GET, received, close=False).unread


def test_content_codings_are_undone_for_the_json_column_only(tmp_path):
    packed = gzip.compress(b'{"k": "v"}')
    sent = b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    extract = talk(tmp_path, sent + packed)
    assert extract.rows["http_requests"][0]["json"] == '{"k":"v"}'
    (body,) = [payload for payload in extract.payloads if payload.location == "body"]
    assert (body.data, body.content_encoding) == (packed, ("gzip",))


def test_an_absolute_target_is_split_into_host_and_path(tmp_path):
    extract = talk(tmp_path, b"GET http://Far.example:81/x/y?z HTTP/1.1\r\nHost: proxy\r\n\r\n", OK)
    (row,) = extract.rows["http_requests"]
    assert (row["host"], row["path"], row["query"]) == ("far.example", "/x/y", "z")


def test_a_connect_is_no_request_and_what_is_in_the_tunnel_is_read(tmp_path):
    sent = b"CONNECT far.example:80 HTTP/1.1\r\nHost: far.example:80\r\n\r\n" + GET
    extract = talk(tmp_path, sent, b"HTTP/1.1 200 Established\r\n\r\n" + OK)
    (row,) = extract.rows["http_requests"]
    assert (row["method"], row["path"]) == ("GET", "/path")
    offset = sent.index(b"/path")
    tunnel, path = [payload for payload in extract.payloads if payload.location == "path"]
    assert (path.ref.part, path.ref.start) == ("tcp.sent", offset)
    assert (tunnel.table, tunnel.data) == ("conversations", b"far.example:80")


def test_an_answer_that_came_before_the_first_request_belongs_to_none(tmp_path):
    made = TcpTalk(sport=8080).received(OK.replace(b"200", b"201")).sent(GET).received(OK)
    extract = wire.read_talk(tmp_path, made)
    found = [(row["status"], row.get("path")) for row in extract.rows["http_responses"]]
    assert found == [(201, None), (200, "/path")]


def test_bytes_behind_http_are_searched_as_they_are(tmp_path):
    extract = talk(tmp_path, GET + b"\x00\x01not http", OK)
    (rest,) = [payload for payload in extract.payloads if payload.location == "payload"]
    assert (rest.data, rest.ref.start) == (b"\x00\x01not http", len(GET))


def test_a_cut_body_is_said(tmp_path):
    sent = b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nonly this"
    extract = talk(tmp_path, sent, close=False)
    assert extract.rows["http_requests"][0]["body_len"] == 9
    assert "is cut after 9 bytes of body" in extract.unread[0][1]
    assert extract.unread[0][0] == "sent"
    assert not extract.truncated


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length: -4",
        b"Content-Length: 4, 5",
        b"Content-Length: 0x4",
        "Content-Length: ４".encode(),
    ],
)
def test_a_length_that_is_no_number_is_no_http(line):
    with pytest.raises(NotHttp1Error):
        read_message(b"POST / HTTP/1.1\r\n" + line + b"\r\n\r\nbody", 0, "request")


def test_folded_and_odd_headers_keep_their_bytes_and_places():
    data = b"GET / HTTP/1.1\r\nA:  one \r\n\tfolded\r\nnocolon\r\nB:\r\nC: \xff\r\n\r\n"
    found = read_message(data, 0, "request")
    assert found.message.headers == (
        (b"A", b"one \r\n\tfolded"), (b"nocolon", b""), (b"B", b""), (b"C", b"\xff"),
    )  # fmt: skip
    for (_, value), start in zip(found.message.headers, found.starts, strict=True):
        assert data[start[1] : start[1] + len(value)] == value


def test_a_head_that_never_ends_is_no_http():
    with pytest.raises(NotHttp1Error):
        read_message(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 400_000, 0, "request")


def test_a_head_of_many_lines_is_bounded():
    data = b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 50_000 + b"\r\n"
    with pytest.raises(NotHttp1Error, match="header lines"):
        read_message(data, 0, "request")


@given(st.binary(max_size=300), st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read_or_left(sent, received, closed):
    found = dialogue(GET + sent, OK + received, closed=closed)
    assert found.exchanges[0].request.message.first_line.startswith(b"GET /path")
    assert found.request_end <= len(GET + sent)


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.lists(st.integers(1, 30), min_size=1, max_size=6),
)
def test_bodies_come_out_as_they_went_in_however_they_are_framed(bodies, sizes):
    sent = b""
    for index, body in enumerate(bodies):
        head = b"POST /%d HTTP/1.1\r\n" % index
        if index % 2:
            sent += head + b"Content-Length: %d\r\n\r\n" % len(body) + body
            continue
        step = sizes[index % len(sizes)]
        chunks = [body[at : at + step] for at in range(0, len(body), step)]
        framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        sent += head + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"
    found = dialogue(sent, b"")
    assert [exchange.request.message.body for exchange in found.exchanges] == bodies


def read_back(payload, sent):
    """The bytes that a payload's reference points at."""
    return sent[payload.ref.start : payload.ref.end]


def test_names_methods_and_reasons_of_nobody_elses_are_searched_where_they_stand(tmp_path):
    sent = (
        b"GIVE-canary-of-more-than-thirty-two-letters /x HTTP/1.1\r\nHost: a.example\r\nX-Canary: 1\r\nAccept: */*\r\n"
        b"Cookie: a=b; canary=1; alone\r\n\r\n"
    )
    received = b"HTTP/1.1 200 canary here\r\nX-Theirs: 1\r\nContent-Length: 0\r\n\r\n"
    extract = talk(tmp_path, sent, received)
    up = {p.data: p for p in extract.payloads if p.direction == "sent"}
    assert up.keys() == {
        b"GIVE-canary-of-more-than-thirty-two-letters", b"/x", b"a.example", b"X-Canary", b"1", b"*/*",
        b"a", b"b", b" canary", b" alone",
    }  # fmt: skip
    assert all(read_back(payload, sent) == data for data, payload in up.items())
    assert (up[b"X-Canary"].location, up[b"X-Canary"].detail) == ("header", "x-canary")
    assert (up[b" canary"].location, up[b" canary"].detail) == ("cookie", "canary")
    down = {p.data: p for p in extract.payloads if p.direction == "received"}
    assert down.keys() == {b"canary here", b"X-Theirs", b"1", b"0"}
    assert all(read_back(payload, received) == data for data, payload in down.items())


def test_what_stands_between_chunks_is_searched(tmp_path):
    sent = (
        b"POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'2;e="can\r\nab\r\n3;ary"\r\nabc\r\n0;last\r\nX-Cut: by the end of it'
    )
    extract = talk(tmp_path, sent)
    (found,) = [p for p in extract.payloads if p.detail == "chunk extension"]
    assert found.data == b';e="can\r\n;ary"\r\n;last\r\n'
    assert (found.table, str(found.ref).partition(":")[2]) == (
        "http_requests", f"tcp.sent/framing.0@0-{len(found.data)}"
    )  # fmt: skip
    assert b"by the end of it" in {p.data for p in extract.payloads if p.location == "trailer"}
    assert any("is cut" in said for _, said in extract.unread)


def test_a_value_folded_over_lines_is_searched_as_one_too(tmp_path):
    sent = b"GET / HTTP/1.1\r\nHost: a.example\r\nX-A: can\r\n\tar\r\n  y\r\n\r\n"
    extract = talk(tmp_path, sent)
    (joined,) = [p for p in extract.payloads if p.seams]
    assert (joined.data, joined.seams, joined.detail) == (b"canary", (3, 5), "x-a")
    assert joined.ref.part == f"tcp.sent/unfolded.{sent.index(b'can')}"


def test_all_of_a_connect_is_searched_as_part_of_its_conversation(tmp_path):
    sent = (
        b"CONNECT canary.example:443 HTTP/1.1\r\nHost: a.example\r\nX-Id: canary\r\n"
        b"Proxy-Authorization: Basic Y2FuYXJ5\r\nContent-Length: 4\r\n\r\nbody"
    )
    extract = talk(tmp_path, sent, b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
    up = {p.data: p for p in extract.payloads if p.direction == "sent"}
    assert {b"canary.example:443", b"canary", b"Basic Y2FuYXJ5", b"body"} <= up.keys()
    assert {p.table for p in up.values()} == {"conversations"}
    assert all(read_back(payload, sent) == data for data, payload in up.items())
    assert "http_requests" not in extract.rows


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        (b"Content-Length: 3\r\nContent-Length: 9", "its length is '3, 9'"),
        (b"Content-Length: x", "its length is 'x'"),
        (b"Content-Length: 3", "tcp.sent is no HTTP from byte"),
        (b"Content-Length: 9\r\nContent-Length: 9", ""),
    ],
)
def test_a_length_that_is_wrong_is_said(tmp_path, lengths, said):
    sent = b"POST / HTTP/1.1\r\nHost: a.example\r\n" + lengths + b"\r\n\r\nabc a val"
    extract = talk(tmp_path, sent)
    assert [said in text for text in extract.truncated] == ([True] if said else [])
    assert b"val" in b"".join(p.data for p in extract.payloads)


@pytest.mark.parametrize("final", [b"HTTP/1.1 204 No Content\r\n\r\n", b""])
def test_headers_of_interim_answers_are_searched(tmp_path, final):
    hints = b"HTTP/1.1 103 Early Hints\r\nX-Link: a value\r\n\r\n"
    answer = b"HTTP/1.1 100 Continue\r\nX-More: another\r\n\r\n" + hints
    made = TcpTalk().open().sent(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    extract = wire.read_talk(tmp_path, made.received(answer + final).close())
    found = {p.data: p for p in extract.payloads if p.direction == "received"}
    assert {b"a value", b"another"} <= set(found)
    ref = found[b"a value"].ref
    assert answer[ref.start : ref.end] == b"a value"
    assert len(extract.rows.get("http_responses", ())) == bool(final)


@given(
    st.lists(st.tuples(st.from_regex(rb"[!-9;-~]{1,9}", fullmatch=True), st.binary(max_size=9))),
    st.from_regex(rb"[A-Z]{1,8}", fullmatch=True),
)
def test_every_byte_of_a_head_that_is_no_common_word_is_in_some_payload(
    tmp_path_factory, pairs, method
):
    pairs = [(name, value.translate(None, b"\r\n")) for name, value in pairs]
    if any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in pairs):
        return
    sent = method + b" /a?b HTTP/1.1\r\n" + b"".join(n + b": " + v + b"\r\n" for n, v in pairs)
    sent += b"\r\n"
    extract = talk(tmp_path_factory.mktemp("head"), sent)
    found = [p for p in extract.payloads if p.direction == "sent" and not p.seams]
    assert all(read_back(payload, sent) == payload.data for payload in found)
    covered = {at for p in found for at in range(p.ref.start, p.ref.end)}
    left = bytes(byte for at, byte in enumerate(sent) if at not in covered)
    words = b" \t\r\n:?;=" + b"".join(n for n, _ in pairs if n.lower() in NAMES)
    words += b"HTTP/1." + (method if method in METHODS else b"")
    assert not left.translate(None, words)
