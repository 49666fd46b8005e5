from __future__ import annotations

import struct

import pytest

from audit.readers.fingerprints import is_grease, ja3, ja4
from audit.readers.tlshello import parse_client_hello


def hello(ciphers, extensions, *, version=0x0303):
    body = struct.pack("!H", version) + bytes(32) + b"\0"
    body += struct.pack("!H", 2 * len(ciphers)) + b"".join(
        item.to_bytes(2, "big") for item in ciphers
    )
    packed = b"".join(struct.pack("!HH", kind, len(data)) + data for kind, data in extensions)
    return parse_client_hello(body + b"\1\0" + struct.pack("!H", len(packed)) + packed)


def u16s(*values, prefix=2):
    data = b"".join(value.to_bytes(2, "big") for value in values)
    return len(data).to_bytes(prefix, "big") + data


def test_the_example_of_the_ja4_specification_comes_out():
    """FoxIO's technical details: t13d1516h2_8daaf6152771_e5627efa2ab1 and its two raw lists."""
    ciphers = [
        0x1A1A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013,
        0xC014, 0x009C, 0x009D, 0x002F, 0x0035,
    ]  # fmt: skip
    kinds = [
        0x1A1A, 0x001B, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002D, 0x000D, 0x0005, 0x0023,
        0x0012, 0x002B, 0xFF01, 0x000B, 0x000A, 0x0015,
    ]  # fmt: skip
    data = {
        0x000D: u16s(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
        0x002B: u16s(0x1A1A, 0x0304, 0x0303, prefix=1),
        0x0010: b"\x00\x0c\x02h2\x08http/1.1",
    }
    found = hello(ciphers, [(kind, data.get(kind, b"")) for kind in kinds])
    assert ja4(found) == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_the_example_of_ja3_comes_out():
    """Salesforce's README: 769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0."""
    ciphers = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4]
    extensions = [(0, b""), (10, u16s(23, 24, 25)), (11, b"\x01\x00")]
    assert ja3(hello(ciphers, extensions, version=769)) == "ada70206e40642a3e4461f35503241d5"


def test_a_hello_without_extensions_has_fingerprints():
    found = hello([4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], [], version=769)
    assert ja3(found) == "de350869b8c85de67a350c8d186f11e6"  # the README's second example
    assert ja4(found) == "t10i110000_" + ja4(found).split("_")[1] + "_000000000000"


@pytest.mark.parametrize("number", range(0x0A0A, 0xFFFF, 0x1010))
def test_grease_is_known(number):
    assert is_grease(number)
    assert not is_grease(number + 1)


def test_alpn_that_is_no_text_shows_its_hex_ends():
    found = hello([0x1301], [(16, b"\x00\x03\x02\xab\xcd")])
    assert ja4(found).startswith("t12i0101ad")
