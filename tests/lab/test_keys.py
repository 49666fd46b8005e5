"""Keys, checked against values that a published client computed."""

import json
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit.lab.keys import NodeKeys, make_keys, make_tls_context, to_x25519_public

VECTORS = json.loads(Path(__file__).with_name("onion_vectors.json").read_text())


def test_both_key_pairs_of_a_node_are_those_a_client_derives() -> None:
    for number, expected in enumerate(VECTORS["nodes"], start=1):
        keys = NodeKeys(bytes([number]) * 32)
        assert keys.ed25519_public == expected["ed25519_public"]
        assert keys.x25519_public == expected["x25519_public"]


def test_signing_keys_turn_into_the_agreement_key_of_the_same_seed() -> None:
    for _ in range(20):
        keys = make_keys()
        found = to_x25519_public(bytes.fromhex(keys.ed25519_public))
        assert found.hex() == keys.x25519_public


def test_the_private_key_handed_out_belongs_to_the_public_one() -> None:
    keys = make_keys()
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(keys.x25519_private))
    assert private.public_key().public_bytes_raw().hex() == keys.x25519_public


@pytest.mark.parametrize("data", [b"", b"\x01" + bytes(31), b"\xff" * 32, bytes(31)])
def test_bytes_that_are_no_key_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        to_x25519_public(data)


def test_every_server_has_a_certificate_of_its_own() -> None:
    seen = set()
    for _ in range(2):
        server = make_tls_context("localhost")
        seen.add(_certificate_of(server))
    assert len(seen) == 2


def _certificate_of(server: ssl.SSLContext) -> bytes | None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (near, far):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return near.getpeercert(binary_form=True)


def test_keys_are_new_every_time() -> None:
    assert len({make_keys().seed for _ in range(5)}) == 5
