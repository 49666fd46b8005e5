import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.evidence.merge import Unit, add_device, extract_of, merge, units_of
from audit.readers.mitm import FlowOptions, read_flows
from audit.readers.packets import PacketOptions, read_packets
from audit.tables.extract import Extract
from tests.readers import dumps, wire

REQUEST = b"POST /path?id=1 HTTP/1.1\r\nHost: api.example\r\nX-Id: canary-of-the-subject\r\nContent-Length: 4\r\n\r\nbody"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


def talk(*exchanges: tuple[bytes, bytes], port: int = 40_000) -> list[bytes]:
    made = wire.TcpTalk(cport=port).open()
    for request, answer in exchanges:
        made.sent(request).received(answer)
    return made.close().packets


def flow(
    *,
    headers=None,
    body: bytes = b"body",
    answer: bytes = b"ok",
    port: int = 40_000,
    path="/path?id=1",
    **more,
):
    return dumps.http_flow(
        path=path,
        headers=headers
        or [
            (b"Host", b"api.example"),
            (b"X-Id", b"canary-of-the-subject"),
            (b"Content-Length", b"4"),
        ],
        body=body,
        answer=answer,
        answer_headers=[(b"Content-Type", b"text/plain"), (b"Content-Length", b"2")],
        client_conn=dumps.client((wire.CLIENT, port), tls=False),
        server_conn=dumps.server((wire.SERVER, 80)),
        **more,
    )


@pytest.fixture
def taps(tmp_path):
    def read(packets: list[bytes], *flows) -> Extract:
        (tmp_path / "packets.pcapng").write_bytes(wire.pcap(wire.frames(packets)))
        seen = read_packets(
            tmp_path / "packets.pcapng", PacketOptions(capture="c1", client=(wire.CLIENT,))
        )
        passed = read_flows(dumps.write_dump(tmp_path, *flows), FlowOptions(capture="c1"))
        return extract_of(merge(units_of(seen), units_of(passed)))

    return read


def test_one_exchange_is_one_row_and_its_bytes_are_searched_once(taps):
    found = taps(talk((REQUEST, ANSWER)), flow())
    for table in ("http_requests", "http_responses", "conversations"):
        (row,) = found.rows[table]
        assert row["taps"] == ("proxy", "packets")
    (request,) = found.rows["http_requests"]
    assert request["ref"] == "flows.mitm#1:request.head"
    assert request["also"].startswith("packets.pcapng#4:tcp.sent@0-")
    assert len([p for p in found.payloads if b"canary" in p.data]) == 1
    (searched,) = [p for p in found.payloads if b"canary" in p.data]
    assert searched.ref.file == "flows.mitm"
    start = REQUEST.index(b"canary")
    assert str(searched.also) == f"packets.pcapng#4:tcp.sent@{start}-{start + 21}"


def test_a_conversation_keeps_the_packets_counters_and_the_proxys_visibility(taps):
    (row,) = taps(talk((REQUEST, ANSWER)), flow()).rows["conversations"]
    assert row["ref"].startswith("packets.pcapng#")
    assert row["also"] == "flows.mitm#1"
    assert row["bytes_out"] > len(REQUEST)
    assert (row["transport"], row["content"]) == ("plaintext", "readable")


def test_the_same_request_twice_stays_two(taps):
    found = taps(talk((REQUEST, ANSWER), (REQUEST, ANSWER)), flow(), flow(start=dumps.START + 2))
    assert [row["also"] is not None for row in found.rows["http_requests"]] == [True, True]
    assert len({row["also"] for row in found.rows["http_requests"]}) == 2


def test_what_one_tap_alone_saw_stays_as_it_is(taps):
    found = taps(talk((REQUEST, ANSWER)), flow(port=40_001))
    assert sorted(row["taps"] for row in found.rows["http_requests"]) == [("packets",), ("proxy",)]
    assert len([p for p in found.payloads if b"canary" in p.data]) == 2


