import contextlib
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.io import tnetstring

from audit.errors import CaptureError
from audit.readers import mitm
from audit.readers.flow_rows import FlowRows
from audit.readers.flow_state import Flow
from audit.readers.mitm import FlowOptions, read_flows
from audit.tables.extract import Extract
from audit.tables.frames import make_frame
from audit.tables.reference import Reference
from tests.readers import dumps, live_proxy
from tests.readers.samples import samples

OPTIONS = FlowOptions(capture="c1")


def read(folder: Path, *flows) -> Extract:
    return read_flows(dumps.write_dump(folder, *flows), OPTIONS)


def only(extract: Extract, table: str) -> dict:
    (row,) = extract.rows[table]
    return row


def test_an_exchange_is_a_request_an_answer_and_a_conversation(tmp_path):
    found = read(tmp_path, dumps.http_flow())
    request, answer = only(found, "http_requests"), only(found, "http_responses")
    assert request["ref"] == "flows.mitm#1:request.head"
    assert request["ts"] == "2023-11-14T22:13:20.750000Z"
    assert request["conversation"] == "tcp 192.0.2.10:40000 > 198.51.100.7:443"
    assert (request["method"], request["path"], request["query"]) == ("POST", "/path", "id=1")
    assert (request["host"], request["responder_ip"]) == ("api.example", "198.51.100.7")
    assert request["user_agent"] == "Client/1"
    assert request["json"] == '{"a":[true],"b":1}'
    assert (request["body_len"], request["content"]) == (21, "readable")
    assert request["transport"] == "tls-intercepted"
    assert json.loads(request["headers"]) == {"host": "api.example", "user-agent": "Client/1"}
    assert answer["ref"] == "flows.mitm#1:response.head"
    assert (answer["status"], answer["path"], answer["method"]) == (200, "/path", "POST")
    conversation = only(found, "conversations")
    assert conversation["ref"] == "flows.mitm#1"
    assert conversation["transport"] == "tls-intercepted"
    assert conversation["responder_port"] == 443
    assert conversation["payload_bytes"] > 21
    for table, rows in found.rows.items():
        assert len(make_frame(table, rows)) == len(rows)


def test_one_conversation_a_client_connection_and_server(tmp_path):
    kept = dumps.client()
    other = dumps.client(("192.0.2.10", 40_001), tls=False)
    found = read(
        tmp_path,
        dumps.http_flow(client_conn=kept),
        dumps.http_flow(client_conn=kept),
        dumps.http_flow(client_conn=other),
    )
    assert [row["transport"] for row in found.rows["conversations"]] == [
        "tls-intercepted",
        "plaintext",
    ]


def test_a_flow_without_an_answer_is_a_row_all_the_same(tmp_path):
    found = read(tmp_path, dumps.http_flow(status=None, error="server disconnected"))
    assert only(found, "http_requests")["path"] == "/path"
    assert "http_responses" not in found.rows


def test_a_body_that_was_not_kept_is_said(tmp_path):
    found = read(tmp_path, dumps.http_flow(body=None))
    assert only(found, "http_requests")["body_len"] is None
    assert found.unread == [("sent", "flows.mitm#1: the body of the request was not kept")]
    assert not found.truncated


def test_connect_and_proxy_credentials_are_in_no_row_and_searched(tmp_path):
    secret = b"Basic c2VjcmV0"
    through = dumps.http_flow(headers=[(b"Host", b"api.example"), (b"Proxy-Authorization", secret)])
    through.metadata["proxyauth"] = ("audit", "secret")
    connect = dumps.http_flow(
        method="CONNECT",
        path="",
        authority="canary.example:443",
        body=b"b",
        headers=[(b"X-C", b"1")],
    )
    found = read(tmp_path, through, connect)
    assert len(found.rows["http_requests"]) == 1
    assert "secret" not in repr(found)
    assert secret.decode() not in repr(found.rows)
    assert secret in [payload.data for payload in found.payloads]
    tunnel = {p.data for p in found.payloads if (p.table, p.direction) == ("conversations", "sent")}
    assert tunnel == {b"X-C", b"1", b"b", b"canary.example:443"}
    assert "proxy-authorization" not in only(found, "http_requests")["headers"]


