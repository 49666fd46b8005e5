"""What was drawn arrives, here through the lab's own proxy."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from audit.lab.planter.sending import Proxy, find_proxies, frames, look_up
from tests.lab.conftest import ROOT, RunningLab
from tests.lab.journey import make_persona


def run_planter(folder: Path, env: dict[str, str], *options: str) -> subprocess.CompletedProcess:
    persona = folder / "persona.json"
    persona.write_text(json.dumps(make_persona()))
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "audit.lab.planter",
            "--out",
            folder / "planted.json",
            *options,
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AUDIT_PERSONA": str(persona), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_through_a_proxy_every_leak_arrives(lab: RunningLab, tmp_path: Path) -> None:
    proxy = lab.ready["peer_proxy"]
    env = {"http_proxy": proxy, "https_proxy": proxy}
    before = len(lab.learned(standin="tracker"))
    done = run_planter(tmp_path, env, "--seed", "5", "--count", "15")
    assert (done.returncode, done.stderr) == (0, "")
    items = json.loads((tmp_path / "planted.json").read_text())
    leaks = items
    assert [leak["seed"] for leak in leaks] == [5] * 15
    assert json.loads((tmp_path / "planted-acts.json").read_text()) == []
    assert all(leak["sent"] and leak["scheme"] in {"http", "https"} for leak in leaks)
    rows = lab.learned(standin="tracker")[before:]
    heads = [row for row in rows if row["event"] == "request"]
    assert len(heads) == 15
    assert {row["host"] for row in heads} == {leak["recipient"] for leak in leaks}
    messages = [row for row in rows if row["event"] == "message"]
    assert len(messages) == sum(leak["place"] == "websocket" for leak in leaks)


def test_what_does_not_get_out_is_said(tmp_path: Path) -> None:
    env = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}
    done = run_planter(tmp_path, env, "--count", "12")
    assert done.returncode == 1
    assert done.stderr.count("planter: not sent: ") == 12
    items = json.loads((tmp_path / "planted.json").read_text())
    assert all(item["sent"] is False for item in items if item["kind"])


def test_without_a_persona_it_says_so(tmp_path: Path) -> None:
    done = run_planter(tmp_path, {"AUDIT_PERSONA": str(tmp_path / "none")})
    assert done.returncode == 3
    assert "the persona cannot be read" in done.stderr


def test_proxies_of_the_environment_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    assert find_proxies() == {}
    monkeypatch.setenv("http_proxy", "http://audit:p%40ss@127.0.0.1:8080")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9090")
    found = find_proxies()
    assert found["http"] == Proxy("127.0.0.1", 8080, "Basic YXVkaXQ6cEBzcw==")
    assert found["https"] == Proxy("127.0.0.1", 9090)


def test_lookups_end_in_time() -> None:
    assert look_up("localhost") == "127.0.0.1"
    assert look_up("x" * 70 + ".example") is None


def test_long_messages_have_long_frames() -> None:
    data = bytes(300)
    assert sum(map(len, frames(data, False, random.Random(2)))) >= 300 + 6