def test_what_the_proxy_changed_is_searched_as_both_saw_it(taps):
    found = taps(
        talk((REQUEST, ANSWER)), flow(headers=[(b"Host", b"api.example"), (b"X-Id", b"another")])
    )
    (row,) = found.rows["http_requests"]
    assert row["taps"] == ("proxy", "packets")
    assert {p.data for p in found.payloads if p.detail == "x-id"} == {
        b"X-Id",
        b"another",
        b"canary-of-the-subject",
    }


def test_a_body_that_the_proxy_did_not_keep_comes_from_the_packets(taps):
    found = taps(talk((REQUEST, ANSWER)), flow(body=None))
    (row,) = found.rows["http_requests"]
    assert row["taps"] == ("proxy", "packets")
    assert row["body_len"] == 4
    assert [p.data for p in found.payloads if p.location == "body"] == [b"body"]


def test_payloads_follow_their_rows(taps):
    packets = talk((REQUEST, ANSWER)) + talk(
        (REQUEST.replace(b"/path", b"/late"), ANSWER), port=40_007
    )
    found = taps(packets, flow(path="/early", port=40_009, start=dumps.START - 9), flow())
    for payload in found.payloads:
        row = found.rows[payload.table][payload.row]
        if payload.location == "path":
            assert payload.data.decode() == row["path"]


@given(st.integers(0, 2**32), st.integers(0, 4), st.integers(0, 4))
@settings(max_examples=40)
def test_merging_loses_and_invents_no_exchange(tmp_path_factory, seed, in_both, alone):
    draw = random.Random(seed)
    folder = tmp_path_factory.mktemp("merge")
    numbers = draw.sample(range(100), in_both + 2 * alone)
    bodies = {n: b"%04d" % draw.randrange(3) for n in numbers}
    in_packets, in_flows = (
        numbers[: in_both + alone],
        numbers[:in_both] + numbers[in_both + alone :],
    )
    exchanges = [(REQUEST.replace(b"body", bodies[n]), ANSWER) for n in in_packets]
    packets = [
        p
        for n, exchange in zip(in_packets, exchanges, strict=True)
        for p in talk(exchange, port=40_000 + n)
    ]
    (folder / "p.pcap").write_bytes(wire.pcap(wire.frames(packets)))
    seen = read_packets(folder / "p.pcap", PacketOptions(capture="c1", client=(wire.CLIENT,)))
    passed = read_flows(
        dumps.write_dump(folder, *(flow(body=bodies[n], port=40_000 + n) for n in in_flows)),
        FlowOptions(capture="c1"),
    )
    found = extract_of(merge(units_of(seen), units_of(passed)))
    for table in ("http_requests", "http_responses", "conversations"):
        rows = found.rows.get(table, [])
        assert len(rows) == len(set(in_packets) | set(in_flows))
        assert sum(row["taps"] == ("proxy", "packets") for row in rows) == in_both


def test_what_the_device_lists_is_one_row_with_what_the_taps_saw():
    seen = Unit(
        row={
            "conversation": "tcp a",
            "taps": ("packets",),
            "bytes_out": 9,
            "host": None,
            "ref": "p#1",
        }
    )
    listed = {"conversation": "tcp a", "taps": ("device",), "bytes_out": 7, "host": "api.example",
              "host_basis": "listed", "process_name": "org.app", "uid": 10_123, "ref": "list#2"}  # fmt: skip
    alone = {"conversation": None, "taps": ("device",), "host": "other.example"}
    merged = add_device(
        {"conversations": [seen]}, {"conversations": [Unit(row=listed), Unit(row=alone)]}
    )
    first, second = (unit.row for unit in merged["conversations"])
    assert (first["taps"], first["bytes_out"], first["also"]) == (
        ("packets", "device"),
        9,
        "list#2",
    )
    assert (first["process_name"], first["uid"], first["host_basis"]) == (
        "org.app",
        10_123,
        "listed",
    )
    assert second == alone