def test_every_part_is_searched_and_points_at_its_bytes(tmp_path):
    flow = dumps.http_flow(
        path="/a/b?id=1&x",
        headers=[(b"Host", b"api.example"), (b"X-Id", b"abc"), (b"Cookie", b"s=1; t=2")],
        body=b"body",
        trailers=[(b"X-End", b"end")],
        answer=b"answer",
        answer_headers=[(b"Set-Cookie", b"s=2; Path=/")],
    )
    found = read(tmp_path, flow)
    listed = {(p.location, p.detail, p.direction): p for p in found.payloads}
    assert {key: p.data for key, p in listed.items()} == {
        ("path", "", "sent"): b"/a/b",
        ("query", "", "sent"): b"id=1&x",
        ("header", "host", "sent"): b"api.example",
        ("header", "x-id", "sent"): b"abc",
        ("cookie", "s", "sent"): b"1",
        ("cookie", "t", "sent"): b"2",
        ("body", "", "sent"): b"body",
        ("trailer", "x-end", "sent"): b"end",
        ("cookie", "s", "received"): b"s=2; Path=/",
        ("response", "", "received"): b"answer",
    }
    head = (
        b"POST /a/b?id=1&x HTTP/1.1\r\nHost: api.example\r\nX-Id: abc\r\nCookie: s=1; t=2\r\n\r\n"
    )
    for payload in found.payloads:
        if payload.ref.part == "request.head":
            assert head[payload.ref.start : payload.ref.end] == payload.data
    assert listed["body", "", "sent"].ref == Reference(
        file="flows.mitm", records=(1,), part="request.body"
    )


def test_content_codings_are_undone_for_json_and_kept_for_the_search(tmp_path):
    import gzip

    packed = gzip.compress(b'{"id": 7}', mtime=0)
    found = read(tmp_path, dumps.http_flow(body=packed, headers=[(b"Content-Encoding", b"gzip")]))
    row = only(found, "http_requests")
    assert (row["json"], row["body_len"]) == ('{"id":7}', len(packed))
    (body,) = [p for p in found.payloads if p.location == "body"]
    assert (body.data, body.content_encoding) == (packed, ("gzip",))


def test_a_bare_address_has_no_host(tmp_path):
    found = read(tmp_path, dumps.http_flow(headers=[(b"Host", b"198.51.100.7:443")]))
    assert only(found, "http_requests")["host"] is None


def test_the_name_in_the_handshake_stands_in_for_a_missing_host_header(tmp_path):
    flow = dumps.http_flow(headers=[], client_conn=dumps.client(sni="sni.example"))
    assert only(read(tmp_path, flow), "http_requests")["host"] == "sni.example"


def test_an_explicit_proxy_names_the_server_that_the_client_named(tmp_path):
    flow = dumps.http_flow(
        client_conn=dumps.client(mode="regular"), server_conn=dumps.server(("api.example", 443))
    )
    flow.server_conn.peername = ("198.51.100.7", 443)
    row = only(read(tmp_path, flow), "conversations")
    assert row["conversation"] == "tcp 192.0.2.10:40000 > api.example:443"
    assert (row["host"], row["responder_ip"]) == ("api.example", "198.51.100.7")


def test_a_stand_in_on_loopback_gives_a_named_server_no_address(tmp_path):
    flow = dumps.http_flow(server_conn=dumps.server(("api.example", 443)))
    flow.server_conn.peername = ("127.0.0.1", 5000)
    assert only(read(tmp_path, flow), "http_requests")["responder_ip"] is None


def test_behind_an_upstream_proxy_the_server_sees_that_proxy(tmp_path):
    found = read(tmp_path, dumps.http_flow(server_conn=dumps.upstream()))
    assert only(found, "http_requests")["seen_as"] == "proxy"


def test_websocket_messages_are_rows_in_order(tmp_path):
    flow = dumps.http_flow(
        status=101,
        messages=[(1, True, b'{"id": 1}'), (2, False, b"\x00\x01")],
        closing=(True, 1000, "bye"),
    )
    found = read(tmp_path, flow)
    rows = found.rows["websocket_messages"]
    assert [(r["direction"], r["opcode"], r["body_len"]) for r in rows] == [
        ("sent", "text", 9),
        ("received", "binary", 2),
        ("sent", "close", 5),
    ]
    assert rows[0]["ref"] == "flows.mitm#1:websocket.1"
    assert rows[0]["json"] == '{"id":1}'
    assert [p.data for p in found.payloads if p.location == "websocket"] == [
        b'{"id": 1}', b"\x00\x01", b"\x03\xe8bye",
    ]  # fmt: skip


def test_messages_that_nobody_sent_are_no_rows(tmp_path):
    flow = dumps.http_flow(status=101, messages=[(1, True, b"put in")])
    flow.websocket.messages[0].injected = True
    assert "websocket_messages" not in read(tmp_path, flow).rows


