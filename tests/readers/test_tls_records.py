"""TLS 1.3 records made here with keys made here: what OpenSSL does not do on request."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.readers import wire
from tests.readers.wire import TcpTalk

RANDOM = bytes(range(32))


def expand(secret, label, length):
    name = b"tls13 " + label
    info = struct.pack("!HB", length, len(name)) + name + b"\0\x01"
    return hmac.digest(secret, info, "sha256")[:length]


class Sender:
    """Seals records of one direction as RFC 8446 says, with AES-128-GCM."""

    def __init__(self, secret):
        self.secret, self.sequence = secret, 0

    def record(self, kind, text, padding=0):
        inner = text + bytes((kind,)) + bytes(padding)
        nonce = int.from_bytes(expand(self.secret, b"iv", 12), "big") ^ self.sequence
        header = b"\x17\x03\x03" + struct.pack("!H", len(inner) + 16)
        self.sequence += 1
        key = AESGCM(expand(self.secret, b"key", 16))
        return header + key.encrypt(nonce.to_bytes(12, "big"), inner, header)

    def update(self):
        sealed = self.record(22, b"\x18\x00\x00\x01\x01")
        self.secret, self.sequence = expand(self.secret, b"traffic upd", 32), 0
        return sealed


def handshake(kind, body):
    message = bytes((kind,)) + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + struct.pack("!H", len(message)) + message


def client_hello():
    name = b"keys.example"
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(sni)) + sni + b"\x00\x2b\x00\x03\x02\x03\x04"
    return handshake(
        1,
        b"\3\3" + RANDOM + b"\0\0\2\x13\x01\1\0" + struct.pack("!H", len(extensions)) + extensions,
    )


def server_hello():
    return handshake(2, b"\3\3" + bytes(32) + b"\0\x13\x01\0\0\6\x00\x2b\x00\x02\x03\x04")


class Connection:
    def __init__(self):
        self.secrets = {
            label: os.urandom(32)
            for label in (
                "CLIENT_EARLY_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0",
            )
        }  # fmt: skip
        self.talk = TcpTalk(sport=444).open().sent(client_hello()).received(server_hello())
        self.early = Sender(self.secrets["CLIENT_EARLY_TRAFFIC_SECRET"])
        self.client = Sender(self.secrets["CLIENT_TRAFFIC_SECRET_0"])
        self.server = Sender(self.secrets["SERVER_TRAFFIC_SECRET_0"])
        self.client_flight = Sender(self.secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"])
        self.server_flight = Sender(self.secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"])

    def finish(self):
        finished = b"\x14\x00\x00\x20" + bytes(32)
        certificate = b"\0" + (9).to_bytes(3, "big") + (4).to_bytes(3, "big") + b"leaf\0\0"
        flight = (
            b"\x08\0\0\2\0\0\x0b" + len(certificate).to_bytes(3, "big") + certificate + finished
        )
        middle = 11  # a message over two records, several messages in one
        self.talk.received(
            b"\x14\x03\x03\x00\x01\x01" + self.server_flight.record(22, flight[:middle])
        )
        self.talk.received(self.server_flight.record(22, flight[middle:], padding=7))
        self.talk.sent(b"\x14\x03\x03\x00\x01\x01" + self.client_flight.record(22, finished))
        return self

    def read(self, folder, *, without=(), damage=None):
        lines = [
            f"{label} {RANDOM.hex()} {secret.hex()}"
            for label, secret in self.secrets.items()
            if label not in without
        ]
        log = "\n".join(lines).encode()
        return wire.read(folder, wire.pcapng(wire.frames(self.talk.packets), key_log=log))


GET = b"GET /%s HTTP/1.1\r\nHost: keys.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def paths(extract):
    return [row["path"] for row in extract.rows.get("http_requests", [])]


def test_keys_may_be_updated_on_both_sides(tmp_path):
    made = Connection().finish()
    made.talk.sent(made.client.record(23, GET % b"one") + made.client.update())
    made.talk.received(made.server.record(23, OK) + made.server.update())
    made.talk.sent(made.client.record(23, GET % b"two", padding=100) + made.client.update())
    made.talk.sent(made.client.record(23, GET % b"three")).received(made.server.record(23, OK * 2))
    extract = made.read(tmp_path)
    assert paths(extract) == ["/one", "/two", "/three"]
    assert len(extract.rows["http_responses"]) == 3
    assert extract.truncated == []
    certificate = extract.rows["tls_handshakes"][0]["certificate"]
    assert certificate == hashlib.sha256(b"leaf").hexdigest()


def test_early_data_is_read_with_its_own_secret(tmp_path):
    made = Connection()
    made.talk.sent(made.early.record(23, GET % b"early") + made.early.record(22, b"\x05\0\0\0"))
    made.finish().talk.sent(made.client.record(23, GET % b"late"))
    assert paths(made.read(tmp_path)) == ["/early", "/late"]
    assert paths(made.read(tmp_path, without=("CLIENT_EARLY_TRAFFIC_SECRET",))) == ["/late"]


def test_traffic_secrets_alone_are_enough_for_contents(tmp_path):
    made = Connection().finish()
    made.talk.sent(made.client.record(23, GET % b"x")).received(made.server.record(23, OK))
    handshake_secrets = ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
    extract = made.read(tmp_path, without=handshake_secrets)
    assert paths(extract) == ["/x"]
    assert extract.rows["tls_handshakes"][0]["certificate"] is None


@pytest.mark.parametrize("label", ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"])
def test_with_half_of_the_secrets_nothing_counts_as_opened(tmp_path, label):
    made = Connection().finish()
    made.talk.sent(made.client.record(23, GET % b"x")).received(made.server.record(23, OK))
    extract = made.read(tmp_path, without=(label,))
    assert paths(extract) == []
    assert extract.rows["conversations"][0]["transport"] == "metadata-only"


def test_secrets_that_do_not_fit_open_nothing(tmp_path):
    made = Connection().finish()
    made.talk.sent(made.client.record(23, GET % b"x")).received(made.server.record(23, OK))
    made.secrets = {label: os.urandom(32) for label in made.secrets}
    extract = made.read(tmp_path)
    assert paths(extract) == []
    assert extract.rows["tls_handshakes"][0]["transport"] == "metadata-only"


def test_after_a_lost_record_nothing_is_opened_and_it_is_said(tmp_path):
    made = Connection().finish()
    made.talk.sent(made.client.record(23, GET % b"one"))
    made.client.record(23, GET % b"lost")
    made.talk.sent(made.client.record(23, GET % b"three"))
    extract = made.read(tmp_path)
    assert paths(extract) == ["/one"]
    assert any("opens only up to a record" in said for said in extract.truncated)


def test_a_gap_in_tcp_ends_the_opening_and_is_said(tmp_path):
    made = Connection().finish()
    made.talk.sent(made.client.record(23, GET % b"one"))
    made.talk.cseq += 50
    made.talk.sent(made.client.record(23, GET % b"two"))
    extract = made.read(tmp_path)
    assert paths(extract) == ["/one"]
    assert extract.rows["conversations"][0]["missed_bytes"] == 50
    assert extract.rows["conversations"][0]["transport"] == "metadata-only"


def test_what_follows_a_clear_text_greeting_is_known_as_tls(tmp_path):
    made = Connection()
    made.talk = TcpTalk(sport=25).open().received(b"220 ready\r\n").sent(b"STARTTLS\r\n")
    made.talk.received(b"220 go\r\n").sent(client_hello()).received(server_hello())
    made.finish().talk.sent(made.client.record(23, GET % b"inside"))
    extract = made.read(tmp_path)
    assert paths(extract) == ["/inside"]
    clear = {payload.data for payload in extract.payloads if payload.table == "conversations"}
    assert clear == {b"STARTTLS\r\n", b"220 ready\r\n220 go\r\n"}


def test_the_middle_of_a_tls_connection_is_known_as_sealed(tmp_path):
    made = Connection()
    talk = TcpTalk(sport=445).sent(made.client.record(23, GET)).received(made.server.record(23, OK))
    extract = wire.read_talk(tmp_path, talk)
    (row,) = extract.rows["conversations"]
    assert (row["transport"], row["content"]) == ("metadata-only", "opaque")


def test_the_name_in_a_hello_is_searched_where_it_stands(tmp_path):
    extract = Connection().read(tmp_path)
    (payload,) = [payload for payload in extract.payloads if payload.location == "sni"]
    assert (payload.location, payload.data) == ("sni", b"keys.example")
    assert client_hello()[payload.ref.start : payload.ref.end] == b"keys.example"
