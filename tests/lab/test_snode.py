"""Storage nodes on the wire: calls, and onion requests that pass through real connections."""

import base64
import hashlib
import json
import os
import sys
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit.lab.layers import Channel, agree, join_list, join_payload, split_list
from tests.lab.conftest import RunningLab

Key = dict[str, str]
GUARD = "203.0.113.11:22021"


def seal(key: str, plaintext: bytes) -> tuple[Channel, bytes, str]:
    """Encrypt for a server; returns the channel, the ciphertext and the ephemeral key."""
    private = X25519PrivateKey.generate()
    channel = agree(private, key)
    return channel, channel.seal(plaintext), private.public_key().public_bytes_raw().hex()


def wrap(path: list[Key], inner: bytes, ephemeral: str, told: dict[str, Any]) -> bytes:
    """Wrap a ciphertext for the nodes of a path, the guard first."""
    info = {**told, "ephemeral_key": ephemeral}
    for node in reversed(path):
        _, inner, ephemeral = seal(node["x25519_public"], join_payload(inner, info))
        info = {"destination": node["ed25519_public"], "ephemeral_key": ephemeral}
    return join_payload(inner, {"ephemeral_key": ephemeral})


def to_node(path: list[Key], target: Key, body: bytes, **told: Any) -> tuple[Channel, bytes]:
    plaintext = join_payload(body, {"headers": {}, **told})
    channel, inner, ephemeral = seal(target["x25519_public"], plaintext)
    destination = {"destination": target["ed25519_public"]}
    return channel, wrap(path, inner, ephemeral, destination)


def post(lab: RunningLab, payload: bytes, guard: str = GUARD) -> tuple[int, bytes]:
    status, body, _ = lab.ask(guard, "POST", "/onion_req/v2", payload, tls=True)
    return status, body


@pytest.fixture
def keys(lab: RunningLab) -> list[Key]:
    return lab.ready["onion_keys"]


def test_an_onion_request_passes_three_nodes_and_each_learns_its_layer(
    lab: RunningLab, keys: list[Key]
) -> None:
    account = "05" + os.urandom(32).hex()
    body = json.dumps({"method": "get_swarm", "params": {"pubkey": account}}).encode()
    channel, payload = to_node(keys[:2], keys[4], body)
    status, answer = post(lab, payload)
    assert status == 200
    envelope = json.loads(channel.open(base64.b64decode(answer)))
    assert envelope["status"] == 200
    assert len(json.loads(envelope["body"])["snodes"]) == 3
    (last,) = [
        row
        for row in lab.wait_learned(event="opened", layer=3)
        if row["saw"] == {"accounts": [account]}
    ]
    assert (last["standin"], last["inner"]["method"]) == ("node5", "get_swarm")
    digest = hashlib.sha256(payload).hexdigest()
    (wire,) = lab.learned(body_sha256=digest)
    assert (wire["standin"], wire["layer"], wire["path"]) == ("node1", 0, "/onion_req/v2")
    opened = lab.learned(standin="node1", event="opened", layer=1)
    assert {row["inner"].get("standin") for row in opened} >= {"node2"}
    assert all(account not in json.dumps(row) for row in opened)
    relayed = lab.learned(standin="node2", event="request", layer=1)
    assert relayed
    if sys.platform == "linux":  # who relayed can be told by the address on loopback as well
        assert {row["peer"].rpartition(":")[0] for row in relayed} >= {"127.0.0.11"}


def test_answers_come_as_the_request_asks(lab: RunningLab, keys: list[Key]) -> None:
    body = b'{"method": "info", "params": {}}'
    channel, payload = to_node(keys[:1], keys[2], body, json=True, base64=False)
    _, answer = post(lab, payload)
    assert json.loads(channel.open(answer))["body"]["version"]


def test_a_wrong_swarm_is_told_inside_the_onion(lab: RunningLab, keys: list[Key]) -> None:
    for target in keys[:9]:
        body = json.dumps({"method": "retrieve", "params": {"pubkey": "05" + "11" * 32}}).encode()
        channel, payload = to_node([keys[0]], target, body)
        _, answer = post(lab, payload)
        envelope = json.loads(channel.open(base64.b64decode(answer)))
        assert envelope["status"] in {401, 421}


