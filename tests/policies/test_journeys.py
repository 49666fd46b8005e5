"""Real clients in the lab: the journey is whole, and what the stand-ins learned is what is so."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from audit.lab.addresses import FILE_SERVER_NAME, SEEDS
from tests.lab.conftest import RunningLab, lab
from tests.lab.journey import _proxies, run_journey
from tests.policies.conftest import World, client_python

__all__ = ["lab"]
pytestmark = [pytest.mark.system, pytest.mark.xdist_group("clients")]
SEED_NAMES = {f"{name}.getsession.org" for name in SEEDS}
ONION = "sessionpy-messenger"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_peer_and_client_tell_the_same_story(world: World) -> None:
    sent = world.client_line("app.message.send")["facts"]["text_sha256"]
    assert sent == digest(world.persona["message"])
    received = world.peer_line("app.message.receive")["facts"]
    assert received == {"account": world.account, "text_sha256": sent}
    file = world.client_line("app.attachment.send")["facts"]["file_sha256"]
    assert file == digest(world.persona["attachment"])
    received = world.peer_line("app.attachment.receive")["facts"]
    assert received == {"account": world.account, "file_sha256": file}
    reply = world.peer_line("app.message.send")["facts"]
    assert reply["account"] == world.account
    got = world.client_line("app.message.receive")["facts"]
    assert got == {"text_sha256": reply["text_sha256"]}


def test_lines_are_in_order_and_without_errors(world: World) -> None:
    actions = [line["action"] for line in world.client if line["action"]]
    expected = ["account.create", "app.message.send", "app.attachment.send", "app.message.receive"]
    assert actions == expected
    assert all(line["ok"] for line in [*world.client, *world.peer])
    kinds = {item["kind"] for item in world.client_line("account.create")["identifiers"]}
    assert kinds == {"account_id", "recovery_phrase"}


def test_the_changed_trust_anchor_is_said_and_no_other(world: World, target: str) -> None:
    remarks = [line["note"] for line in world.client if line["action"] is None]
    expected = ["the client's built-in file-server key was replaced by the lab's"]
    assert remarks == (expected if target == ONION else [])


def test_no_content_is_readable_anywhere(world: World) -> None:
    """`app.contents` is kept by both."""
    words = [world.persona[name] for name in ("message", "attachment", "attachment_name")]
    for row in world.learned:
        seen = base64.b64decode(row["body_base64"]).decode("latin-1") + json.dumps(row)
        assert not any(word in seen or word.encode().decode("latin-1") in seen for word in words)


def test_only_seeds_nodes_file_server_and_resolver_are_contacted(world: World) -> None:
    """`app.no-collection` is kept by both."""
    standins = {row["standin"] for row in world.seen_beside_the_client()}
    assert standins <= {*SEEDS, "file", "dns", *(f"node{n}" for n in range(1, 10))}
    looked_up = {row["host"] for row in world.seen_beside_the_client() if row["event"] == "query"}
    assert looked_up <= SEED_NAMES | {FILE_SERVER_NAME}


def test_a_seed_is_contacted_first_and_asked_for_the_list_alone(world: World) -> None:
    """`seed.list-only` and `seed.blind` are kept by both."""
    requests = [row for row in world.seen_beside_the_client() if row["event"] == "request"]
    assert requests[0]["standin"] in SEEDS
    for row in requests:
        if row["standin"] in SEEDS:
            assert row["inner"]["method"] == "get_n_service_nodes"
            assert set(row["inner"]["params"]) <= {"active_only", "fields"}
            assert (row["path"], row["query"]) == ("/json_rpc", "")


def test_what_stands_beside_the_client_s_address(world: World, target: str) -> None:
    """`app.identity` and `app.contacts`: broken without the onion, kept with it."""
    beside = json.dumps([row for row in world.seen_beside_the_client() if not row["layer"]])
    wire = {row["path"] for row in world.seen_beside_the_client() if row["event"] == "request"}
    if target == ONION:
        assert world.account not in beside
        assert world.contact not in beside
        assert wire == {"/json_rpc", "/onion_req/v2"}
        inside = json.dumps([row for row in world.learned if row["layer"] == 3])
        assert world.account in inside
        assert world.contact in inside
    else:
        assert world.account in beside
        assert world.contact in beside
        assert any(path.startswith("/file") for path in wire)
        assert "/onion_req/v2" not in wire


def test_the_user_agent_on_the_wire(world: World, target: str) -> None:
    """`app.device-identifiers`: the official constant, or the library's own name and version."""
    requests = [row for row in world.seen_beside_the_client() if row["event"] == "request"]
    agents = {dict(row["headers"]).get("User-Agent") for row in requests}
    if target == ONION:
        (agent,) = agents
        assert agent.startswith("python-requests/")
    else:
        assert agents == {"WhatsApp"}


def test_guards_see_the_client_and_nobody_behind_them_does(world: World, target: str) -> None:
    opened = [row for row in world.learned if row["event"] == "opened"]
    assert {row["layer"] for row in opened} == ({1, 2, 3} if target == ONION else set())
    for row in opened:
        if row["layer"] > 1:
            assert row["peer"].startswith("203.0.113."), row


def test_the_journey_works_through_proxies_too(
    target: str,
    tmp_path: Path,
    lab: RunningLab,
) -> None:
    env = _proxies(lab.ready["peer_proxy"])
    client, peer = run_journey(target, client_python(target), tmp_path, lab.ready, client_env=env)
    assert client[-1]["action"] == "app.message.receive"
    assert peer[-1]["action"] == "app.message.send"
    assert client[-1]["facts"]["text_sha256"] == peer[-1]["facts"]["text_sha256"]