def test_a_tcp_stream_is_searched_whole_and_datagrams_one_by_one(tmp_path):
    parts = [(True, b"hel"), (True, b"lo"), (False, b"it's me")]
    found = read(tmp_path, dumps.stream_flow(parts), dumps.stream_flow(parts, proto="udp"))
    (joined,) = [p for p in found.payloads if p.seams]
    assert (joined.data, joined.seams, str(joined.ref)) == (
        b"hello", (3,), "flows.mitm#2:udp.sent@0-5"
    )  # fmt: skip
    assert [(p.data, str(p.ref)) for p in found.payloads if not p.seams] == [
        (b"hello", "flows.mitm#1:tcp.sent@0-5"),
        (b"it's me", "flows.mitm#1:tcp.received@0-7"),
        (b"hel", "flows.mitm#2:udp.sent@0-3"),
        (b"lo", "flows.mitm#2:udp.sent@3-5"),
        (b"it's me", "flows.mitm#2:udp.received@0-7"),
    ]
    assert [row["proto"] for row in found.rows["conversations"]] == ["tcp", "udp"]


def test_a_name_look_up_is_a_row_with_its_answers(tmp_path):
    found = read(tmp_path, dumps.dns_flow("API.example"))
    row = only(found, "dns_queries")
    assert (row["name"], row["qtype"], row["server"]) == ("api.example", "A", "198.51.100.53")
    assert row["answers"] == ("edge.example", "198.51.100.7")
    assert row["protocol"] == "udp"
    assert [p.data for p in found.payloads] == [b"API.example"]


def test_rows_before_a_cut_are_kept_and_the_cut_is_said(tmp_path):
    whole = dumps.dump([dumps.http_flow(), dumps.http_flow()])
    path = tmp_path / "flows.mitm"
    path.write_bytes(whole[:-7])
    found = read_flows(path, OPTIONS)
    assert len(found.rows["http_requests"]) == 1
    (told,) = found.truncated
    assert told.startswith("flows.mitm ends in the middle of a flow: the record at byte ")


def test_rows_before_garbage_are_kept_and_the_place_is_said(tmp_path):
    path = dumps.write_dump(tmp_path, dumps.http_flow())
    path.write_bytes(path.read_bytes() + b"garbage")
    found = read_flows(path, OPTIONS)
    assert len(found.rows["http_requests"]) == 1
    assert "cannot be read beyond flow 1" in found.truncated[0]


def test_a_file_that_is_no_dump_is_refused(tmp_path):
    path = tmp_path / "flows.mitm"
    path.write_bytes(b"<html>")
    with pytest.raises(CaptureError, match="no dump of mitmproxy"):
        read_flows(path, OPTIONS)


def test_an_empty_dump_has_no_rows(tmp_path):
    assert read(tmp_path).rows == {}


def test_a_newer_format_is_refused_by_name(tmp_path):
    state = dumps.http_flow().get_state() | {"version": 22}
    path = tmp_path / "flows.mitm"
    path.write_bytes(tnetstring.dumps(state))
    with pytest.raises(CaptureError, match="flow format 22 is newer than 21"):
        read_flows(path, OPTIONS)


def test_an_older_format_is_migrated_by_mitmproxy_itself(tmp_path):
    now = read(tmp_path, dumps.http_flow())
    state = dumps.http_flow().get_state() | {"version": 20}
    path = tmp_path / "old.mitm"
    path.write_bytes(tnetstring.dumps(state))
    assert read_flows(path, OPTIONS).rows == now.rows


def test_the_version_known_here_is_the_one_that_the_installed_mitmproxy_writes():
    from mitmproxy.version import FLOW_FORMAT_VERSION

    assert mitm.FLOW_VERSION == FLOW_FORMAT_VERSION


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_one_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "flows.mitm"
    path.write_bytes(data)
    with contextlib.suppress(CaptureError):
        read_flows(path, OPTIONS)


