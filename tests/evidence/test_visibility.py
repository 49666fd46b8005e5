import json

import pytest

from audit.evidence.capture import read_capture
from audit.evidence.visibility import ProxySide, is_sealed, missed_by_proxy, total_bytes
from tests.evidence import bundles
from tests.readers import dumps, wire


def tls_line(port: int, outcome: str, reason: str | None = None) -> str:
    entry = {
        "ts": "2023-11-14T22:13:21Z", "client": f"{wire.CLIENT}:{port}", "server": f"{wire.SERVER}:443",
        "sni": None, "outcome": outcome, "reason": reason,
    }  # fmt: skip
    return json.dumps(entry) + "\n"


def tcp(
    port: int, sent: bytes = b"secret", server: str = wire.SERVER, sport: int = 443
) -> list[bytes]:
    return wire.TcpTalk(cport=port, sport=sport, server=server).open().sent(sent).close().packets


@pytest.fixture
def missed(tmp_path):
    def read(packets: list[bytes], *, tls: str = "", flows=(), **more) -> dict[str, str]:
        bundle = bundles.make_bundle(
            tmp_path / "b", packets=wire.pcap(wire.frames(packets)), flows=flows, tls=tls, **more
        )
        listed = read_capture(bundle).coverage["missed_by_proxy"]
        assert all(
            set(item) == {"capture", "conversation", "recipient", "reason", "bytes"}
            for item in listed
        )
        return {item["conversation"]: item["reason"] for item in listed}

    return read


def test_what_the_packets_saw_and_the_proxy_did_not_is_named_with_its_reason(missed):
    read = dumps.http_flow(
        client_conn=dumps.client((wire.CLIENT, 40_001)),
        server_conn=dumps.server((wire.SERVER, 443)),
    )
    lines = (
        tls_line(40_002, "refused-by-client", "unknown ca")
        + tls_line(40_003, "passed-through")
        + tls_line(40_004, "decrypted")
    )
    lines += tls_line(40_005, "decrypted")
    sealed = b"\x17\x03\x03\x00\x20" + bytes(range(100, 132))
    packets = [p for port in (40_000, 40_001, 40_002, 40_003, 40_005) for p in tcp(port)]
    packets += tcp(40_004, sealed)
    assert missed(packets, tls=lines, flows=[read]) == {
        "tcp 192.0.2.10:40000 > 198.51.100.7:443": "no flow: the proxy has no record of it",
        "tcp 192.0.2.10:40002 > 198.51.100.7:443": "TLS refused by client: unknown ca",
        "tcp 192.0.2.10:40003 > 198.51.100.7:443": "TLS passed through",
        "tcp 192.0.2.10:40004 > 198.51.100.7:443": "TLS was opened, but no flow came of it",
        "tcp 192.0.2.10:40005 > 198.51.100.7:443": "TLS was opened, but no flow came of it",
    }


def test_udp_is_named_but_not_name_look_ups(missed):
    query = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x07example\x00\x00\x01\x00\x01"
    stun = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
    packets = [
        wire.udp(wire.CLIENT, 5000, "198.51.100.53", 53, query),
        wire.udp(wire.CLIENT, 5001, wire.SERVER, 3478, stun),
        wire.udp(wire.CLIENT, 5002, wire.SERVER, 9999, b"data"),
    ]
    assert missed(packets) == {
        "udp 192.0.2.10:5001 > 198.51.100.7:3478": "the recording proxy carries no UDP (STUN)",
        "udp 192.0.2.10:5002 > 198.51.100.7:9999": "the recording proxy carries no UDP",
    }


def test_a_connection_without_payload_is_not_missed(missed):
    assert missed(wire.TcpTalk().open().close().packets) == {}


def test_what_stays_on_the_machine_is_not_the_proxys(missed):
    assert missed(tcp(40_000, server="127.0.0.1")) == {}


def test_a_passive_pass_misses_nothing(missed):
    assert missed(tcp(40_000), **{"pass": "passive"}) == {}


def test_a_tap_without_its_control_gives_no_capability(tmp_path):
    flows = bundles.control_flows()
    bundle = bundles.make_bundle(
        tmp_path / "b", flows=flows, packets=wire.pcap(()), journal=bundles.controls()
    )
    found = read_capture(bundle)
    assert {state.tap: state.control_found for state in found.taps} == {
        "packets": False,
        "proxy": True,
    }
    assert found.capabilities == {"process.attribution"}
    assert not found.sees_all