def test_the_file_server_is_reached_through_the_onion(lab: RunningLab, keys: list[Key]) -> None:
    content = os.urandom(500)
    told = {"host": "filev2.getsession.org", "target": "/oxen/v4/lsrpc", "method": "POST"}
    told |= {"protocol": "http", "port": 80}

    def ask(method: str, endpoint: str, body: bytes | None = None) -> tuple[dict, bytes]:
        meta = json.dumps({"endpoint": endpoint, "method": method, "headers": {}}).encode()
        parts = [meta] if body is None else [meta, body]
        channel, inner, ephemeral = seal(keys[-1]["x25519_public"], join_list(*parts))
        status, answer = post(lab, wrap(keys[:2], inner, ephemeral, told))
        assert status == 200
        head, data = split_list(channel.open(answer))
        return json.loads(head), data

    meta, data = ask("POST", "/file", content)
    assert meta["code"] == 200
    name = json.loads(data)["id"]
    meta, data = ask("GET", f"/file/{name}")
    assert (meta["code"], data) == (200, content)
    assert meta["headers"]["content-type"] == "application/octet-stream"
    assert ask("GET", "/file/0")[0]["code"] == 404
    digest = hashlib.sha256(content).hexdigest()
    rows = [
        row
        for row in lab.wait_learned(standin="file", event="opened")
        if row["saw"].get("file_sha256") == digest
    ]
    assert [row["layer"] for row in rows] == [3]
    plain = lab.ask("filev2.getsession.org:80", "GET", f"/file/{name}")
    assert plain[1] == content


def test_what_cannot_be_handed_on_is_an_error(lab: RunningLab, keys: list[Key]) -> None:
    unknown = {"ed25519_public": "ab" * 32, "x25519_public": keys[0]["x25519_public"]}
    assert post(lab, to_node(keys[:1], unknown, b"{}")[1])[0] == 502
    _, inner, ephemeral = seal(keys[-1]["x25519_public"], b"le")
    nowhere = {
        "host": "nowhere.example",
        "target": "/oxen/v4/lsrpc",
        "protocol": "http",
        "port": 80,
    }
    assert post(lab, wrap(keys[:1], inner, ephemeral, nowhere))[0] == 502


def test_nodes_are_no_open_proxies(lab: RunningLab, keys: list[Key]) -> None:
    told = {"host": "tracker.example", "target": "/not/for/nodes", "protocol": "http", "port": 80}
    _, inner, ephemeral = seal(keys[-1]["x25519_public"], b"le")
    assert post(lab, wrap(keys[:1], inner, ephemeral, told))[0] == 200
    assert not [row for row in lab.learned(standin="tracker") if row["path"] == "/not/for/nodes"]


def test_garbage_is_refused_and_noted(lab: RunningLab, keys: list[Key]) -> None:
    assert post(lab, b"")[0] == 400
    assert post(lab, b"\xff" * 50)[0] == 400
    garbled = join_payload(os.urandom(80), {"ephemeral_key": keys[0]["x25519_public"]})
    assert post(lab, garbled)[0] == 400
    many = join_payload(b"x" * 40, {"ephemeral_key": keys[0]["x25519_public"], "hop_no": 99})
    assert post(lab, many)[0] == 400
    _, inner, ephemeral = seal(keys[0]["x25519_public"], b"no layer")
    assert post(lab, join_payload(inner, {"ephemeral_key": ephemeral}))[0] == 200
    refused = lab.wait_learned(standin="node1", path="/onion_req/v2", status=400)
    assert len(refused) >= 4


def test_unknown_paths_are_404_and_noted(lab: RunningLab) -> None:
    status, body, _ = lab.ask(GUARD, "GET", "/unknown-to-nodes", tls=True)
    assert (status, body) == (404, b"GET /unknown-to-nodes Not Found")
    (row,) = lab.wait_learned(path="/unknown-to-nodes")
    assert (row["standin"], row["status"], row["scheme"]) == ("node1", 404, "https")


def test_a_call_notes_what_was_asked_and_about_whom(lab: RunningLab) -> None:
    account = "05" + os.urandom(32).hex()
    call = {"method": "get_swarm", "params": {"pubkey": account}}
    batch = {"method": "batch", "params": {"requests": [call]}}
    body = json.dumps(batch).encode()
    status, _, _ = lab.ask(GUARD, "POST", "/storage_rpc/v1", body, {"User-Agent": "X/1"}, tls=True)
    assert status == 200
    (row,) = lab.wait_learned(body_sha256=hashlib.sha256(body).hexdigest())
    assert row["saw"] == {"accounts": [account]}
    assert row["inner"]["requests"] == [{"method": "get_swarm", "params": ["pubkey"]}]
    assert ["User-Agent", "X/1"] in row["headers"]
    assert row["peer"].startswith("127.0.0.1:")