hostile = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**12)
    | st.binary(max_size=9)
    | st.text("ab:/", max_size=6),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_any_value_anywhere_in_a_flow_gives_rows_or_one_error(tmp_path_factory, data):
    kind = data.draw(st.sampled_from(["http", "tcp", "dns", "websocket"]))
    flow = {
        "http": dumps.http_flow,
        "tcp": lambda: dumps.stream_flow([(True, b"x")]),
        "dns": lambda: dumps.dns_flow("a.example"),
        "websocket": lambda: dumps.http_flow(messages=[(1, True, b"x")], closing=(True, 1000, "")),
    }[kind]()
    state = flow.get_state()
    place = state
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(hostile)
        break
    state["version"] = data.draw(st.sampled_from([21, 21, 21, 20, 4]))
    path = tmp_path_factory.mktemp("hostile") / "flows.mitm"
    path.write_bytes(tnetstring.dumps(state))
    try:
        found = read_flows(path, OPTIONS)
    except CaptureError:
        return
    for table, rows in found.rows.items():
        make_frame(table, rows)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Extract:
    path = live_proxy.record(tmp_path_factory.mktemp("live"))
    return read_flows(path, OPTIONS)


def test_what_a_real_mitmdump_recorded_is_read(recorded):
    rows = recorded.rows["http_requests"]
    assert [(r["method"], r["path"], r["transport"]) for r in rows] == [
        ("POST", "/plain", "plaintext"),
        ("POST", "/gone", "plaintext"),
        ("POST", "/secure/1", "tls-intercepted"),
        ("POST", "/secure/2", "tls-intercepted"),
    ]
    assert {r["responder_ip"] for r in rows} == {"127.0.0.1"}
    assert len(recorded.rows["conversations"]) == 3
    assert [r["status"] for r in recorded.rows["http_responses"]] == [200, 200, 200]
    bodies = [p.data for p in recorded.payloads if p.location == "body"]
    assert bodies == [b'{"id": 1}', b'{"id": 1}', b"x", b"xx"]


def test_rows_agree_with_mitmproxys_own_reader(tmp_path):
    from mitmproxy.io import FlowReader

    path = dumps.write_dump(
        tmp_path, *(dumps.http_flow(path=f"/{n}", body=bytes([n]) * n) for n in range(1, 20))
    )
    found = read_flows(path, OPTIONS)
    with path.open("rb") as file:
        theirs = list(FlowReader(file).stream())
    assert [(r["path"], r["body_len"], r["status"]) for r in found.rows["http_responses"]] == [
        (f.request.path, len(f.response.raw_content), f.response.status_code) for f in theirs
    ]
    assert [p.data for p in found.payloads if p.location == "body"] == [
        f.request.raw_content for f in theirs
    ]


def test_names_and_the_authority_are_searched(tmp_path):
    flow = dumps.http_flow(
        headers=[(b"X-Canary", b"1"), (b"Cookie", b"canary=1")],
        authority="user@canary.example",
        trailers=[(b"X-Tail", b"2")],
    )
    found = [p for p in read(tmp_path, flow).payloads if p.direction == "sent"]
    head = b"POST /path?id=1 HTTP/1.1\r\nX-Canary: 1\r\nCookie: canary=1\r\n\r\n"
    by_data = {(p.location, p.data): p.ref for p in found}
    for place, data in (("header", b"X-Canary"), ("cookie", b"canary")):
        ref = by_data[place, data]
        assert (ref.part, head[ref.start : ref.end]) == ("request.head", data)
    assert str(by_data["trailer", b"X-Tail"]) == "flows.mitm#1:request.trailers@0-6"
    authority = by_data["header", b"user@canary.example"]
    assert str(authority) == "flows.mitm#1:request.authority@0-19"


def test_names_that_no_header_has_are_searched_once(tmp_path):
    carrier = dumps.client(sni="Canary.example")
    flow = dumps.http_flow(headers=[], client_conn=carrier)
    flow.request.host = "dialled.example"
    stream = dumps.stream_flow([(True, b"x")], client_conn=dumps.client(sni="tcp.example"))
    named = dumps.http_flow(
        headers=[(b"Host", b"canary.example")], client_conn=dumps.client(sni="canary.example")
    )
    named.request.host = "canary.example"
    found = read(tmp_path, flow, stream, named)
    names = [(p.location, p.data, str(p.ref)) for p in found.payloads if b".example" in p.data]
    assert names == [
        ("sni", b"Canary.example", "flows.mitm#1:tls.sni@0-14"),
        ("header", b"dialled.example", "flows.mitm#1:request.host@0-15"),
        ("sni", b"tcp.example", "flows.mitm#2:tls.sni@0-11"),
        ("header", b"canary.example", "flows.mitm#3:request.head@32-46"),
    ]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"headers": [(b"Content-Length", b"9")], "body": b"abc"}, ["sent"]),
        ({"headers": [(b"Content-Length", b"3")], "body": b"abc"}, []),
        ({"answer_headers": [(b"Content-Length", b"9")], "answer": b""}, ["received"]),
        ({"answer_headers": [(b"Content-Length", b"9")], "answer": b"", "method": "HEAD"}, []),
        ({"answer_headers": [(b"Content-Length", b"9")], "answer": b"", "status": 304}, []),
        ({"answer_headers": [(b"Content-Length", b"x")], "answer": b""}, []),
    ],
)
def test_a_body_shorter_than_its_length_is_said(tmp_path, made, told):
    found = read(tmp_path, dumps.http_flow(**made))
    assert [direction for direction, _ in found.unread] == told
    assert all("bytes are there" in text for _, text in found.unread)


