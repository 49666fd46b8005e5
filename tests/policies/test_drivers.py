"""Drivers as programs: what they say when something goes wrong, and how they are shipped."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.policies.conftest import CLIENTS, TARGETS, client_python

DEAD = "http://127.0.0.1:1"
PERSONA = {"display_name": "Ann", "message": "m", "attachment_name": "a.txt", "attachment": "b"}
ACCOUNT = "05" + "ab" * 32


def run_driver(
    target: str, role: str, folder: Path, *, said: str = "", setup: str = "pass", proxy: str = DEAD
) -> tuple[list[dict], str, int]:
    """Run a driver by hand; ``setup`` changes its module first. Returns lines, stderr, code."""
    persona, trust = folder / "persona.json", folder / "trust.json"
    persona.write_text(json.dumps({**PERSONA, "reply": "r"}))
    trust.write_text("{}")
    code = f"import sys; sys.argv[1:] = [{role!r}]; import driver; {setup}; driver.main()"
    done = subprocess.run(
        [client_python(target), "-c", code],
        cwd=folder,
        env={
            "HOME": str(folder),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(TARGETS / target),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AUDIT_PERSONA": str(persona),
            "AUDIT_TRUST": str(trust),
            "http_proxy": proxy,
            "https_proxy": proxy,
        },
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr, done.returncode


@pytest.mark.system
@pytest.mark.parametrize("target", CLIENTS)
def test_without_a_network_the_action_that_failed_is_named(target: str, tmp_path: Path) -> None:
    lines, errors, code = run_driver(target, "client", tmp_path, setup="driver.WAIT_S = 20")
    assert code == 1
    assert (lines[-1]["action"], lines[-1]["ok"]) == ("account.create", False)
    assert lines[-1]["note"]
    assert errors.splitlines()[-1].startswith("client: account.create: ")


@pytest.mark.system
@pytest.mark.parametrize("target", CLIENTS)
def test_every_wait_ends_with_one_sentence(target: str, tmp_path: Path) -> None:
    endless = "driver.PEER_WAIT_S = 1; import time; driver.messages = lambda *_: time.sleep(9)"
    said = json.dumps({"client": {"account": ACCOUNT}}) + "\n"
    lines, _, code = run_driver(target, "peer", tmp_path, said=said, setup=endless)
    assert code == 1
    assert lines[-1]["action"] == "app.message.receive"
    expected = "receiving the client's message and attachment was not done in 1 s"
    assert lines[-1]["note"] == expected


@pytest.mark.system
@pytest.mark.parametrize("target", CLIENTS)
def test_a_client_that_swallows_errors_cannot_swallow_the_limit(
    target: str, tmp_path: Path
) -> None:
    swallow = (
        "driver.WAIT_S = 1\n"
        "def stubborn(*_):\n"
        "    import time\n"
        "    while True:\n"
        "        try: time.sleep(9)\n"
        "        except Exception: pass\n"
        "driver.open_account = stubborn"
    )
    lines, _, code = run_driver(
        target, "client", tmp_path, setup=f"exec({swallow!r}, {{**globals()}})"
    )
    assert code == 1
    assert lines[-1]["note"] == "creating the account was not done in 1 s"


@pytest.mark.system
@pytest.mark.parametrize("target", CLIENTS)
def test_a_recorder_that_goes_away_ends_the_wait(target: str, tmp_path: Path) -> None:
    lines, _, code = run_driver(target, "peer", tmp_path)
    assert code == 1
    assert lines[-1]["note"] == "the recorder ended before it named the account of the client"


@pytest.mark.system
def test_accounts_that_the_library_cannot_write_to_are_drawn_again(tmp_path: Path) -> None:
    """A key that starts with 05 loses its first byte in session-python."""
    code = (
        "import driver, session_python, os\n"
        "from session_python import Session\n"
        "def draw(odd):\n"
        "    while True:\n"
        "        words = real()\n"
        "        client = Session(); client.set_mnemonic(words)\n"
        "        if client.get_session_id().startswith('0505') == odd: return words\n"
        "real = Session.generate_mnemonic\n"
        "queue = [draw(True), draw(True), draw(False)]\n"
        "Session.generate_mnemonic = staticmethod(lambda: queue.pop(0))\n"
        "print(driver.open_account().get_session_id()[:4], len(queue))"
    )
    done = subprocess.run(
        [client_python("session-python"), "-c", code],
        env={"PYTHONPATH": str(TARGETS / "session-python"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    start, left = done.stdout.split()
    assert start != "0505"
    assert left == "0"


@pytest.mark.parametrize("target", CLIENTS)
def test_a_wrong_call_is_told_how_it_is_called(target: str) -> None:
    done = subprocess.run(
        [sys.executable, TARGETS / target / "driver.py", "both"], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == b"usage: driver.py client|peer"


@pytest.mark.parametrize("target", CLIENTS)
def test_requirements_are_pinned_and_hashed_for_the_version_that_is_audited(target: str) -> None:
    text = (TARGETS / target / "requirements.txt").read_text()
    app = yaml.safe_load((TARGETS / target / "target.yaml").read_text())["app"]
    assert re.search(rf"^{app['distribution']}=={app['version']} ", text, re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text.strip())
    packages = [entry for entry in entries if not entry.startswith("#")]
    assert all(re.match(r"[a-z0-9-]+==[^\s;]+ ", entry) for entry in packages)
    assert all("--hash=sha256:" in entry for entry in packages)
    assert "--index-url" not in text
    assert "://" not in text


@pytest.mark.parametrize(
    ("target", "package", "licence"),
    [
        ("session-python", {"session_python"}, "Apache-2.0"),
        ("sessionpy-messenger", {"sessionpy", "pysession_client"}, "GPL-3.0-or-later"),
    ],
)
def test_drivers_stand_alone_and_state_the_licence_their_client_asks_for(
    target: str, package: set[str], licence: str
) -> None:
    text = (TARGETS / target / "driver.py").read_text()
    assert text.startswith(f"# SPDX-License-Identifier: {licence}\n")
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == package


def test_both_drivers_differ_only_where_their_clients_do() -> None:
    """What the drivers share is written twice, as each stands alone: it must not drift apart."""
    shared = ("say", "limit", "digest", "read_json", "hear", "main")
    sources = []
    for target in CLIENTS:
        text = (TARGETS / target / "driver.py").read_text()
        tree = ast.parse(text)
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        sources.append({node.name: ast.unparse(node) for node in functions})
    assert all(sources[0][name] == sources[1][name] for name in shared)
