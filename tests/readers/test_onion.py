import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from audit.readers.mitm import FlowOptions, read_flows
from audit.readers.onion import OnionConfig, OnionResult, open_onions
from audit.readers.onion_keys import read_node_keys
from audit.tables.frames import make_frame
from audit.tables.reference import parse_reference
from tests.readers import dumps, onions

CONFIG = OnionConfig(paths=("/onion",), salt=onions.SALT)


def flow(
    body: bytes | None,
    answer: bytes = b"",
    *,
    path: str = "/onion",
    status: int | None = 200,
    **more,
):
    return dumps.http_flow(
        path=path,
        body=body,
        answer=answer,
        status=status,
        headers=[(b"Host", b"203.0.113.1:22021"), (b"User-Agent", b"Client/1")],
        server_conn=dumps.server(("203.0.113.1", 22021)),
        **more,
    )


def opened(folder, known, *flows) -> OnionResult:
    found = read_flows(dumps.write_dump(folder, *flows), FlowOptions(capture="c1"))
    return open_onions(found, read_node_keys(onions.write_keys(folder, known)), CONFIG)


def test_each_node_learns_its_layer_and_no_more(tmp_path):
    guard, relay, target = known = onions.nodes()
    body = b'{"method": "get", "params": {"id": "05ab"}}'
    request, key = onions.to_node([guard, relay], target, body, {"User-Agent": "Client/2"})
    sealed = base64.b64encode(
        onions.answer(key, json.dumps({"body": '{"b":1,"a":2}', "status": 207}).encode())
    )
    found = opened(tmp_path, known, flow(request, sealed))
    first, second, third = found.extract.rows["http_requests"]
    assert (found.seen, found.opened, found.reasons) == (1, 1, ())
    assert [row["layer"] for row in (first, second, third)] == [1, 2, 3]
    assert [row["seen_as"] for row in (first, second, third)] == ["client", "onion", "onion"]
    assert [row["responder_ip"] for row in (first, second, third)] == [
        "203.0.113.1",
        "203.0.113.2",
        "203.0.113.3",
    ]
    assert [row["ref"] for row in (first, second, third)] == [
        f"flows.mitm#1:request.body/onion.{k}" for k in (1, 2, 3)
    ]
    assert [row["via"] for row in (first, second, third)] == [
        "flows.mitm#1:request.head",
        first["ref"],
        second["ref"],
    ]
    assert json.loads(first["json"])["destination"] == relay.name
    assert json.loads(second["json"])["destination"] == target.name
    assert json.loads(third["json"]) == json.loads(body)
    assert (third["method"], third["path"], third["user_agent"]) == ("POST", "/onion", "Client/2")
    assert third["body_len"] == len(body)
    assert {row["transport"] for row in (first, second, third)} == {"tls-intercepted"}
    (answer,) = found.extract.rows["http_responses"]
    assert (answer["layer"], answer["status"], answer["json"]) == (3, 207, '{"a":2,"b":1}')
    assert answer["ref"] == "flows.mitm#1:response.body/onion.3"
    assert answer["via"] == "flows.mitm#1:response.head"
    assert (answer["responder_ip"], answer["seen_as"]) == ("203.0.113.3", "onion")
    for table, rows in found.extract.rows.items():
        make_frame(table, rows)


def test_what_is_searched_of_a_layer_is_what_its_node_can_read(tmp_path):
    guard, relay, target = known = onions.nodes()
    request, _ = onions.to_node([guard, relay], target, b'{"id": "canary"}', {"X-Id": "other"})
    found = opened(tmp_path, known, flow(request))
    by_layer = {}
    for payload in found.extract.payloads:
        row = found.extract.rows["http_requests"][payload.row]
        by_layer.setdefault(row["layer"], []).append((payload.location, payload.data))
    assert [location for location, _ in by_layer[1]] == ["body"]
    assert not any(b"canary" in data for layer in (1, 2) for _, data in by_layer[layer])
    assert by_layer[3] == [("header", b"other"), ("body", b'{"id": "canary"}')]


def test_ranges_count_in_the_plaintext_of_the_layer(tmp_path):
    guard, relay, target = known = onions.nodes()
    body = b'{"id": "canary"}'
    request, _ = onions.to_node([guard, relay], target, body, {"X-Id": "other"})
    found = opened(tmp_path, known, flow(request))
    plaintext = onions.frame(body, {"headers": {"X-Id": "other"}})
    for payload in found.extract.payloads:
        if payload.ref.part == "request.body/onion.3":
            assert plaintext[payload.ref.start : payload.ref.end] == payload.data


def test_a_server_outside_learns_the_inner_request(tmp_path):
    guard, relay, server = known = [*onions.nodes(2), onions.Node("files.example:80")]
    text = onions.v4(
        {"endpoint": "/file?name=a", "method": "post", "headers": {"User-Agent": "Client/2"}},
        b"\x00canary",
    )
    request, key = onions.to_server([guard, relay], server, "Files.example", text)
    sealed = onions.answer(key, onions.v4({"code": 201, "headers": {"X": "y"}}, b'{"id": 5}'))
    found = opened(tmp_path, known, flow(request, sealed))
    assert found.opened == 1
    last = found.extract.rows["http_requests"][-1]
    assert (last["layer"], last["host"], last["responder_ip"]) == (3, "files.example", None)
    assert (last["method"], last["path"], last["query"], last["user_agent"]) == (
        "POST",
        "/file",
        "name=a",
        "Client/2",
    )
    assert last["body_len"] == 7
    relay_row = found.extract.rows["http_requests"][1]
    assert json.loads(relay_row["json"])["host"] == "Files.example"
    (answer,) = found.extract.rows["http_responses"]
    assert (answer["status"], answer["json"], answer["path"]) == (201, '{"id":5}', "/file")
    assert json.loads(answer["headers"]) == {"x": "y"}
    sent = {
        (p.location, p.detail): (p.data, p.ref)
        for p in found.extract.payloads
        if p.ref.part == "request.body/onion.3"
    }
    assert {key: data for key, (data, _) in sent.items()} == {
        ("header", "user-agent"): b"Client/2", ("path", ""): b"/file", ("query", ""): b"name=a", ("body", ""): b"\x00canary",
    }  # fmt: skip
    assert all(text[ref.start : ref.end] == data for data, ref in sent.values())


