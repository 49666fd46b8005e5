import base64
import contextlib
import json
import random
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.har import HarOptions, read_har
from audit.tables.frames import make_frame
from tests.readers import dumps
from tests.readers.samples import samples

OPTIONS = HarOptions(capture="c1", file="log.har")


def entry(**more: object) -> dict:
    request = {
        "method": "POST",
        "url": "https://api.example/a?id=1",
        "httpVersion": "HTTP/1.1",
        "headers": [
            {"name": "Host", "value": "api.example"},
            {"name": "User-Agent", "value": "Client/1"},
        ],
        "bodySize": 8,
        "postData": {"mimeType": "application/json", "text": '{"a": 1}'},
    }
    response = {
        "status": 200,
        "statusText": "OK",
        "httpVersion": "HTTP/1.1",
        "headers": [],
        "content": {"size": 2, "mimeType": "text/plain", "text": "ok"},
    }
    request |= more.pop("request", {})  # type: ignore[arg-type]
    response |= more.pop("response", {})  # type: ignore[arg-type]
    return {
        "startedDateTime": "2026-01-01T01:00:00+01:00",
        "serverIPAddress": "198.51.100.7",
        "request": request,
        "response": response,
    } | more


def read(folder: Path, *entries: object, creator: str = "recorder"):
    path = folder / "log.har"
    log = {"log": {"version": "1.2", "creator": {"name": creator}, "entries": list(entries)}}
    path.write_text(json.dumps(log))
    return read_har(path, OPTIONS)


def bodies(found) -> list[bytes]:
    return [p.data for p in found.payloads if p.location in {"body", "response"}]


def test_an_entry_is_a_request_an_answer_and_a_conversation(tmp_path):
    found = read(tmp_path, entry())
    (request,), (answer,) = found.rows["http_requests"], found.rows["http_responses"]
    assert request["ref"] == "log.har#1:request.head"
    assert request["ts"] == "2026-01-01T00:00:00.000000Z"
    assert (request["host"], request["responder_ip"]) == ("api.example", "198.51.100.7")
    assert (request["path"], request["query"], request["json"]) == ("/a", "id=1", '{"a":1}')
    assert (request["user_agent"], request["transport"]) == ("Client/1", "tls-intercepted")
    assert (answer["status"], answer["body_len"]) == (200, 2)
    (conversation,) = found.rows["conversations"]
    assert (
        conversation["responder_port"],
        conversation.get("conversation", None),
    ) == (443, None)
    for table, rows in found.rows.items():
        make_frame(table, rows)


def test_mitmproxys_own_archive_gives_the_bytes_of_its_dump(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages that the add-ons import
        from mitmproxy.addons.savehar import SaveHar

    blob = bytes(range(256))
    flows = [
        dumps.http_flow(body=blob, headers=[(b"Content-Type", b"application/octet-stream")]),
        dumps.http_flow(body=b'{"k": "\xff"}', headers=[(b"Content-Type", b"application/json")]),
        dumps.http_flow(body="né".encode(), answer=blob),
    ]
    path = tmp_path / "log.har"
    path.write_text(json.dumps(SaveHar().make_har(flows)))
    found = read_har(path, OPTIONS)
    assert bodies(found) == [blob, b"{}", b'{"k": "\xff"}', b"{}", "né".encode(), blob]
    assert not found.truncated


def test_a_body_that_the_writer_left_out_is_a_gap_that_names_the_entry(tmp_path):
    gone = entry(request={"postData": None, "method": "DELETE"}, response={"content": {"size": 9}})
    found = read(tmp_path, gone, gone)
    assert found.unread == [
        ("sent", "log.har#1: the body of the request was left out (8 bytes)"),
        ("received", "log.har#1: the body of the answer was left out (9 bytes)"),
        ("sent", "log.har#2: the body of the request was left out (8 bytes)"),
        ("received", "log.har#2: the body of the answer was left out (9 bytes)"),
    ]
    assert not found.truncated
    assert found.rows["http_requests"][0]["body_len"] is None


def test_form_parameters_without_text_are_a_body(tmp_path):
    posted = {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [{"name": "a b", "value": "c&"}],
    }
    found = read(tmp_path, entry(request={"postData": posted}))
    assert bodies(found)[0] == b"a+b=c%26"


def test_base64_bodies_are_bytes(tmp_path):
    found = read(
        tmp_path,
        entry(
            response={
                "content": {"text": base64.b64encode(b"\x00\xff").decode(), "encoding": "base64"}
            }
        ),
    )
    assert bodies(found)[1] == b"\x00\xff"


def test_replacement_characters_are_said_to_be_lost_bytes(tmp_path):
    found = read(tmp_path, entry(response={"content": {"text": "a\ufffd"}}))
    ((direction, told),) = found.unread
    assert direction == "received"
    assert told.startswith("log.har#1: the writer lost bytes of a body")


def test_a_text_of_the_right_length_has_its_replacement_characters_from_the_server(tmp_path):
    found = read(tmp_path, entry(response={"content": {"text": "a\ufffd", "size": 4}}))
    assert not found.unread


def test_a_body_is_not_decoded_twice(tmp_path):
    headers = [{"name": "Content-Encoding", "value": "gzip"}]
    found = read(tmp_path, entry(response={"headers": headers}))
    (body,) = [p for p in found.payloads if p.location == "response"]
    assert body.content_encoding == ()
    assert found.rows["http_responses"][0]["content"] == "readable"


def test_a_blocked_request_has_no_answer(tmp_path):
    assert "http_responses" not in read(tmp_path, entry(response={"status": 0})).rows


def test_what_never_left_the_browser_is_no_row(tmp_path):
    assert not read(tmp_path, entry(request={"url": "data:text/plain,x"})).rows


def test_websocket_messages_are_rows(tmp_path):
    found = read(
        tmp_path,
        entry(
            _webSocketMessages=[
                {"type": "send", "time": 1_767_225_600.5, "opcode": 1, "data": "hi"},
                {"type": "receive", "time": 1_767_225_601, "opcode": 2, "data": "AAE="},
            ]
        ),
    )
    rows = found.rows["websocket_messages"]
    assert [(r["direction"], r["opcode"], r["body_len"]) for r in rows] == [
        ("sent", "text", 2),
        ("received", "binary", 2),
    ]
    assert rows[0]["ts"] == "2026-01-01T00:00:00.500000Z"


def test_headers_may_be_pairs_and_the_file_may_start_with_a_mark(tmp_path):
    path = tmp_path / "log.har"
    log = {"log": {"entries": [entry(request={"headers": [["Host", "pair.example"]]})]}}
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(log).encode())
    assert read_har(path, OPTIONS).rows["http_requests"][0]["host"] == "pair.example"