def through_flow_reader(path: Path) -> Extract:
    """The oracle: what mitmproxy's own reader makes of a dump, its states taken value by value."""
    from mitmproxy.io import FlowReader

    rows = FlowRows(capture="c1")
    with path.open("rb") as file:
        for number, flow in enumerate(FlowReader(file).stream(), start=1):
            rows.add(Flow.of(flow.get_state(), number, "flows.mitm"))
    return rows.finish()


def told(extract: Extract) -> tuple[object, ...]:
    payloads = [
        (p.table, p.row, p.location, p.detail, p.direction, p.data, str(p.ref), p.seams,
         p.content_encoding, p.content_type)
        for p in extract.payloads
    ]  # fmt: skip
    return extract.rows, payloads, extract.unread


def test_a_dump_of_every_kind_gives_the_rows_of_mitmproxys_own_reader(tmp_path):
    import gzip

    kept = dumps.client(sni="sni.example")
    flows = [
        dumps.http_flow(path=f"/{n}?q={n}", body=bytes([n]) * n, client_conn=kept)
        for n in range(40)
    ]
    flows += [
        dumps.http_flow(status=None, error="gone"),
        dumps.http_flow(body=None),
        dumps.http_flow(method="CONNECT", path="", authority="a.example:443"),
        dumps.http_flow(server_conn=dumps.server(None)),
        dumps.http_flow(server_conn=dumps.upstream()),
        dumps.http_flow(headers=[], authority="b.example", trailers=[(b"X-T", b"1"), (b"t", b"")]),
        dumps.http_flow(
            headers=[(b"Cookie", b"a=1; b"), (b"X\xff", b"\xff"), (b"Cookie", b"c"), (b"", b"v")],
            answer=gzip.compress(b'{"z": 1, "a": [1.5]}', mtime=0),
            answer_headers=[(b"Content-Encoding", b"gzip"), (b"Set-Cookie", b"s=1\r\n x")],
        ),
        dumps.http_flow(
            status=101, messages=[(1, True, b"{}"), (2, False, b"\0")], closing=(True, 1000, "bye")
        ),
        dumps.stream_flow([(True, b"a"), (False, b"b" * 500)]),
        dumps.stream_flow([(True, b"a"), (True, b"b")], proto="udp"),
        dumps.dns_flow("a.example"),
    ]
    path = dumps.write_dump(tmp_path, *flows)
    found = read_flows(path, OPTIONS)
    assert told(found) == told(through_flow_reader(path))
    assert not found.truncated


@pytest.mark.parametrize("path", samples("*.mitm"), ids=lambda path: path.name)
def test_samples_of_every_version_give_the_rows_of_mitmproxys_own_reader(path):
    found = read_flows(path, OPTIONS)
    assert told(found) == told(through_flow_reader(path))
    assert found.rows["http_requests"]
    assert not found.truncated


def test_a_flow_that_cannot_be_read_is_left_out_and_named(tmp_path):
    good, bad = dumps.http_flow().get_state(), dumps.http_flow().get_state()
    bad["request"]["headers"] = 7
    path = tmp_path / "flows.mitm"
    path.write_bytes(b"".join(map(tnetstring.dumps, [good, bad, {"version": 21}, good])))
    found = read_flows(path, OPTIONS)
    assert [row["ref"] for row in found.rows["http_requests"]] == [
        "flows.mitm#1:request.head",
        "flows.mitm#4:request.head",
    ]
    assert [text.partition(" cannot")[0] for text in found.truncated] == [
        "flows.mitm: flow 2",
        "flows.mitm: flow 3",
    ]


def test_many_broken_flows_are_told_in_few_words(tmp_path):
    path = tmp_path / "flows.mitm"
    path.write_bytes(dumps.dump([dumps.http_flow()]) + b"0:~" * 5000)
    found = read_flows(path, OPTIONS)
    assert len(found.truncated) == mitm.MAX_TOLD + 1


