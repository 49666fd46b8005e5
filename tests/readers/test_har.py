import base64
import json
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.har import HarOptions, read_har
from audit.tables.frames import make_frame
from tests.readers import dumps

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


def read(folder: Path, *entries: object, creator: str = "WebInspector"):
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


def test_a_body_that_the_writer_left_out_is_a_gap(tmp_path):
    gone = entry(request={"postData": None, "method": "DELETE"}, response={"content": {"size": 9}})
    found = read(tmp_path, gone, gone)
    assert found.truncated == [
        "log.har: 2 answers have no body in the archive although one came",
        "log.har: 2 requests have no body in the archive although one was sent",
    ]
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
    assert "lost by the writer" in found.truncated[0]


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
    monkeypatch.setattr("audit.readers.har.MAX_BYTES", 10)
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
