import pytest

from audit.evidence.merge import Unit
from audit.evidence.placing import place
from audit.tables.extract import Unplaced
from tests.evidence.test_reconcile import conversation

SERVER = "198.51.100.7"


def entry(number: int, second: float = 1, **more) -> Unplaced:
    given = {
        "record": f"a.har#{number}", "host": "api.example", "address": SERVER, "port": 443,
        "ts": f"2024-01-01T00:00:{second:09.6f}Z", "duration_s": 0.1,
    }  # fmt: skip
    return Unplaced(**(given | more))


def wire(*conversations: Unit, **names: str) -> dict:
    handshakes = [
        Unit(
            row={
                "conversation": unit.row["conversation"],
                "sni": names.get(f"p{unit.row['originator_port']}", "api.example"),
            }
        )
        for unit in conversations
    ]
    return {"conversations": list(conversations), "tls_handshakes": handshakes}


def archive(*entries: Unplaced) -> dict:
    rows = [
        Unit(row={"ref": f"{one.record}:request.head", "ts": one.ts, "host": one.host, "responder_ip": one.address,
                  "conversation": None, "content": "readable", "transport": "tls-intercepted", "method": "GET",
                  "path": f"/{one.record}", "query": ""})
        for one in entries
    ]  # fmt: skip
    group = Unit(
        row={
            "ref": "a.har#1",
            "host": entries[0].host,
            "responder_ip": SERVER,
            "conversation": None,
        }
    )
    return {"http_requests": rows, "conversations": [group]}


def placed(packets: dict, *entries: Unplaced) -> dict[int, int]:
    """Return number of the entry -> client's port of its conversation."""
    found = place(packets, archive(*entries), entries)
    return {
        int(record.partition("#")[2]): int(name.partition(" > ")[0].rpartition(":")[2])
        for record, name in found.items()
    }


def talk(port: int, first: int = 0, last: int = 9, server: str = f"{SERVER}:443", **more) -> Unit:
    return conversation(f"192.0.2.10:{port}", server, first, last, payload_bytes=100, **more)


def test_address_port_name_and_time_tell_the_conversation():
    packets = wire(talk(1), talk(2, server="198.51.100.9:443"), talk(3, 40, 50), p2="other.example")
    assert placed(packets, entry(1)) == {1: 1}


def test_another_name_at_the_same_address_is_another_conversation():
    packets = wire(talk(1), talk(2), p1="other.example")
    assert placed(packets, entry(1)) == {1: 2}


def test_a_connection_used_for_another_name_is_found_where_there_is_no_better():
    assert placed(wire(talk(1), p1="other.example"), entry(1)) == {1: 1}


def test_through_an_explicit_proxy_the_name_tells_the_conversation():
    packets = wire(talk(1, server="192.0.2.1:8080"))
    entries = [entry(1)]
    place(packets, archive(*entries), entries)
    row = packets["conversations"][0].row
    assert (row["responder_ip"], row["responder_port"]) == (SERVER, 443)
    assert row["conversation"].endswith("> 192.0.2.1:8080")


def test_one_entry_each_goes_to_the_conversation_it_lies_in():
    packets = wire(talk(1, 0, 2), talk(2, 3, 5), talk(3, 6, 8))
    assert placed(packets, entry(1, 1), entry(2, 4), entry(3, 7)) == {1: 1, 2: 2, 3: 3}
    assert placed(packets, entry(1, 1), entry(3, 7)) == {1: 1, 3: 3}


def test_entries_of_one_connection_go_together():
    packets = wire(talk(1, 0, 9), talk(2, 1, 9))
    entries = [
        entry(1, 1, connection="7"),
        entry(2, 2, connection="8"),
        entry(3, 3, connection="7"),
    ]
    found = placed(packets, *entries)
    assert found[1] == found[3] != found[2]


def test_the_clients_port_decides_where_the_archive_names_it():
    packets = wire(talk(1001), talk(1002))
    assert placed(packets, entry(1, connection="1002")) == {1: 1002}


def test_only_what_opened_a_connection_claims_a_new_one():
    packets = wire(talk(1, 0, 9), talk(2, 4, 9))
    entries = [entry(1, 0, opened=True), entry(2, 4, opened=False)]
    assert placed(packets, *entries) == {1: 1, 2: 1}


def test_the_same_request_read_in_the_packets_beats_everything():
    packets = wire(talk(1), talk(2))
    packets["http_requests"] = [
        Unit(row={"conversation": packets["conversations"][1].row["conversation"], "ts": "2024-01-01T00:00:01Z",
                  "host": "api.example", "method": "GET", "path": "/a.har#1", "query": "", "transport": "tls-keys"})
    ]  # fmt: skip
    assert placed(packets, entry(1)) == {1: 2}
    assert placed(packets, entry(1), entry(2)) == {1: 2, 2: 1}


@pytest.mark.parametrize(
    "packets",
    [{}, wire(talk(1, 40, 50)), wire(talk(1, server=f"{SERVER}:80")), wire(talk(1, proto="udp"))],
)
def test_what_fits_nowhere_stays_where_it_was(packets):
    entries = [
        entry(1, host="elsewhere.example")
        if packets and packets["conversations"][0].row["responder_port"] == 80
        else entry(1)
    ]
    proxy = archive(*entries)
    assert place(packets, proxy, entries) == {}
    assert proxy["http_requests"][0].row["conversation"] is None
    assert len(proxy["conversations"]) == 1


def test_quic_carries_what_says_so():
    packets = wire(talk(1, proto="udp"), talk(2))
    assert placed(packets, entry(1, is_quic=True)) == {1: 1}


def test_conversations_of_the_archive_become_those_of_the_packets():
    packets = wire(talk(1))
    entries = [entry(1), entry(2)]
    proxy = archive(*entries)
    place(packets, proxy, entries)
    (unit,) = proxy["conversations"]
    assert unit.row["conversation"] == packets["conversations"][0].row["conversation"]
    assert (unit.row["transport"], unit.row["content"]) == ("tls-intercepted", "readable")