def test_a_dump_of_broken_flows_alone_is_refused_by_file_and_flow(tmp_path):
    path = tmp_path / "flows.mitm"
    path.write_bytes(b"0:~0:~")
    with pytest.raises(CaptureError, match=r"flow 1 cannot be read") as caught:
        read_flows(path, OPTIONS)
    assert caught.value.source == "flows.mitm#2"


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/3"])
def test_later_versions_of_http_are_rows_alike(tmp_path, version):
    carrier = dumps.client(transport_protocol="udp" if version == b"HTTP/3" else "tcp")
    carrier.tls_version = "QUICv1" if version == b"HTTP/3" else "TLSv1.3"
    flow = dumps.http_flow(headers=[], authority="api.example", client_conn=carrier)
    flow.request.http_version = version.decode()
    found = read(tmp_path, flow)
    row = only(found, "http_requests")
    assert (row["host"], row["transport"]) == ("api.example", "tls-intercepted")
    proto = "udp" if version == b"HTTP/3" else "tcp"
    assert row["conversation"].startswith(f"{proto} 192.0.2.10:")
    assert only(found, "conversations")["proto"] == proto
    assert not [p for p in found.payloads if p.detail == "version"]


def test_collection_of_garbage_goes_on_afterwards(tmp_path):
    import gc

    assert gc.isenabled()
    read(tmp_path, dumps.http_flow())
    with pytest.raises(CaptureError):
        read_flows(tmp_path / "none", OPTIONS)
    assert gc.isenabled()


@pytest.mark.parametrize("path", samples("*.mitm"), ids=lambda path: path.name)
def test_samples_damaged_anywhere_give_rows_or_one_error(path, tmp_path):
    draw = random.Random(path.name)
    data = path.read_bytes()
    for _ in range(25):
        broken = bytearray(data)
        for _ in range(draw.randint(1, 5)):
            at = draw.randrange(len(broken))
            choice = draw.random()
            if choice < 0.6:
                broken[at] = draw.randrange(256)
            elif choice < 0.8:
                del broken[at : at + draw.randint(1, 60)]
            else:
                broken[at:at] = draw.choice([b"0:~", b"999999999999:", b"4:1e99^", b"3:nan^", b"]"])
        target = tmp_path / "flows.mitm"
        target.write_bytes(broken or b"x")
        with contextlib.suppress(CaptureError):
            for table, rows in read_flows(target, OPTIONS).rows.items():
                make_frame(table, rows)


@pytest.mark.parametrize("cut", [1, 3, 50, 400])
def test_every_sample_that_is_cut_keeps_what_stands_before(tmp_path, cut):
    whole = dumps.dump([dumps.http_flow(), dumps.stream_flow([(True, b"x")]), dumps.http_flow()])
    path = tmp_path / "flows.mitm"
    path.write_bytes(whole[:-cut])
    found = read_flows(path, OPTIONS)
    assert len(found.rows["http_requests"]) == 1
    assert len(found.rows["conversations"]) == 2
    assert len(found.truncated) == 1


def test_absurd_lengths_numbers_and_depths_are_bounded(tmp_path):
    path = tmp_path / "flows.mitm"
    for data in (
        b"999999999999:x",
        b"9" * 5000 + b":",
        b"5002:" + b"9" * 5000 + b"#,",
        b"70:66:" + b"9" * 66 + b"#}",
        tnetstring.dumps({"version": 21, "type": "http", "x": [[[[1]]]]}) * 1000,
    ):
        path.write_bytes(data)
        try:
            found = read_flows(path, OPTIONS)
        except CaptureError:
            continue
        assert not found.rows
        assert found.truncated


def test_a_hundred_thousand_headers_take_no_more_than_their_number(tmp_path):
    headers = [(b"X", b"v")] * 100_000
    found = read(tmp_path, dumps.http_flow(headers=headers))
    assert len(json.loads(only(found, "http_requests")["headers"])["x"]) == 3 * 100_000 - 2


def test_times_that_are_none_leave_a_row_undated(tmp_path):
    state = dumps.http_flow().get_state()
    for when in (float("nan"), float("inf"), -1.0, 10**40, None):
        state["request"]["timestamp_start"] = when
        path = tmp_path / "flows.mitm"
        path.write_bytes(tnetstring.dumps(state))
        assert only(read_flows(path, OPTIONS), "http_requests")["ts"] is None
