from audit.evidence.capture import read_capture
from audit.evidence.contacts import rank_contacts, see_as
from tests.evidence.bundles import make_bundle, manifest
from tests.readers import wire


def contact(recipient: str, second: int, **more) -> dict:
    return {
        "recipient": recipient, "responder_ip": "198.51.100.7", "process": "app", "ref": recipient,
        "first_seen": f"2026-01-01T00:00:{second:02d}Z",
    } | more  # fmt: skip


def test_recipients_are_ranked_by_first_contact():
    rows = [contact("b", 2), contact("a", 1), contact("b", 3), contact("c", 9)]
    rank_contacts({"conversations": rows})
    assert [row["first_contact"] for row in rows] == [2, 1, 2, 3]


def test_resolvers_groups_and_others_processes_are_not_met():
    rows = [
        contact("resolver", 0, peer_role="resolver"),
        contact("lo", 0, peer_role="loopback"),
        contact("ff02::fb", 0, responder_ip="ff02::fb"),
        contact("255.255.255.255", 0, responder_ip="255.255.255.255"),
        contact("echo", 0, process="control"),
        contact("kernel", 0, process="os"),
        contact("seed", 5),
    ]
    rank_contacts({"conversations": rows})
    assert [row.get("first_contact") for row in rows] == [None] * 6 + [1]


def seen_as(row: dict, **changed) -> str:
    tables = {"http_requests": [row], "conversations": [{"conversation": "t", "iface": "tun0"}]}
    see_as(tables, manifest(**changed))
    return row["seen_as"]


def test_a_recipient_sees_the_client_also_behind_our_own_recorder():
    assert seen_as({"layer": 0, "conversation": "a"}) == "client"
    assert seen_as({"layer": 1, "conversation": "a"}) == "client"


def test_a_recipient_behind_a_node_sees_that_node():
    assert seen_as({"layer": 2, "conversation": "a"}) == "onion"


def test_a_recipient_behind_a_proxy_or_tunnel_of_the_clients_sees_that():
    assert seen_as({"layer": 0, "conversation": "a", "seen_as": "proxy"}) == "proxy"
    network = {"tunnel": ["tun0"]}
    assert seen_as({"layer": 0, "conversation": "t"}, network=network) == "proxy"


def test_a_client_that_names_whole_urls_speaks_to_a_proxy_of_its_own(tmp_path):
    request = b"GET http://api.example/a HTTP/1.1\r\nHost: api.example\r\n\r\n"
    plain = (
        wire.TcpTalk(cport=40_001)
        .open()
        .sent(b"GET /a HTTP/1.1\r\nHost: b.example\r\n\r\n")
        .packets
    )
    packets = wire.TcpTalk(server="198.51.100.9", sport=3128).open().sent(request).packets + plain
    found = read_capture(
        make_bundle(tmp_path / "b", packets=wire.pcap(wire.frames(packets)), **{"pass": "passive"})
    )
    rows = found.tables["http_requests"].to_dict("records")
    assert [(r["host"], r["recipient"], r["path"], r["seen_as"]) for r in rows] == [
        ("api.example", "198.51.100.9", "/a", "proxy"),
        ("b.example", wire.SERVER, "/a", "client"),
    ]
