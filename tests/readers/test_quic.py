from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers.quic import V1, V2, QuicHellos, _keys, is_quic
from audit.readers.tlshello import parse_client_hello
from tests.readers import wire
from tests.readers.test_glance import server_hello
from tests.readers.test_tlshello import long_hello
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


def sealed_initial(frames, *, number, dcid, key_id, up=True, version=V1, token=b""):
    """An Initial packet without padding (RFC 9000 §17.2.2), under the keys of ``key_id``."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, iv, header_key = _keys(version, key_id, from_client=up)
    first = 0xD3 if version == V2 else 0xC3
    head = bytes((first,)) + version.to_bytes(4, "big") + bytes((len(dcid),)) + dcid + b"\0"
    head += bytes((len(token),)) + token + (0x4000 | len(frames) + 20).to_bytes(2, "big")
    head += number.to_bytes(4, "big")
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    sealed = AESGCM(key).encrypt(nonce, frames, head)
    cipher = Cipher(algorithms.AES(header_key), modes.ECB())  # noqa: S305 - RFC 9001 §5.4.3
    mask = cipher.encryptor().update(sealed[:16])
    hidden = bytes(one ^ two for one, two in zip(head[-4:], mask[1:5], strict=True))
    return bytes((first ^ mask[0] & 15,)) + head[1:-4] + hidden + sealed


def crypto(data, at):
    size = (0x4000 | at).to_bytes(2, "big") + (0x4000 | len(data)).to_bytes(2, "big")
    return b"\x06" + size + data + b"\x01"


@pytest.mark.parametrize("version", [V1, V2])
@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_crypto_over_reordered_and_coalesced_initials(tmp_path_factory, version, draw):
    message = long_hello(1500)
    edges = sorted({0, *(draw.randrange(len(message)) for _ in range(5)), len(message)})
    pieces = [crypto(message[a:b], a) for a, b in pairwise(edges)]
    draw.shuffle(pieces)
    initials = [
        sealed_initial(piece, number=at, dcid=b"eight by", key_id=b"eight by", version=version)
        for at, piece in enumerate(pieces)
    ]
    datagrams = []
    while initials:
        count = draw.randrange(1, 4)
        datagrams.append(b"".join(initials[:count]))
        del initials[:count]
    packets = [wire.udp(CLIENT, 5000, SERVER, 443, data) for data in datagrams]
    path = tmp_path_factory.mktemp("coalesced")
    found = wire.read(path, wire.pcapng(wire.frames(packets)))
    (row,) = found.rows["tls_handshakes"]
    assert (row["sni"], row["alpn"]) == ("long.example", ("h2",))


def test_after_a_retry_the_keys_are_those_of_the_new_connection_id(tmp_path):
    message = long_hello(200)
    first = sealed_initial(crypto(message[:90], 0), number=0, dcid=b"old id..", key_id=b"old id..")
    retry = b"\xf0" + V1.to_bytes(4, "big") + b"\0\x08new id.." + b"token" + bytes(16)
    options = {"dcid": b"new id..", "key_id": b"new id..", "token": b"token"}
    second = sealed_initial(crypto(message, 0), number=1, **options)
    answer = sealed_initial(
        crypto(server_hello(random.Random(1), tls13=True), 0),
        number=0, dcid=b"", key_id=b"new id..", up=False,
    )  # fmt: skip
    ends, back = (CLIENT, 5000, SERVER, 443), (SERVER, 443, CLIENT, 5000)
    packets = [
        wire.udp(*ends, first), wire.udp(*back, retry), wire.udp(*ends, second),
        wire.udp(*back, answer),
    ]  # fmt: skip
    found = wire.read(tmp_path, wire.pcapng(wire.frames(packets)))
    (row,) = found.rows["tls_handshakes"]
    assert (row["sni"], row["version"]) == ("long.example", "TLSv1.3")
