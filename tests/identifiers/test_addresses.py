"""Text, packed and integer forms of addresses."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.addresses import spell_address, spell_mac


def spelled(value: str) -> dict[bytes, str]:
    return {item.data: item.form for item in reversed(spell_address(value))}


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(v=4))
def test_version_4_is_spelled_as_text_packed_and_integers_of_both_orders(address):
    found = spelled(str(address))
    number = int(address)
    swapped = int.from_bytes(address.packed, "little")
    assert found[str(address).encode()] == "plain"
    for integer in (number, swapped):
        assert found[str(integer).encode()] == "integer-address"
        assert f"{integer:08x}".encode() in found
    assert found[address.packed] == "packed-address"
    assert address.packed[::-1] in found
    mapped = ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)
    assert {mapped.packed, mapped.exploded.encode()} <= set(found)
    assert ".".join(str(address).split(".")[::-1]).encode() in found


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(v=6))
def test_every_text_that_a_system_accepts_for_version_6_is_spelled(address):
    found = spelled(str(address))
    texts = {
        address.compressed,
        address.exploded,
        socket.inet_ntop(socket.AF_INET6, address.packed),
    }
    for text in texts:
        if "." not in text:
            assert text.encode() in found
    assert found[address.packed] == "packed-address"
    assert found[str(int(address)).encode()] == "integer-address"
    assert ".".join(address.packed.hex()[::-1]).encode() in found


def test_zeros_may_be_left_out_at_any_place():
    found = spelled("2001:db8:0:0:1:0:0:1")
    for text in ("2001:db8::1:0:0:1", "2001:db8:0:0:1::1", "2001:0db8::0001:0000:0000:0001"):
        assert text.encode() in found


@pytest.mark.parametrize("text", ["", "300.1.1.1", "host.example", "1.2.3", "::g", "[", "%eth0"])
def test_what_is_no_address_has_no_spelling_of_one(text):
    assert spell_address(text) == []


def test_zone_brackets_and_prefix_are_no_part_of_an_address():
    for text in ("fe80::1234:5678%eth0", "[fe80::1234:5678]", "fe80::1234:5678/64"):
        assert b"fe80::1234:5678" in spelled(text)


def test_a_mapped_address_is_its_version_4_address_too():
    assert b"203.0.113.9" in spelled("::ffff:203.0.113.9")


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=6, max_size=6))
def test_hardware_addresses_are_spelled_with_every_separator_and_none(raw):
    found = {item.data for item in spell_mac(raw.hex(":"))}
    assert {raw, raw.hex().encode(), raw.hex("-").encode(), raw.hex(".", 2).encode()} <= found


@pytest.mark.parametrize("text", ["", "02:1b:4f:9a:3c", "zz:1b:4f:9a:3c:d7", "021b4f9a3cd7ff"])
def test_what_is_no_hardware_address_has_no_spelling_of_one(text):
    assert spell_mac(text) == []
