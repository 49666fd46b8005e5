import pytest

from audit.evidence.names import name_rows

RESOLVERS = frozenset({"198.51.100.53"})
A, B = "tcp 192.0.2.10:1 > 198.51.100.7:443", "tcp 192.0.2.10:2 > 198.51.100.7:80"


def asked(name: str, second: int, *answers: str) -> dict:
    return {
        "ts": f"2026-01-01T00:00:{second:02d}Z",
        "name": name,
        "answers": answers,
        "responder_ip": "198.51.100.53",
        "server": "198.51.100.53",
        "protocol": "udp",
    }


def named(row: dict, *, all_lookups: bool = False, **tables) -> tuple:
    tables.setdefault("conversations", []).append(row)
    name_rows(tables, RESOLVERS, all_lookups=all_lookups)
    return row["host"], row["host_basis"], row["recipient"]


ROW = {"ts": "2026-01-01T00:00:30Z", "conversation": A, "responder_ip": "198.51.100.7", "layer": 0}


def test_the_host_header_goes_before_the_handshake_and_that_before_the_answer():
    names = ("host.example", "sni.example", "dns.example")
    dns = [asked(name, 1, "198.51.100.7") for name in names]
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
    assert named(dict(ROW), dns_queries=dns[2:]) == ("dns.example", "dns", "dns.example")
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
    assert sum("in the TLS handshake" in text for text in name_rows(tables)) == said


SEALED = {"tls_handshakes": [{"conversation": A, "sni": "good.example"}]}


def sealed() -> dict:
    return {table: [dict(row) for row in rows] for table, rows in SEALED.items()}


@pytest.mark.parametrize("second", [1, 59])
def test_a_name_that_a_look_up_gives_for_the_address_is_the_servers(second):
    dns = [asked("good.example", second, "edge.example", "198.51.100.7")]
    assert named(dict(ROW), all_lookups=True, dns_queries=dns, **sealed())[1] == "sni"


@pytest.mark.parametrize(
    "dns",
    [
        [],
        [asked("good.example", 1, "198.51.100.8")],
        [asked("other.example", 1, "198.51.100.7")],
        [asked("good.example", 1, "198.51.100.7") | {"server": "198.51.100.9"}],
        [asked("good.example", 1, "198.51.100.7") | {"protocol": "doh"}],
        [asked("other.example", 1, "good.example", "198.51.100.7")],
    ],
)
def test_a_name_that_no_look_up_gives_for_the_address_is_a_claim(dns):
    found = named(dict(ROW), all_lookups=True, dns_queries=dns, **sealed())
    assert found == ("good.example", "claimed", "198.51.100.7")


def test_a_claim_is_said_with_the_address_it_was_made_of():
    said = name_rows({"conversations": [dict(ROW)], **sealed()}, RESOLVERS, all_lookups=True)
    assert "named good.example to 198.51.100.7, which no name look-up gave for it" in said[0]


def test_where_look_ups_are_not_seen_the_clients_word_is_taken_and_said():
    assert named(dict(ROW), **sealed()) == ("good.example", "sni", "good.example")
    said = name_rows({"conversations": [dict(ROW)], **sealed()}, RESOLVERS)
    assert said == [
        "the name of 1 server is the client's own word: no name look-up for them was seen"
    ]


def test_a_look_up_that_gave_other_addresses_contradicts_everywhere():
    dns = [asked("good.example", 1, "198.51.100.8")]
    assert named(dict(ROW), dns_queries=dns, **sealed())[1] == "claimed"


def test_an_answer_of_anyone_but_a_resolver_names_nobody():
    dns = [asked("good.example", 1, "198.51.100.7") | {"server": "198.51.100.9"}]
    assert named(dict(ROW), dns_queries=dns) == (None, None, "198.51.100.7")


def test_a_name_that_the_file_states_counts_last():
    stated = {"198.51.100.7": ("listed.example", "other.example")}
    row = dict(ROW)
    name_rows({"conversations": [row]}, RESOLVERS, stated=stated)
    assert (row["host"], row["host_basis"], row["recipient"]) == (
        "listed.example", "listed", "listed.example",
    )  # fmt: skip
    assert row["names"] == ("listed.example (listed)", "other.example (listed)")
    dns = [asked("dns.example", 1, "198.51.100.7")]
    row = dict(ROW)
    name_rows({"conversations": [row], "dns_queries": dns}, RESOLVERS, stated=stated)
    assert row["host"] == "dns.example"


def test_nobody_elses_word_is_needed_where_every_look_up_was_seen():
    row = dict(ROW)
    name_rows(
        {"conversations": [row]},
        RESOLVERS,
        all_lookups=True,
        stated={"198.51.100.7": ("x.example",)},
    )
    assert (row["host"], row["names"]) == (None, ())


def test_every_name_of_a_server_stands_in_its_row_with_its_basis():
    dns = [asked(name, 1, "198.51.100.7") for name in ("one.example", "two.example")]
    tls = [{"conversation": A, "sni": "one.example", "responder_ip": "198.51.100.7"}]
    row = dict(ROW)
    name_rows({"conversations": [row], "dns_queries": dns, "tls_handshakes": tls}, RESOLVERS)
    assert row["names"] == (
        "one.example (sni)", "one.example (dns)", "two.example (dns)",
    )  # fmt: skip


def test_a_list_of_the_device_names_a_server_and_a_guess_names_none():
    listed = {"host": "app-measurement.com", "host_basis": "listed", "owner": "somebody"}
    guessed = {"host": "app-measurement.com", "host_basis": "claimed", "owner": "somebody"}
    name_rows({"conversations": [listed, guessed]})
    assert (listed["recipient"], listed["owner"]) == ("app-measurement.com", "Google")
    assert (guessed["recipient"], guessed["owner"]) == ("unknown", None)


def test_owners_are_those_of_the_list_and_else_of_the_file():
    rows = [
        {"host": "x.example", "host_basis": "listed", "owner": "somebody"},
        {"host": "a.sentry.io"},
    ]
    question = asked("o1.ingest.sentry.io", 1)
    name_rows({"conversations": rows, "dns_queries": [question]}, RESOLVERS)
    assert [row["owner"] for row in rows] == ["somebody", "Functional Software"]
    assert question["owner"] == "Functional Software"
