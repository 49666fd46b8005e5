import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence.kernel import is_dhcp, is_dhcp6, is_kernels, kernel_conversations
from audit.tables.extract import Extract, Payload
from audit.tables.reference import parse_reference
from tests.evidence.bundles import ECHO, manifest

DISCOVER = bytes([1, 1, 6, 0]) + bytes(232) + b"\x63\x82\x53\x63" + b"\x35\x01\x01\xff" + bytes(20)
SOLICIT = b"\x01abc" + struct.pack(">HH", 8, 2) + b"\0\0" + struct.pack(">HH", 14, 0)
DHCP = {
    "proto": "udp",
    "originator_port": 68,
    "responder_port": 67,
    "responder_ip": "255.255.255.255",
}
DHCP6 = {
    "proto": "udp",
    "originator_port": 546,
    "responder_port": 547,
    "responder_ip": "ff02::1:2",
}
IMPORT = manifest(vantage="import")


@pytest.mark.parametrize(
    "row",
    [
        {"proto": "arp"},
        {"proto": "2", "responder_ip": "224.0.0.22"},
        {"proto": "icmp6", "originator_port": 143, "responder_ip": "ff02::16"},
        {"proto": "icmp6", "originator_port": 135, "responder_ip": "ff02::1:ff00:1"},
        {"proto": "icmp6", "originator_port": 136, "responder_ip": "fe80::1"},
        {"proto": "icmp6", "originator_port": 135, "responder_ip": ECHO},
    ],
)
def test_what_the_kernel_sends_on_its_link_is_its_own(row):
    assert is_kernels(row, manifest())


@pytest.mark.parametrize(
    "row",
    [
        {"proto": "icmp6", "originator_port": 128, "responder_ip": "fe80::1"},
        {"proto": "icmp6", "originator_port": 135, "responder_ip": "2001:db8::9"},
        {"proto": "icmp6", "originator_port": 143, "responder_ip": "ff0e::16"},
        {"proto": "icmp6", "originator_port": 143, "responder_ip": None},
        {"proto": "2", "responder_ip": "198.51.100.9"},
        {"proto": "icmp", "originator_port": 8, "responder_ip": ECHO},
        {"proto": "tcp", "originator_port": 68, "responder_port": 67, "responder_ip": ECHO},
    ],
)
def test_what_a_program_can_send_is_not_the_kernels(row):
    assert not is_kernels(row, manifest())
    assert not is_kernels(row, IMPORT)


def test_dhcp_is_the_systems_where_a_system_runs_it():
    assert is_kernels(DHCP, IMPORT, [DISCOVER, DISCOVER])
    assert is_kernels(DHCP6, IMPORT, [SOLICIT])


def test_in_a_namespace_nothing_runs_dhcp():
    assert not is_kernels(DHCP, manifest(), [DISCOVER])
    assert not is_kernels(DHCP6, manifest(), [SOLICIT])


@pytest.mark.parametrize(
    ("row", "bodies"),
    [
        (DHCP, []),
        (DHCP, [DISCOVER, b"dh=canary"]),
        (DHCP, [SOLICIT]),
        (DHCP6, [DISCOVER]),
        (DHCP6, [SOLICIT + b"canary"]),
        (DHCP | {"responder_ip": ECHO}, [DISCOVER]),
        (DHCP | {"responder_ip": "224.0.0.1"}, [DISCOVER]),
        (DHCP6 | {"responder_ip": "ff0e::1234"}, [SOLICIT]),
        (DHCP | {"originator_port": 5000}, [DISCOVER]),
        (DHCP | {"originator_port": 546}, [DISCOVER]),
    ],
)
def test_dhcp_to_anyone_else_or_with_anything_else_is_not_the_systems(row, bodies):
    assert not is_kernels(row, IMPORT, bodies)


def test_only_whole_messages_are_dhcp():
    assert not is_dhcp(DISCOVER[:-21])
    assert not is_dhcp(DISCOVER + b"x")
    assert not is_dhcp(DISCOVER.replace(b"\x63\x82", b"\x63\x83"))
    assert not is_dhcp6(b"\x63abc")


@given(st.binary(max_size=300))
def test_any_bytes_are_dhcp_or_not(data):
    assert is_dhcp(data) in {True, False}
    assert is_dhcp6(data) in {True, False}


def test_the_bodies_are_those_of_the_conversation():
    extract = Extract()
    for name in ("a", "b"):
        extract.add("conversations", DHCP | {"conversation": name})
    for index, data in enumerate((DISCOVER, b"canary")):
        extract.payloads.append(
            Payload(
                table="conversations",
                row=index,
                location="payload",
                detail="",
                direction="sent",
                data=data,
                ref=parse_reference("packets.pcapng#1:frame"),
            )
        )
    assert kernel_conversations(extract, IMPORT) == {"a"}
