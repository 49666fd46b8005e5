"""Onion layers, against requests that a published client made."""

import hashlib
import hmac
import json
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from audit.lab.keys import NodeKeys
from audit.lab.layers import (
    Channel,
    LayerError,
    ToHost,
    ToNode,
    ToSelf,
    agree,
    is_allowed_target,
    join_list,
    join_payload,
    open_request,
    parse_layer,
    split_list,
    split_payload,
)

VECTORS = json.loads(Path(__file__).with_name("onion_vectors.json").read_text())
NODES = [NodeKeys(bytes([number]) * 32) for number in (1, 2, 3)]


def open_with(keys: NodeKeys, payload: bytes):
    ciphertext, info = split_payload(payload)
    return open_request(keys.agreement, ciphertext, info)


def hand_on(layer: ToNode) -> bytes:
    return join_payload(layer.ciphertext, {"ephemeral_key": layer.ephemeral_key})


def test_a_published_client_s_request_opens_layer_by_layer() -> None:
    payload = bytes.fromhex(VECTORS["to_node"]["payload"])
    for keys, following in pairwise(NODES):
        _, plaintext = open_with(keys, payload)
        layer = parse_layer(plaintext)
        assert isinstance(layer, ToNode)
        assert layer.destination == following.ed25519_public
        payload = hand_on(layer)
    channel, plaintext = open_with(NODES[2], payload)
    layer = parse_layer(plaintext)
    assert layer == ToSelf(VECTORS["to_node"]["call"].encode())
    secret = bytes.fromhex(VECTORS["to_node"]["shared_secret"])
    assert channel.key == hmac.digest(b"LOKI", secret, hashlib.sha256)


def test_a_published_client_s_request_to_the_file_server_opens_there() -> None:
    vector = VECTORS["to_host"]
    payload = bytes.fromhex(vector["payload"])
    _, plaintext = open_with(NODES[0], payload)
    layer = parse_layer(plaintext)
    assert isinstance(layer, ToNode)
    _, plaintext = open_with(NODES[1], hand_on(layer))
    layer = parse_layer(plaintext)
    assert isinstance(layer, ToHost)
    told = (layer.host, layer.target, layer.protocol, layer.port)
    assert told == (vector["host"], vector["target"], "http", 80)
    channel, inner = open_with(NodeKeys(bytes([9]) * 32), layer.payload)
    meta, body = split_list(inner)
    assert json.loads(meta) == vector["request"]
    assert body == vector["body"].encode()
    secret = bytes.fromhex(vector["shared_secret"])
    sealed = channel.seal(b"answer")
    key = hmac.digest(b"LOKI", secret, hashlib.sha256)
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], None) == b"answer"


def test_a_node_opens_no_layer_of_another() -> None:
    with pytest.raises(LayerError):
        open_with(NODES[1], bytes.fromhex(VECTORS["to_node"]["payload"]))


def test_one_changed_byte_is_noticed() -> None:
    payload = bytearray.fromhex(VECTORS["to_node"]["payload"])
    payload[40] ^= 1
    with pytest.raises(LayerError):
        open_with(NODES[0], bytes(payload))


@pytest.mark.parametrize("key", ["", "00" * 32, "zz" * 32, "01" * 31, "ff" * 64])
def test_unusable_ephemeral_keys_are_refused(key: str) -> None:
    with pytest.raises(LayerError):
        agree(NODES[0].agreement, key)


@pytest.mark.parametrize(
    ("info", "complaint"),
    [
        ({}, "neither"),
        ({"destination": 1, "ephemeral_key": "00"}, "neither"),
        ({"host": "h.example"}, "texts"),
        ({"host": "h.example", "target": "/oxen/x/lsrpc", "port": "80"}, "port"),
        ({"host": "h.example", "target": "/oxen/x/lsrpc", "port": 0}, "port"),
    ],
)
def test_layers_that_say_nothing_sensible_are_refused(info: dict, complaint: str) -> None:
    with pytest.raises(LayerError, match=complaint):
        parse_layer(join_payload(b"x", info))


def test_the_end_of_the_path_may_ask_for_raw_or_embedded_answers() -> None:
    layer = parse_layer(join_payload(b"{}", {"headers": {}, "json": True, "base64": False}))
    assert layer == ToSelf(b"{}", embed_json=True, as_base64=False)


def test_nodes_forward_to_onion_endpoints_only() -> None:
    assert is_allowed_target("/oxen/v4/lsrpc")
    assert is_allowed_target("/loki/v3/lsrpc")
    for target in ("/file", "/oxen/v4/lsrpc?x=1", "/other/lsrpc", "/oxen/v4/lsrpc/x"):
        assert not is_allowed_target(target)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_layer_or_its_one_error(data: bytes) -> None:
    channel = Channel(b"k" * 32)
    for reader in (split_payload, split_list, parse_layer, channel.open):
        try:
            reader(data)
        except LayerError:
            continue


@given(st.binary(max_size=100), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3))
def test_payloads_survive_the_way(inner: bytes, info: dict) -> None:
    assert split_payload(join_payload(inner, info)) == (inner, info)


@given(st.lists(st.binary(max_size=50), max_size=4))
def test_lists_survive_the_way(parts: list[bytes]) -> None:
    assert split_list(join_list(*parts)) == parts