def test_an_entry_that_cannot_be_read_is_said(tmp_path):
    found = read(tmp_path, entry(), {"request": 7}, "x")
    assert len(found.rows["http_requests"]) == 1
    assert [text.partition(":")[0] for text in found.truncated] == ["log.har#2", "log.har#3"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"log": 1}', '{"log": {}}', "[" * 100_000])
def test_what_is_no_archive_is_refused(tmp_path, text):
    path = tmp_path / "log.har"
    path.write_text(text)
    with pytest.raises(CaptureError):
        read_har(path, OPTIONS)


def test_an_archive_beyond_the_bound_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("audit.readers.har_archive.MAX_BYTES", 10)
    with pytest.raises(CaptureError, match="larger"):
        read(tmp_path, entry())


@given(st.data())
def test_any_value_anywhere_gives_rows_or_one_error(tmp_path_factory, data):
    made = entry(_webSocketMessages=[{"type": "send", "opcode": 1, "data": "x", "time": 1}])
    place: dict = made
    value = data.draw(
        st.none()
        | st.integers()
        | st.text(max_size=8)
        | st.lists(st.none() | st.text(max_size=3), max_size=2)
        | st.dictionaries(
            st.sampled_from(["text", "name", "size", "status"]), st.none() | st.text(max_size=3)
        )
    )
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = value
        break
    found = read(tmp_path_factory.mktemp("any"), made)
    for table, rows in found.rows.items():
        make_frame(table, rows)


def test_what_an_archive_lists_apart_is_searched_too(tmp_path):
    found = read(
        tmp_path,
        entry(
            request={
                "url": "https://me:s-7@c-9.example/a",
                "queryString": [{"name": "q", "value": "q-7"}],
                "cookies": [{"name": "id", "value": "c-7"}],
            },
            response={"cookies": [{"name": "s", "value": "s-8"}]},
        ),
    )
    listed = {p.data: (p.location, p.direction, str(p.ref)) for p in found.payloads}
    assert listed[b"q-7"] == ("query", "sent", "log.har#1:request.listed.2")
    assert listed[b"c-7"][:2] == ("cookie", "sent")
    assert listed[b"s-8"][:2] == ("cookie", "received")
    assert listed[b"me:s-7"] == ("header", "sent", "log.har#1:request.user")
    assert listed[b"c-9.example"] == ("header", "sent", "log.har#1:request.host")


def test_a_host_that_a_header_shows_is_searched_there_alone(tmp_path):
    headers = [{"name": ":authority", "value": "API.example"}]
    found = read(tmp_path, entry(request={"url": "https://api.example/a", "headers": headers}))
    assert [p.data.lower() for p in found.payloads].count(b"api.example") == 1


