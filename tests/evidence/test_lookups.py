from audit.evidence.lookups import lookup_conversations, mark_lookups, resolvers_of
from audit.tables.extract import Extract, Payload
from audit.tables.reference import parse_reference
from tests.evidence.bundles import manifest

A, B = "udp 192.0.2.10:1 > 198.51.100.53:53", "udp 192.0.2.10:2 > 198.51.100.31:9090"


def extract(*raw: int, **tables: list[dict]) -> Extract:
    made = Extract()
    for name, ip, port in ((A, "198.51.100.53", 53), (B, "198.51.100.31", 9090)):
        row = {"conversation": name, "responder_ip": ip, "responder_port": port}
        made.add("conversations", row)
        made.add("dns_queries", {"conversation": name, "server": ip})
    made.rows |= tables
    for index in raw:
        made.payloads.append(
            Payload(
                table="conversations",
                row=index,
                location="payload",
                detail="",
                direction="sent",
                data=b"more",
                ref=parse_reference("packets.pcapng#1:frame"),
            )
        )
    mark_lookups(made)
    return made


def test_a_conversation_of_dns_alone_is_a_look_up():
    assert lookup_conversations(extract().rows) == {A, B}


def test_one_datagram_that_is_no_dns_makes_it_like_any_other():
    assert lookup_conversations(extract(1).rows) == {A}


def test_what_speaks_another_protocol_beside_dns_is_no_look_up():
    assert lookup_conversations(extract(http_requests=[{"conversation": A}]).rows) == {B}


def test_a_conversation_without_a_question_is_no_look_up():
    assert not lookup_conversations(extract(dns_queries=[]).rows)


def test_the_manifest_names_the_resolvers_and_nothing_adds_to_them():
    assert resolvers_of(extract().rows, manifest()) == {"198.51.100.53"}
    other = manifest(network={"resolvers": ["192.0.2.1"]})
    assert resolvers_of(extract().rows, other) == {"192.0.2.1"}


def test_an_import_has_those_that_were_asked_on_the_port_of_dns():
    bare = manifest(vantage="import", network={})
    assert resolvers_of(extract().rows, bare) == {"198.51.100.53"}
    assert resolvers_of(extract(0).rows, bare) == set()
