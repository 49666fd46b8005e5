from __future__ import annotations

import struct

import pytest

from audit.readers.tunnels import tunnel_of
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER

INNER = wire.tcp("10.0.0.1", 40_000, "10.0.0.2", 80, 1, 1, 24, b"GET / HTTP/1.1\r\n\r\n")
INNER6 = wire.udp("2001:db8::1", 5, "2001:db8::2", 6, b"inside")
FRAME = wire.ethernet(INNER)

TUNNELS = [
    ("ipip", wire.ip(CLIENT, SERVER, 4, INNER)),
    ("6in4", wire.ip(CLIENT, SERVER, 41, INNER6)),
    ("gre", wire.ip(CLIENT, SERVER, 47, b"\0\0\x08\0" + INNER)),
    ("vxlan", wire.udp(CLIENT, 50_000, SERVER, 4789, b"\x08\0\0\0\0\0\x07\0" + FRAME)),
    ("geneve", wire.udp(CLIENT, 50_000, SERVER, 6081, b"\x01\0\x65\x58\0\0\x07\0opts" + FRAME)),
    ("teredo", wire.udp(CLIENT, 50_000, SERVER, 3544, INNER6)),
    ("gtp-u", wire.udp(CLIENT, 2152, SERVER, 2152, struct.pack("!BBHI", 48, 255, 60, 7) + INNER)),
]


@pytest.mark.parametrize(("name", "packet"), TUNNELS, ids=[name for name, _ in TUNNELS])
def test_a_tunnel_is_named_said_and_searched(tmp_path, name, packet):
    found = wire.read(tmp_path, wire.pcapng(wire.frames([packet, packet])))
    (row,) = found.rows["conversations"]
    assert row["application"] == name
    (said,) = found.truncated
    assert f"2 packets carry others ({name})" in said
    assert any(b"GET /" in p.data or b"inside" in p.data for p in found.payloads)


def test_what_esp_carries_is_opaque_not_cut(tmp_path):
    packet = wire.ip(CLIENT, SERVER, 50, bytes(range(200)))
    found = wire.read(tmp_path, wire.pcapng(wire.frames([packet])))
    (row,) = found.rows["conversations"]
    assert (row["application"], row["transport"], row["content"]) == (
        "esp", "metadata-only", "opaque",
    )  # fmt: skip
    assert found.truncated == []


@pytest.mark.parametrize("size", range(0, 60, 3))
def test_cut_or_other_bytes_on_these_ports_are_no_tunnel_and_no_error(size):
    for _, packet in TUNNELS[3:]:
        data = packet[28 : 28 + size]
        ports = struct.unpack("!HH", packet[20:24])
        assert tunnel_of(17, ports, data) in {None, "vxlan", "geneve", "teredo", "gtp-u"}
        assert tunnel_of(17, (1, 2), data) is None
        assert tunnel_of(17, ports, b"\xff" * size) is None