def test_what_came_from_the_cache_is_no_request(tmp_path):
    found = read(tmp_path, entry(), entry(_fromCache="disk"))
    assert len(found.rows["http_requests"]) == 1
    assert any("1 entries were answered from the browser's cache" in text for text in found.limits)


def test_a_stopped_request_is_a_row_and_said(tmp_path):
    found = read(tmp_path, entry(response={"status": 0, "_error": "net::ERR_BLOCKED_BY_CLIENT"}))
    assert len(found.rows["http_requests"]) == 1
    assert "http_responses" not in found.rows
    assert any("stopped or answered by the recording program" in text for text in found.limits)


def test_a_socket_without_messages_is_a_gap(tmp_path):
    found = read(tmp_path, entry(request={"url": "wss://api.example/s"}, response={"status": 101}))
    assert found.truncated == ["log.har#1: messages of a WebSocket were not recorded"]


def test_a_sanitized_archive_of_chrome_is_said(tmp_path):
    assert "sanitized" in read(tmp_path, entry(), creator="WebInspector").unread[0][1]
    cookie = {"headers": [{"name": "cookie", "value": "a=1"}]}
    assert not read(tmp_path, entry(request=cookie), creator="WebInspector").unread


@pytest.mark.parametrize(("creator", "word"), [("mitmproxy", "UDP"), ("Playwright", "octet")])
def test_what_a_writer_never_keeps_is_a_limit(tmp_path, creator, word):
    assert any(word in text for text in read(tmp_path, entry(), creator=creator).limits)


def test_playwrights_zip_with_attached_bodies_is_read(tmp_path):
    made = entry(
        request={"bodySize": 2, "postData": {"mimeType": "a/b", "text": "", "_file": "q.bin"}},
        response={"content": {"size": 2, "_file": "r.bin"}},
    )
    path = tmp_path / "log.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("har.har", json.dumps({"log": {"entries": [made]}}))
        file.writestr("q.bin", b"\x00\xff")
        file.writestr("r.bin", b"ok")
    found = read_har(path, OPTIONS)
    assert bodies(found) == [b"\x00\xff", b"ok"]
    assert not found.unread


def test_a_conversation_lasts_from_its_first_to_its_last_entry_whatever_their_order(tmp_path):
    late = entry(startedDateTime="2026-01-01T03:00:00Z")
    (row,) = read(tmp_path, late, entry()).rows["conversations"]
    assert (row["first_seen"][11:13], row["last_seen"][11:13]) == ("00", "03")


def test_the_authority_of_http2_names_the_host(tmp_path):
    headers = [{"name": ":authority", "value": "front.example"}]
    (row,) = read(tmp_path, entry(request={"headers": headers})).rows["http_requests"]
    assert row["host"] == "front.example"
    assert ":authority" not in row["headers"]


def test_a_million_headers_of_one_name_take_no_more_than_their_number(tmp_path):
    headers = [["X", "v"]] * 100_000
    found = read(tmp_path, entry(request={"headers": headers}))
    assert len(json.loads(found.rows["http_requests"][0]["headers"])["x"]) == 300_000 - 2


@pytest.mark.parametrize(
    "path", samples("*.har", "*.zhar", "*har_files*.json"), ids=lambda path: path.name
)
def test_samples_damaged_anywhere_give_rows_or_one_error(path, tmp_path):
    draw = random.Random(path.name)
    data = path.read_bytes()
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(draw.randint(1, 6)):
            at = draw.randrange(len(broken))
            choice = draw.random()
            if choice < 0.5:
                broken[at] = draw.randrange(256)
            elif choice < 0.75:
                del broken[at : at + draw.randint(1, 40)]
            else:
                broken[at:at] = draw.choice([b"null", b"[", b"{}", b"-1e999", b'"', b"9" * 400])
            broken = broken or bytearray(b"x")
        target = tmp_path / "log.har"
        target.write_bytes(broken)
        with contextlib.suppress(CaptureError):
            for table, rows in read_har(target, OPTIONS).rows.items():
                make_frame(table, rows)


def test_a_gap_reaches_what_checks_are_told_of_the_capture(tmp_path):
    from audit.evidence.imports import import_file

    gone = entry(response={"content": {"size": 9}})
    socket = entry(request={"url": "wss://a.example/"}, response={"status": 101})
    path = tmp_path / "log.har"
    path.write_text(json.dumps({"log": {"entries": [gone, socket]}}))
    evidence = import_file(path)
    assert [(body.direction, body.text) for body in evidence.unread] == [
        ("received", "log.har#1: the body of the answer was left out (9 bytes)")
    ]
    (tap,) = evidence.taps
    assert tap.truncated == ("log.har#2: messages of a WebSocket were not recorded",)
    told = evidence.coverage["truncated"]
    assert evidence.unread[0].text in told
    assert tap.truncated[0] in told
