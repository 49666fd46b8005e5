import pytest

from audit.evidence.names import name_rows

A, B = "tcp 192.0.2.10:1 > 198.51.100.7:443", "tcp 192.0.2.10:2 > 198.51.100.7:80"


def asked(name: str, second: int, *answers: str) -> dict:
    return {
        "ts": f"2026-01-01T00:00:{second:02d}Z",
        "name": name,
        "answers": answers,
        "responder_ip": "198.51.100.53",
    }


def named(row: dict, **tables) -> tuple:
    tables.setdefault("conversations", []).append(row)
    name_rows(tables)
    return row["host"], row["host_basis"], row["recipient"]


ROW = {"ts": "2026-01-01T00:00:30Z", "conversation": A, "responder_ip": "198.51.100.7", "layer": 0}


def test_the_host_header_goes_before_the_handshake_and_that_before_the_answer():
    dns = [asked("dns.example", 1, "198.51.100.7")]
    tls = [{"conversation": A, "sni": "sni.example", "responder_ip": "198.51.100.7"}]
    http = [{"conversation": A, "host": "host.example", "responder_ip": "198.51.100.7", "layer": 0}]
    assert named(dict(ROW), dns_queries=dns, tls_handshakes=tls, http_requests=http) == (
        "host.example",
        "host",
        "host.example",
    )
    assert named(dict(ROW), dns_queries=dns, tls_handshakes=tls) == (
        "sni.example",
        "sni",
        "sni.example",
    )
    assert named(dict(ROW), dns_queries=dns) == ("dns.example", "dns", "dns.example")
    assert named(dict(ROW)) == (None, None, "198.51.100.7")


def test_an_address_has_the_name_last_asked_before_it_was_met():
    dns = [
        asked("early.example", 1, "198.51.100.7"),
        asked("late.example", 20, "198.51.100.7"),
        asked("after.example", 40, "198.51.100.7"),
    ]
    assert named(dict(ROW), dns_queries=dns)[0] == "late.example"


def test_an_address_met_before_any_answer_has_the_first_name():
    assert (
        named(dict(ROW), dns_queries=[asked("after.example", 40, "198.51.100.7")])[0]
        == "after.example"
    )


def test_a_name_in_an_answer_is_no_address():
    assert named(dict(ROW), dns_queries=[asked("a.example", 1, "edge.example")])[0] is None


def test_a_row_without_name_and_address_still_has_a_recipient():
    assert named({"conversation": None})[2] == "unknown"


def test_a_server_inside_the_onion_is_named_by_its_route_alone():
    dns = [asked("dns.example", 1, "198.51.100.7")]
    assert named({**ROW, "layer": 2, "host": None}, dns_queries=dns) == (None, None, "198.51.100.7")
    assert named({**ROW, "layer": 3, "host": "files.example"}) == (
        "files.example",
        "route",
        "files.example",
    )


def test_one_conversation_does_not_name_another():
    tls = [{"conversation": B, "sni": "sni.example", "responder_ip": "198.51.100.7"}]
    assert named(dict(ROW), tls_handshakes=tls)[0] is None


@pytest.mark.parametrize(("host", "said"), [("sni.example", 0), ("front.example", 1)])
def test_a_head_that_names_another_host_than_the_handshake_is_said(host, said):
    tables = {
        "tls_handshakes": [{"conversation": A, "sni": "sni.example"}],
        "http_requests": [{"conversation": A, "host": host, "layer": 0}],
    }
    assert len(name_rows(tables)) == said
