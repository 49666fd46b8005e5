from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers.quic import QuicHellos, is_quic
from audit.readers.tlshello import parse_client_hello
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER

NAME = "quic.example"


def conversation(*, version=None, long_hello=False):
    """Datagrams of a real handshake between two aioquic connections, in memory."""
    from aioquic.buffer import Buffer
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection
    from aioquic.quic.packet import pull_quic_header

    config = QuicConfiguration(is_client=True, server_name=NAME, alpn_protocols=["h3"])
    if version is not None:
        config.supported_versions = [version]
        config.original_version = version
    if long_hello:
        config.alpn_protocols = ["h3"] + [f"filler-{index:04d}" * 10 for index in range(16)]
    client = QuicConnection(configuration=config)
    client.connect(("198.51.100.7", 443), now=0.0)
    sent = [data for data, _ in client.datagrams_to_send(now=0.0)]
    head = pull_quic_header(Buffer(data=sent[0]), host_cid_length=8)
    return sent, head


def hello(datagrams):
    found = QuicHellos()
    for number, data in enumerate(datagrams, start=1):
        found.add(data, number, from_client=True)
    body = found.message(1, from_client=True)
    return parse_client_hello(body) if body else None


def test_the_initial_of_version_1_is_opened():
    sent, _ = conversation()
    assert is_quic(sent[0])
    assert (hello(sent).sni, hello(sent).alpn) == (NAME, ("h3",))


def test_the_initial_of_version_2_is_opened():
    from aioquic.quic.packet import QuicProtocolVersion

    sent, _ = conversation(version=QuicProtocolVersion.VERSION_2)
    assert hello(sent).sni == NAME


def test_a_hello_over_several_initials_is_joined_in_any_order():
    sent, _ = conversation(long_hello=True)
    assert len(sent) > 1
    assert hello(sent).sni == NAME
    assert hello([sent[0], *reversed(sent[1:])]).sni == NAME


def test_a_quic_conversation_is_a_row_with_its_name(tmp_path):
    sent, _ = conversation()
    packets = [wire.udp(CLIENT, 5000, SERVER, 4433, data) for data in sent]
    extract = wire.read(tmp_path, wire.pcapng(wire.frames(packets)))
    (row,) = extract.rows["conversations"]
    assert (row["proto"], row["transport"], row["content"], row["host"]) == (
        "quic", "metadata-only", "opaque", NAME,
    )  # fmt: skip
    assert row["conversation"] == f"udp {CLIENT}:5000 > {SERVER}:4433"
    (handshake,) = extract.rows["tls_handshakes"]
    assert (handshake["sni"], handshake["alpn"]) == (NAME, ("h3",))
    assert handshake["ja4"].startswith("q13d")
    clear = [p for p in extract.payloads if p.detail != "tls hello"]
    assert sorted((p.location, p.data) for p in clear) == [
        *(("payload", data) for data in sorted(sent)),
        ("sni", NAME.encode()),
    ]
    assert any(b"h3" in p.data for p in extract.payloads if p.detail == "tls hello")


def test_the_packet_of_rfc_9001_is_opened():
    """Appendix A.2: keys of the connection id 0x8394c8f03e515708, sample and mask given there."""
    from audit.readers.quic import V1, _keys

    key, iv, header = _keys(V1, bytes.fromhex("8394c8f03e515708"), from_client=True)
    assert key.hex() == "1f369613dd76d5467730efcbe3b1a22d"
    assert iv.hex() == "fa044b2f42a3fd3b46fb255c"
    assert header.hex() == "9f50449e04a0e810283a1e9933adedd2"


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 1199))
def test_any_bytes_are_no_error(data, at):
    sent, _ = conversation()
    broken = sent[0][:at] + data + sent[0][at + len(data) :]
    hello([broken, data, b"\xc0\x00\x00\x00\x01" + data])
