"""The rules of storage nodes, as real ones keep them."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.lab import storage as storage_module
from audit.lab.calls import call, call_text
from audit.lab.keys import make_keys
from audit.lab.network import make_nodes
from audit.lab.storage import Storage, now_ms
from audit.lab.swarm import MAX_MESSAGE_BYTES, SWARM_SIZE, swarm_index

DAY_MS = 24 * 3600 * 1000


class World:
    """Nine nodes and one account."""

    def __init__(self) -> None:
        self.nodes = make_nodes()
        self.keys = make_keys()
        self.account = "05" + self.keys.x25519_public
        self.replicas: list[str] = []
        self.home = self.storage_of(self.swarm_of(bytes.fromhex(self.account))[0])

    def swarm_of(self, account: bytes):
        return self.nodes[swarm_index(account, 3) * SWARM_SIZE].swarm

    def storage_of(self, node) -> Storage:
        return Storage(
            node=node,
            swarm_of=self.swarm_of,
            replicated=lambda other, _method, _account: self.replicas.append(other.name),
            chain=lambda endpoint, _params: {"height": 1} if endpoint == "get_info" else None,
        )

    def sign(self, *parts: object) -> dict[str, Any]:
        message = "".join(map(str, parts)).encode()
        return {
            "pubkey": self.account,
            "pubkey_ed25519": self.keys.ed25519_public,
            "signature": base64.b64encode(self.keys.signing.sign(message)).decode(),
        }

    def store(self, content: bytes = b"hello", **changes: Any):
        params = {
            "pubkey": self.account,
            "ttl": DAY_MS,
            "timestamp": now_ms(),
            "data": base64.b64encode(content).decode(),
        }
        return call(self.home, "store", {**params, **changes})

    def retrieve(self, namespace: int = 0, **changes: Any):
        at = now_ms()
        params = {"namespace": namespace, "timestamp": at}
        signed = self.sign("retrieve", namespace or "", at)
        return call(self.home, "retrieve", {**params, **signed, **changes})


@pytest.fixture
def world() -> World:
    return World()


def test_a_stored_message_comes_back(world: World) -> None:
    code, body = world.store()
    assert code == 200
    code, found = world.retrieve()
    assert code == 200
    assert [item["hash"] for item in found["messages"]] == [body["hash"]]
    assert base64.b64decode(found["messages"][0]["data"]) == b"hello"


def test_the_hash_is_what_the_storage_server_computes(world: World) -> None:
    _, body = world.store(b"hello")
    digest = hashlib.blake2b(bytes.fromhex(world.account) + b"hello", digest_size=32).digest()
    assert body["hash"] == base64.b64encode(digest).decode().rstrip("=")


def test_the_same_message_is_kept_once(world: World) -> None:
    world.store()
    _, again = world.store()
    assert again["swarm"][world.home.node.keys.ed25519_public]["already"] is True
    assert len(world.retrieve()[1]["messages"]) == 1


def test_every_node_of_the_swarm_keeps_a_copy_and_signs_for_it(world: World) -> None:
    _, body = world.store()
    swarm = world.swarm_of(bytes.fromhex(world.account))
    assert set(body["swarm"]) == {node.keys.ed25519_public for node in swarm}
    assert sorted(world.replicas) == sorted(node.name for node in swarm[1:])
    for node in swarm:
        signature = base64.b64decode(body["swarm"][node.keys.ed25519_public]["signature"])
        node.keys.signing.public_key().verify(signature, body["hash"].encode())
        assert node.boxes.find(bytes.fromhex(world.account), body["hash"])


def test_a_node_outside_the_swarm_says_misdirected_and_names_the_right_ones(world: World) -> None:
    swarm = world.swarm_of(bytes.fromhex(world.account))
    other = next(node for node in world.nodes if node not in swarm)
    code, body = call(world.storage_of(other), "retrieve", {"pubkey": world.account})
    assert code == 421
    assert {node["ip"] for node in body["snodes"]} == {node.address for node in swarm}
    assert call(world.storage_of(other), "get_swarm", {"pubkey": world.account})[0] == 200


@pytest.mark.parametrize(
    ("namespace", "ttl_ms", "code"),
    [
        (0, 9_999, 403),
        (0, 10_000, 200),
        (0, 14 * DAY_MS, 200),
        (0, 14 * DAY_MS + 1, 403),
        (10, 14 * DAY_MS + 1, 403),
        (2, 14 * DAY_MS + 1, 200),
        (2, 30 * DAY_MS, 200),
        (2, 30 * DAY_MS + 1, 403),
    ],
)
def test_how_long_messages_may_live(world: World, namespace: int, ttl_ms: int, code: int) -> None:
    at = now_ms()
    signed = world.sign("store", namespace, at) if namespace % 10 else {}
    told = world.store(namespace=namespace, ttl=ttl_ms, timestamp=at, **signed)
    assert told[0] == code, told


def test_texts_for_numbers_are_taken_as_old_clients_send_them(world: World) -> None:
    assert world.store(ttl=str(DAY_MS), timestamp=str(now_ms()))[0] == 200


def test_own_namespaces_need_the_owner_s_signature_to_store(world: World) -> None:
    assert world.store(namespace=2)[0] == 401
    stranger = make_keys()
    at = now_ms()
    forged = base64.b64encode(stranger.signing.sign(f"store2{at}".encode())).decode()
    named = {"signature": forged, "pubkey_ed25519": stranger.ed25519_public}
    assert world.store(namespace=2, timestamp=at, **named)[0] == 401
    assert world.store(namespace=2, timestamp=at, **world.sign("store", 2, at))[0] == 200


def test_reading_needs_a_fresh_signature_of_the_owner(world: World) -> None:
    world.store()
    assert call(world.home, "retrieve", {"pubkey": world.account})[0] == 401
    assert world.retrieve(signature=base64.b64encode(bytes(64)).decode())[0] == 401
    assert world.retrieve(namespace=0, timestamp=now_ms() - 61_000)[0] == 406
    other = make_keys()
    assert world.retrieve(pubkey_ed25519=other.ed25519_public)[0] == 401


def test_the_namespace_is_part_of_what_is_signed(world: World) -> None:
    at = now_ms()
    params = {"namespace": 3, "timestamp": at, **world.sign("retrieve", at)}
    assert call(world.home, "retrieve", params)[0] == 401
    params = {"namespace": 3, "timestamp": at, **world.sign("retrieve", 3, at)}
    assert call(world.home, "retrieve", params)[0] == 200


def test_namespaces_do_not_mix(world: World) -> None:
    world.store(b"inbox")
    at = now_ms()
    world.store(b"config", namespace=2, timestamp=at, **world.sign("store", 2, at))
    assert len(world.retrieve(0)[1]["messages"]) == 1
    assert len(world.retrieve(2)[1]["messages"]) == 1
    assert world.retrieve(3)[1]["messages"] == []


def test_only_what_came_after_a_message_is_given(world: World) -> None:
    first, second = world.store(b"one")[1]["hash"], world.store(b"two")[1]["hash"]
    found = world.retrieve(last_hash=first)[1]["messages"]
    assert [item["hash"] for item in found] == [second]
    assert world.retrieve(lastHash=second)[1]["messages"] == []
    assert len(world.retrieve(lastHash="A" * 43)[1]["messages"]) == 2
    assert world.retrieve(last_hash="short")[0] == 400


def test_long_mailboxes_are_given_in_parts(world: World) -> None:
    for number in range(4):
        world.store(bytes([number]) * 60_000)
    _, body = world.retrieve(max_size=200_000)
    assert len(body["messages"]) == 2
    assert body["more"] is True
    assert len(world.retrieve(max_count=1)[1]["messages"]) == 1
    assert len(world.retrieve(max_size=-1)[1]["messages"]) == 4


def test_what_has_expired_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.store(ttl=10_000)
    later = now_ms() + 10_001
    monkeypatch.setattr(storage_module.time, "time_ns", lambda: later * 1_000_000)
    assert world.retrieve()[1]["messages"] == []


def test_too_much_and_undated_messages_are_refused(world: World) -> None:
    assert world.store(b"x" * MAX_MESSAGE_BYTES)[0] == 200
    assert world.store(b"x" * (MAX_MESSAGE_BYTES + 1))[0] == 400
    assert world.store(data="not base64!")[0] == 400
    assert world.store(timestamp=now_ms() + 11_000)[0] == 406
    assert world.store(timestamp=None)[0] == 400
    assert world.store(expiry=now_ms() + DAY_MS)[0] == 400


def test_owners_delete_by_hash_by_time_and_all(world: World) -> None:
    hashes = [world.store(bytes([number]))[1]["hash"] for number in range(4)]
    params = {"messages": hashes[:1], **world.sign("delete", hashes[0])}
    code, body = call(world.home, "delete", params)
    assert code == 200
    assert all(part["deleted"] == hashes[:1] for part in body["swarm"].values())
    assert call(world.home, "delete", {**params, "required": True})[0] == 404
    before = now_ms() - DAY_MS
    params = {"before": before, **world.sign("delete_before", before)}
    assert call(world.home, "delete_before", params)[0] == 200
    assert len(world.retrieve()[1]["messages"]) == 3
    at = now_ms()
    params = {"timestamp": at, "namespace": "all", **world.sign("delete_all", "all", at)}
    code, body = call(world.home, "delete_all", params)
    assert sorted(next(iter(body["swarm"].values()))["deleted"]["0"]) == sorted(hashes[1:])
    assert world.retrieve()[1]["messages"] == []


def test_strangers_delete_nothing(world: World) -> None:
    found = world.store()[1]["hash"]
    forged = base64.b64encode(make_keys().signing.sign(f"delete{found}".encode())).decode()
    params = {"messages": [found], "pubkey": world.account, "signature": forged}
    assert call(world.home, "delete", params)[0] == 401
    assert len(world.retrieve()[1]["messages"]) == 1


def test_expiries_are_changed_and_told(world: World) -> None:
    found = world.store()[1]["hash"]
    expiry = now_ms() + 60_000
    signed = world.sign("expire", "shorten", expiry, found)
    params = {"messages": [found], "expiry": expiry, "shorten": True, **signed}
    _, body = call(world.home, "expire", params)
    assert all(part["updated"] == [found] for part in body["swarm"].values())
    at = now_ms()
    params = {"messages": [found], "timestamp": at, **world.sign("get_expiries", at, found)}
    assert call(world.home, "get_expiries", params)[1]["expiries"] == {found: expiry}


def test_a_batch_answers_each_request_and_a_sequence_stops_at_the_first_error(world: World) -> None:
    info = {"method": "info", "params": {}}
    wrong = {"method": "retrieve", "params": {"pubkey": world.account}}
    code, body = call(world.home, "batch", {"requests": [info, wrong, info]})
    assert code == 200
    assert [item["code"] for item in body["results"]] == [200, 401, 200]
    _, body = call(world.home, "sequence", {"requests": [info, wrong, info]})
    assert [item["code"] for item in body["results"]] == [200, 401]
    assert call(world.home, "batch", {"requests": [info] * 21})[0] == 400
    assert call(world.home, "batch", {"requests": []})[0] == 400
    nested = {"method": "batch", "params": {"requests": [info]}}
    assert call(world.home, "batch", {"requests": [nested]})[0] == 400


def test_questions_about_the_chain_are_passed_on(world: World) -> None:
    assert call(world.home, "oxend_request", {"endpoint": "get_info"})[1]["result"] == {"height": 1}
    assert call(world.home, "oxend_request", {"endpoint": "stop_daemon"})[0] == 400


def test_assignment_to_swarms_is_by_the_key_alone(world: World) -> None:
    account = bytes.fromhex(world.account)
    assert len(world.swarm_of(account)) == SWARM_SIZE
    assert {swarm_index(bytes([5]) + bytes([n]) * 4 + bytes(28), 3) for n in range(40)} == {0, 1, 2}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=70),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["method", "params", "requests", "pubkey", "ttl"]), inner)
    ),
    max_leaves=12,
)
WORLD = World()


@given(JSON)
def test_any_json_is_answered(value: object) -> None:
    code, body = call_text(WORLD.home, json.dumps(value).encode())
    assert code in {200, 400, 401, 403, 404, 406, 421}
    json.dumps(body)


@given(
    st.sampled_from(["store", "retrieve", "delete", "expire", "delete_all", "get_expiries"]),
    st.dictionaries(
        st.sampled_from(
            ["namespace", "timestamp", "ttl", "data", "signature", "messages", "expiry", "max_size"]
        ),
        JSON,
    ),
)
def test_any_parameters_are_answered(method: str, params: dict) -> None:
    code, _ = call(WORLD.home, method, {"pubkey": WORLD.account, **params})
    assert code in {200, 400, 401, 403, 404, 406, 421}


@given(st.binary(max_size=60))
def test_any_bytes_are_answered(data: bytes) -> None:
    assert call_text(WORLD.home, data)[0] in {200, 400}
