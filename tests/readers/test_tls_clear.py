from __future__ import annotations

import itertools
import struct

from hypothesis import given
from hypothesis import strategies as st

from audit.readers.tls_clear import clear_spans
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER, TcpTalk

SNI = b"keys.example"
CANARIES = [b"canary of the session id", b"canary/alpn", b"canary of the ticket", b"canary of a key",
            b"canary of an unknown extension"]  # fmt: skip


def extension(kind, data):
    return struct.pack("!HH", kind, len(data)) + data


def block(width, data):
    return len(data).to_bytes(width, "big") + data


def hello_body(*, cookie=b""):
    session, alpn, ticket, key, odd = CANARIES
    extensions = (
        extension(0, block(2, b"\0" + block(2, SNI)))
        + extension(16, block(2, block(1, alpn)))
        + extension(35, ticket)
        + extension(0x5A5A, odd)
        + extension(41, block(2, block(2, key) + bytes(4)) + block(2, block(1, bytes(32))))
    )
    return (
        b"\3\3" + bytes(range(32)) + block(1, session) + cookie + block(2, b"\x13\1")
        + block(1, b"\0") + block(2, extensions)
    )  # fmt: skip


def message(kind, body):
    return bytes((kind,)) + block(3, body)


def record(kind, body):
    return bytes((kind,)) + b"\3\3" + block(2, body)


HELLO = record(22, message(1, hello_body()))


def clear(extract, table="tls_handshakes"):
    return [p for p in extract.payloads if p.detail == "tls hello" and p.table == table]


def test_every_byte_of_a_hello_is_searched_once(tmp_path):
    extract = wire.read_talk(tmp_path, TcpTalk(sport=443).open().sent(HELLO).close())
    found = [p for p in extract.payloads if p.direction == "sent"]
    assert all(HELLO[p.ref.start : p.ref.end] == p.data for p in found)
    assert sorted((p.ref.start, p.ref.end) for p in found) == [
        (0, HELLO.index(SNI)),
        (HELLO.index(SNI), HELLO.index(SNI) + len(SNI)),
        (HELLO.index(SNI) + len(SNI), len(HELLO)),
    ]
    assert {p.location for p in found} == {"sni", "payload"}


def test_a_client_certificate_and_bytes_that_are_no_records_are_searched(tmp_path):
    certificate = record(22, message(11, b"canary of a certificate"))
    sealed = record(20, b"\1") + record(22, b"sealed finished") + record(23, b"sealed")
    sent = HELLO + certificate + sealed + b"no record: canary"
    extract = wire.read_talk(tmp_path, TcpTalk(sport=443).open().sent(sent).close())
    data = b"".join(p.data for p in clear(extract))
    assert b"canary of a certificate" in data
    assert b"no record: canary" in data
    assert b"sealed" not in data


def test_a_message_cut_into_records_is_searched_joined(tmp_path):
    whole = message(1, hello_body())
    sent = b"".join(record(22, whole[at : at + 7]) for at in range(0, len(whole), 7))
    extract = wire.read_talk(tmp_path, TcpTalk(sport=443).open().sent(sent).close())
    (joined,) = [p for p in clear(extract) if p.seams]
    assert (joined.data, joined.seams[:2]) == (whole, (7, 14))
    assert joined.ref.part == "tcp.sent/handshake"


def test_a_second_hello_after_a_retry_is_in_clear():
    sent = HELLO + record(20, b"\1") + HELLO + record(20, b"\1") + record(22, b"sealed" * 10)
    spans, hellos = clear_spans(sent)
    assert (spans[-1], len(hellos)) == ((len(HELLO) + 6, 2 * len(HELLO) + 6), 2)


def test_a_hello_that_is_cut_belongs_to_the_conversation(tmp_path):
    extract = wire.read_talk(tmp_path, TcpTalk(sport=443).open().sent(HELLO[:-9]).close())
    (payload,) = clear(extract, "conversations")
    assert payload.data == HELLO[:-9]


def test_a_hello_of_dtls_and_what_goes_beside_it_are_searched(tmp_path):
    def dtls(kind, body, sequence=0):
        head = (
            bytes((kind,)) + len(body).to_bytes(3, "big") + sequence.to_bytes(2, "big") + bytes(3)
        )
        fragment = head + block(3, body)
        return b"\x16\xfe\xfd" + bytes(8) + block(2, fragment)

    body = hello_body(cookie=b"\0")
    other = dtls(11, b"canary of a certificate", 1)
    packets = [wire.udp(CLIENT, 5000, SERVER, 4433, d) for d in (dtls(1, body), other, b"beside")]
    extract = wire.read(tmp_path, wire.pcapng(wire.frames(packets)))
    found = clear(extract)
    assert all(body[p.ref.start : p.ref.end] == p.data for p in found)
    assert all(any(canary in p.data for p in found) for canary in CANARIES)
    raw = [p.data for p in extract.payloads if p.table == "conversations"]
    assert raw == [other, b"beside"]


@given(st.binary(max_size=80))
def test_any_bytes_have_spans_in_order(data):
    for sent in (data, HELLO + data):
        spans, _ = clear_spans(sent)
        ends = [0, *(at for span in spans for at in span)]
        assert ends == sorted(ends)
        assert ends[-1] <= len(sent)


def test_a_server_name_cut_by_the_border_of_two_records_leaves_nothing_out(tmp_path):
    whole = message(1, hello_body())
    at = whole.index(SNI) + 4
    stream = record(22, whole[:at]) + record(22, whole[at:])
    extract = wire.read_talk(tmp_path, TcpTalk(sport=443).open().sent(stream).close())
    (handshake,) = extract.rows["tls_handshakes"]
    assert handshake["sni"] == SNI.decode()
    runs = [p for p in extract.payloads if p.direction == "sent" and not p.seams]
    covered = sorted((p.ref.start, p.ref.end) for p in runs if p.ref.part == "tcp.sent")
    assert covered[0][0] == 0
    assert max(end for _, end in covered) == len(stream)
    assert all(low[1] >= high[0] for low, high in itertools.pairwise(covered))
