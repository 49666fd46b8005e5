"""The resolver, asked by hand and by a published DNS library."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR

from audit.lab.addresses import find_address, find_alias
from audit.lab.names import answer_query, parse_query
from tests.lab.conftest import LIMIT_S, RunningLab


def query(name: str, qtype: str = "A") -> bytes:
    return bytes(DNS(id=77, rd=1, qd=DNSQR(qname=name, qtype=qtype)))


def ask(name: str, qtype: str = "A") -> DNS:
    answer, _ = answer_query(query(name, qtype), find_address)
    return DNS(answer)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("seed1.getsession.org", "198.51.100.1"),
        ("FILEV2.getsession.org", "198.51.100.20"),
        ("tracker.example", "198.51.100.30"),
        ("deep.below.metrics.example", "198.51.100.31"),
        ("stun.metrics.example", "198.51.100.40"),
    ],
)
def test_known_names_have_their_address(name: str, address: str) -> None:
    answer = ask(name)
    assert (answer.id, answer.qr, answer.rcode) == (77, 1, 0)
    assert answer.an[0].rdata == address
    assert answer.qd[0].qname.decode().rstrip(".") == name


def test_other_types_of_known_names_are_empty() -> None:
    for qtype in ("AAAA", "TXT", "HTTPS"):
        answer = ask("seed2.getsession.org", qtype)
        assert (answer.rcode, answer.ancount) == (0, 0)


def test_a_name_that_stands_for_another_is_answered_with_both() -> None:
    query_ = query("stats.getsession.org")
    answer = DNS(answer_query(query_, find_address, find_alias)[0])
    assert [(record.type, record.rrname) for record in answer.an] == [
        (5, b"stats.getsession.org."),
        (1, b"collect.google-analytics.com."),
    ]
    assert answer.an[0].rdata == b"collect.google-analytics.com."


@pytest.mark.parametrize(
    "name", ["nobody.getsession.org", "nothing.example", "xtracker.example", "."]
)
def test_other_names_do_not_exist(name: str) -> None:
    assert ask(name).rcode == 3


def test_other_operations_are_not_implemented() -> None:
    data = bytearray(query("tracker.example"))
    data[2] |= 0x28
    assert DNS(answer_query(bytes(data), find_address)[0]).rcode == 4


def test_it_answers_over_udp_and_tcp_and_notes_the_question(lab: RunningLab) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        stream.settimeout(LIMIT_S)
        stream.sendto(query("asked-by-udp.tracker.example"), lab.place("198.51.100.53:53"))
        assert DNS(stream.recv(600)).an[0].rdata == "198.51.100.30"
    with lab.connect("198.51.100.53:53") as stream:
        data = query("asked-by-tcp.tracker.example")
        stream.sendall(struct.pack(">H", len(data)) + data)
        assert DNS(stream.recv(600)[2:]).an[0].rdata == "198.51.100.30"
    for scheme in ("udp", "tcp"):
        (row,) = lab.wait_learned(host=f"asked-by-{scheme}.tracker.example")
        assert (row["standin"], row["scheme"], row["inner"]["qtype"]) == ("dns", scheme, 1)


@given(st.binary(max_size=300))
def test_any_bytes_are_answered_or_ignored(data: bytes) -> None:
    answer, question = answer_query(data, find_address)
    assert answer[:2] in {b"", data[:2]}
    assert question == parse_query(data)
