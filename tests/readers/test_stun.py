from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audit.readers.stun import parse_stun
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER, TcpTalk

# RFC 5769 §2.1 to §2.3: request, answer over IPv4, answer over IPv6
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
ANSWER = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
ANSWER6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)


def test_the_vectors_of_rfc_5769_are_read():
    assert parse_stun(REQUEST).method == "binding request"
    assert (parse_stun(ANSWER).method, parse_stun(ANSWER).mapped_address) == (
        "binding success", "192.0.2.1",
    )  # fmt: skip
    assert parse_stun(ANSWER6).mapped_address == "2001:db8:1234:5678:11:2233:4455:6677"


def test_stun_over_udp_on_any_port_is_rows_and_searched(tmp_path):
    packets = [
        wire.udp(CLIENT, 5000, SERVER, 6000, REQUEST),
        wire.udp(SERVER, 6000, CLIENT, 5000, ANSWER),
    ]
    extract = wire.read(tmp_path, wire.pcapng(wire.frames(packets)))
    rows = extract.rows["stun_messages"]
    assert [(row["direction"], row["mapped_address"]) for row in rows] == [
        ("sent", None), ("received", "192.0.2.1"),
    ]  # fmt: skip
    frame = wire.ethernet(packets[0])
    payload = extract.payloads[0]
    assert frame[payload.ref.start : payload.ref.end] == payload.data
    assert b"evtj:h6vY" in payload.data


def test_masked_addresses_of_peers_and_relays_are_searched(tmp_path):
    masks = {4: b"\x21\x12\xa4\x42", 16: b"\x21\x12\xa4\x42123456789012"}
    body = b""
    for kind, address in ((0x12, "192.0.2.10"), (0x16, "2001:db8::5")):
        packed = wire.packed(address)
        masked = bytes(one ^ two for one, two in zip(packed, masks[len(packed)], strict=True))
        value = bytes((0, 1 if len(packed) == 4 else 2)) + b"\1\2" + masked
        body += kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
    message = b"\0\x08" + len(body).to_bytes(2, "big") + masks[16] + body
    extract = wire.read(
        tmp_path, wire.pcapng(wire.frames([wire.udp(CLIENT, 5000, SERVER, 3478, message)]))
    )
    found = {p.detail: (p.data, p.direction) for p in extract.payloads if p.detail}
    assert found == {
        "peer address": (b"192.0.2.10", "sent"),
        "relayed address": (b"2001:db8::5", "sent"),
    }


def test_stun_over_tcp_is_read_message_by_message(tmp_path):
    made = TcpTalk(sport=3478).open().sent(REQUEST * 2).received(ANSWER).close()
    extract = wire.read_talk(tmp_path, made)
    assert len(extract.rows["stun_messages"]) == 3


@given(st.binary(max_size=120))
def test_any_bytes_are_a_message_or_none(data):
    parse_stun(data)
    parse_stun(REQUEST[:20] + data)