def test_a_server_without_a_body_is_read(tmp_path):
    guard, server = known = [*onions.nodes(1), onions.Node("files.example:80")]
    request, _ = onions.to_server(
        [guard], server, "files.example", onions.v4({"endpoint": "file/1", "method": "GET"})
    )
    last = opened(tmp_path, known, flow(request)).extract.rows["http_requests"][-1]
    assert (last["path"], last["method"], last["body_len"], last["content"]) == (
        "/file/1",
        "GET",
        0,
        "empty",
    )


def test_a_layer_without_its_key_is_counted_and_said(tmp_path):
    guard, relay, target = onions.nodes()
    request, _ = onions.to_node([guard, relay], target, b"{}")
    found = opened(tmp_path, [guard, relay], flow(request), flow(b"", path="/other"))
    assert (found.seen, found.opened) == (1, 0)
    assert found.reasons == ("flows.mitm#1:request.head: no known key opens layer 3",)
    assert [row["layer"] for row in found.extract.rows["http_requests"]] == [1, 2]


def test_without_keys_requests_are_seen_and_stay_closed(tmp_path):
    guard, target = onions.nodes(2)
    found = opened(tmp_path, [], flow(onions.to_node([guard], target, b"{}")[0]))
    assert (found.seen, found.opened, found.extract.rows) == (1, 0, {})


def test_a_request_whose_body_was_not_kept_stays_closed(tmp_path):
    found = opened(tmp_path, onions.nodes(), flow(None))
    assert (found.seen, found.opened) == (1, 0)
    assert "not captured" in found.reasons[0]


def test_answers_are_told_apart_by_their_keys_whatever_their_order(tmp_path):
    guard, target = known = onions.nodes(2)
    one, first = onions.to_node([guard], target, b'{"n": 1}')
    two, second = onions.to_node([guard], target, b'{"n": 2}')
    crossed = [
        flow(one, onions.answer(second, b'{"body": {"n": 2}}')),
        flow(two, onions.answer(first, b'{"body": {"n": 1}}')),
    ]
    rows = opened(tmp_path, known, *crossed).extract.rows
    asked = [row["json"] for row in rows["http_requests"] if row["layer"] == 2]
    assert asked == ['{"n":1}', '{"n":2}']
    assert [row["json"] for row in rows["http_responses"]] == asked


def test_another_salt_opens_nothing(tmp_path):
    guard, target = known = onions.nodes(2)
    request, _ = onions.to_node([guard], target, b"{}")
    found = read_flows(dumps.write_dump(tmp_path, flow(request)), FlowOptions(capture="c1"))
    keys = read_node_keys(onions.write_keys(tmp_path, known))
    assert open_onions(found, keys, OnionConfig(paths=("/onion",), salt=b"else")).opened == 0


def test_more_layers_than_a_path_can_have_are_refused(tmp_path):
    (node,) = known = onions.nodes(1)
    request, _ = onions.to_node([node] * 20, node, b"{}")
    found = opened(tmp_path, known, flow(request))
    assert found.opened == 0
    assert "more than 16 layers" in found.reasons[0]


def test_a_node_that_names_neither_next_nor_last_is_refused(tmp_path):
    (node,) = known = onions.nodes(1)
    sealed = onions.seal(node, onions.frame(b"", {"other": 1}))
    request = onions.frame(sealed.data, {"ephemeral_key": sealed.ephemeral})
    assert "neither" in opened(tmp_path, known, flow(request)).reasons[0]


@given(st.binary(max_size=120))
def test_any_body_is_opened_or_counted(tmp_path_factory, body):
    folder = tmp_path_factory.mktemp("any")
    found = opened(folder, onions.nodes(1), flow(body or b"x"))
    assert (found.seen, found.opened, len(found.reasons)) == (1, 0, 1)


@given(st.data())
def test_any_plaintext_of_a_known_node_is_opened_or_counted(tmp_path_factory, data):
    (node,) = known = onions.nodes(1)
    about = data.draw(
        st.dictionaries(
            st.sampled_from(
                ["headers", "ephemeral_key", "host", "destination", "endpoint", "method"]
            ),
            st.none()
            | st.integers()
            | st.text(max_size=5)
            | st.just("00" * 32)
            | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
        )
    )
    plain = data.draw(
        st.binary(max_size=40)
        | st.just(onions.frame(b"in", about))
        | st.just(onions.v4(about, b"b"))
    )
    sealed = onions.seal(node, plain)
    request = onions.frame(sealed.data, {"ephemeral_key": sealed.ephemeral})
    found = opened(tmp_path_factory.mktemp("any"), known, flow(request))
    assert found.seen == 1
    for table, rows in found.extract.rows.items():
        make_frame(table, rows)
        for row in rows:
            parse_reference(row["ref"])