def test_limits_say_what_a_vantage_cannot_see(tmp_path):
    ladder = [
        {"name": "netns", "works": False, "reason": "unshare: EPERM"},
        {"name": "proxy", "works": True},
    ]
    found = read_capture(
        bundles.make_bundle(tmp_path / "b", flows=[], vantage="proxy", ladder=ladder)
    )
    assert found.limits[:3] == (
        "what the client sent around the recording proxy was not seen",
        "name look-ups, true server certificates and the client's own address were not seen",
        "in the intercepted pass servers saw the proxy, not the client itself",
    )
    assert "the netns vantage did not work on this machine: unshare: EPERM" in found.limits


def test_an_import_with_a_journal_names_who_vouches_for_it(tmp_path):
    found = read_capture(
        bundles.make_bundle(
            tmp_path / "b", flows=[], vantage="import", vouched_by="A. Person", mixed=True
        )
    )
    assert "the journal rests on the word of A. Person" in found.limits
    assert "the capture is mixed: no row could be tied to the app" in found.limits


def test_closed_conversations_of_the_client_are_counted(tmp_path):
    found = read_capture(
        bundles.make_bundle(tmp_path / "b", flows=[], tls=tls_line(40_000, "passed-through"))
    )
    assert "1 conversations of the client could not be opened" in found.limits


@pytest.mark.parametrize(
    ("row", "sealed"),
    [
        ({"process": "app", "transport": "metadata-only", "payload_bytes": 9}, True),
        ({"process": "unknown", "transport": "tls-passthrough", "payload_bytes": None}, True),
        ({"process": "app", "transport": "metadata-only", "payload_bytes": 0}, False),
        ({"process": "app", "transport": "tls-keys", "payload_bytes": 9}, False),
        ({"process": "control", "transport": "metadata-only", "payload_bytes": 9}, False),
    ],
)
def test_sealed_is_what_has_payload_that_nobody_had(row, sealed):
    assert is_sealed(row) is sealed


def test_bytes_are_those_on_the_wire_where_packets_were_seen():
    assert total_bytes({"bytes_out": 3, "bytes_in": 4, "payload_bytes": 1}) == 7
    assert total_bytes({"payload_bytes": 5}) == 5
    assert total_bytes({}) == 0


def proxy_side(**more) -> ProxySide:
    given = {"has_flows": True, "has_packets": True, "outcomes": {}, "flowed": frozenset()}
    return ProxySide(**(given | more))


def row(proto: str = "udp", **more) -> dict:
    return {
        "conversation": f"{proto} a:1 > b:2", "proto": proto, "payload_bytes": 9, "process": "app",
        "taps": ("packets",), "recipient": "b",
    } | more  # fmt: skip


def reasons(found: dict, **more) -> list:
    side = proxy_side(**more)
    return [
        one["reason"]
        for one in missed_by_proxy(bundles.manifest(), {"conversations": [found]}, side)
    ]


def test_look_ups_and_udp_are_missed_only_where_the_proxy_carries_them():
    assert reasons(row(only_dns=True)) == []
    assert reasons(row(only_dns=True), carries_dns=True) == [
        "no flow: the proxy has no record of it"
    ]
    assert reasons(row()) == ["the recording proxy carries no UDP"]
    assert reasons(row(), carries_udp=True) == ["no flow: the proxy has no record of it"]


def test_other_programs_and_the_proxy_itself_are_not_missed():
    assert reasons(row("tcp", process="unknown", process_basis="package")) == []
    assert reasons(row("tcp"), onward=frozenset({"tcp a:1 > b:2"})) == []
    assert reasons(row("tcp", process="unknown", process_basis=None))


def test_loopback_is_the_proxys_where_flows_went_there():
    local = row("tcp", peer_role="loopback")
    assert reasons(local) == []
    assert reasons(local, ends=frozenset({"b:2"}))


def test_a_request_that_became_no_flow_is_counted_in_its_conversation():
    requests = [
        {"conversation": "tcp a:1 > b:2", "taps": taps}
        for taps in (("proxy", "packets"), ("packets",), ("proxy",))
    ]
    (found,) = missed_by_proxy(
        bundles.manifest(),
        {"conversations": [row("tcp")], "http_requests": requests},
        proxy_side(flowed=frozenset({"tcp a:1 > b:2"})),
    )
    assert found["reason"] == "1 of 2 requests in it became no flow"


def test_an_import_with_one_tap_missed_nothing():
    side = proxy_side(has_packets=False)
    made = bundles.manifest(vantage="import")
    assert missed_by_proxy(made, {"conversations": [row("tcp")]}, side) == []
