"""The driver protocol with a client and a peer that talk by the recorder alone."""

import json

import pytest

from audit.bundle.folder import open_bundle
from audit.record.recorder import record
from audit.yamlfile.target import TargetFile
from tests.record.recordings import make_plan, script

pytestmark = pytest.mark.system

CLIENT = """
import hashlib, json, os, sys
def say(action, **more): print(json.dumps({"action": action, "ok": True, **more}), flush=True)
persona = json.load(open(os.environ["AUDIT_PERSONA"]))
trust = json.load(open(os.environ["AUDIT_TRUST"]))
digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
say(None, note=f"anchor {trust['anchor'][:4]}, I am {persona['email']}")
say("account.create", facts={"account": "05" + "ab" * 32}, identifiers=[{"kind": "recovery_phrase", "value": "zebra ladder"}])
peer = json.loads(sys.stdin.readline())["peer"]["account"]
say("app.message.send", facts={"text_sha256": digest(persona["message"])})
say("app.attachment.send", facts={"file_sha256": digest(persona["attachment"])})
print("chatter of a library", file=sys.stderr)
say("app.message.receive", facts={"text_sha256": "11" * 32})
rest = sys.stdin.read()
assert rest == "", rest
"""
PEER = """
import json, os, sys
def say(action, **more): print(json.dumps({"action": action, "ok": True, **more}), flush=True)
reply = json.load(open(os.environ["AUDIT_PERSONA"]))["reply"]
assert "SSLKEYLOGFILE" not in os.environ
say("account.create", facts={"account": "05" + "cd" * 32})
client = json.loads(sys.stdin.readline())["client"]["account"]
say("app.message.receive", facts={"account": client})
sys.stdin.read()
"""


def make_target(**changes):
    data = {"schema": "audit/target@1", "policy": "p", "app": {"name": "x", "platform": "library"}}
    return TargetFile.model_validate(data | changes)


CAN = ["account.create", "app.message.send", "app.attachment.send", "app.message.receive"]


def play(folder, vantage, **changes):
    values = {
        "client_command": script(CLIENT),
        "peer_command": script(PEER),
        "speaks_protocol": True,
        "target": make_target(can=CAN),
        "target_name": "x",
        "policy": "p",
    }
    record(make_plan(folder, vantage=vantage, **values | changes))
    return open_bundle(folder)


def test_a_whole_journey_is_journalled_with_its_phases(tmp_path, vantage):
    bundle = play(tmp_path / "b", vantage)
    assert bundle.truncated == ()
    by_client = [(line.action, line.phase) for line in bundle.journal if line.driver == "script"]
    assert by_client == [
        (None, "account-create"),
        ("account.create", "account-create"),
        ("app.message.send", "steady"),
        ("app.attachment.send", "steady"),
        ("app.message.receive", "steady"),
    ]
    by_recorder = [
        (line.action, line.phase)
        for line in bundle.journal
        if line.driver == "recorder" and line.action
    ]
    assert by_recorder == [("app.install.clean", "install"), ("app.first-launch", "first-launch")]
    (met,) = [
        line
        for line in bundle.journal
        if line.driver == "peer" and line.action == "app.message.receive"
    ]
    assert met.facts == {"account": "05" + "ab" * 32}
    assert (bundle.manifest.target, bundle.manifest.policy, bundle.manifest.platform) == (
        "x",
        "p",
        "library",
    )


def test_what_the_subject_is_known_by_is_all_in_the_identity(tmp_path, vantage):
    bundle = play(tmp_path / "b", vantage)
    found = {(item.kind, item.value) for item in bundle.identity.identifiers}
    assert {
        ("account_id", "05" + "ab" * 32), ("contact_id", "05" + "cd" * 32), ("recovery_phrase", "zebra ladder"),
    } <= found  # fmt: skip
    kinds = {kind for kind, _ in found}
    assert {"email", "phone", "message", "attachment", "ad_id", "locale"} <= kinds
    text = (tmp_path / "b" / "journal.jsonl").read_text()
    for kind, value in found:
        if kind in {"email", "phone", "recovery_phrase", "message", "display_name"}:
            assert value not in text, kind


def test_a_client_that_is_left_alone_is_journalled_as_idle(tmp_path, netns):
    bundle = play(tmp_path / "b", netns, idle_s=0.7)
    (idle,) = [line for line in bundle.journal if line.action == "app.idle"]
    assert (idle.driver, idle.corroborated_by, idle.note) == (
        "recorder",
        "recorder",
        "left alone for 0.7 s",
    )


def test_programs_after_the_client_know_persona_and_echo(tmp_path, vantage):
    code = (
        "import json, os, sys, urllib.request\n"
        "assert json.load(open(os.environ['AUDIT_PERSONA']))['email']\n"
        "echo = os.environ['AUDIT_ECHO']\n"
        "answer = urllib.request.urlopen(f'http://{echo}/planted', timeout=10).read()\n"
        "assert answer == b'/planted\\n', answer\n"
        "open(sys.argv[1], 'w').write('done')\n"
    )
    out = tmp_path / "out"
    bundle = play(
        tmp_path / "b", vantage, pass_="intercepted", extra_commands=[[*script(code), str(out)]]
    )
    assert out.read_text() == "done"
    assert b"/planted" in (bundle.folder / "flows.mitm").read_bytes()


def test_a_client_without_protocol_is_not_told_of_the_persona_and_nothing_of_it_is_searched_for(
    tmp_path, netns
):
    code = "import os; assert not any(name.startswith('AUDIT') for name in os.environ)"
    record(make_plan(tmp_path / "b", vantage=netns, client_command=script(code)))
    kinds = {item.kind for item in open_bundle(tmp_path / "b").identity.identifiers}
    assert {"address", "mac", "host_name", "locale", "time_zone", "user_name"} <= kinds
    assert not kinds & {"email", "phone", "message", "ad_id", "android_id"}


def test_the_persons_own_values_are_searched_for_whatever_the_client(tmp_path, vantage):
    path = tmp_path / "me.json"
    path.write_text(
        json.dumps(
            {
                "schema": "audit/identity@1",
                "identifiers": [{"kind": "email", "value": "me@mail.example"}],
            }
        )
    )
    record(make_plan(tmp_path / "b", vantage=vantage, client_command=script("pass"), identity=path))
    found = {item.kind: item for item in open_bundle(tmp_path / "b").identity.identifiers}
    assert found["email"].value == "me@mail.example"
    assert found["email"].canary is False


def test_the_output_of_a_client_without_protocol_is_passed_on(tmp_path, vantage):
    heard = []
    code = (
        "import sys; print('out'); print('err', file=sys.stderr); print(sys.stdin.read(), end='')"
    )
    with (tmp_path / "typed").open("w+") as typed:
        typed.write("typed")
        typed.seek(0)
        record(make_plan(
            tmp_path / "b", vantage=vantage, client_command=script(code),
            client_output=heard.append, client_input=typed.fileno(),
        ))  # fmt: skip
    said = b"".join(heard)
    assert b"out\n" in said
    assert b"err\n" in said
    assert b"typed" in said
