"""The published clients, each in its own environment, and worlds to run them in."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from audit.cli.place import cache_folder
from audit.record.environment import prepare_environment

ROOT = Path(__file__).parents[2]
TARGETS = ROOT / "policies/session/targets"
CLIENTS = ("session-python", "sessionpy-messenger")
_UNSHARE = "import ctypes; raise SystemExit(ctypes.CDLL(None).unshare(0x10000000 | 0x40000000))"


@cache
def client_python(target: str) -> str:
    """Return the Python of a client's environment, made once with hashed requirements."""
    return str(prepare_environment(TARGETS / target, cache_folder() / "targets"))


@cache
def namespaces_refused() -> bool:
    """Whether this machine lets nobody make a user and a network namespace."""
    done = subprocess.run([sys.executable, "-c", _UNSHARE], check=False)
    return done.returncode != 0


@dataclass(frozen=True)
class World:
    """What came of a journey."""

    client: list[dict[str, Any]]
    peer: list[dict[str, Any]]
    persona: dict[str, str]
    learned: list[dict[str, Any]]
    address: str

    @property
    def account(self) -> str:
        return self.client_line("account.create")["facts"]["account"]

    @property
    def contact(self) -> str:
        return next(line for line in self.peer if line["action"] == "account.create")["facts"][
            "account"
        ]

    def client_line(self, action: str) -> dict[str, Any]:
        (line,) = [line for line in self.client if line["action"] == action]
        return line

    def peer_line(self, action: str) -> dict[str, Any]:
        (line,) = [line for line in self.peer if line["action"] == action]
        return line

    def seen_beside_the_client(self) -> list[dict[str, Any]]:
        """Return what stand-ins learned from a connection that came from the client itself."""
        return [row for row in self.learned if row["peer"].startswith(self.address + ":")]


@pytest.fixture(scope="module", params=CLIENTS)
def target(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def world(target: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """One journey of a client in a network namespace of its own."""
    if namespaces_refused():
        pytest.skip("this machine refuses network namespaces")
    folder = tmp_path_factory.mktemp(target)
    script = ROOT / "tests/lab/two_namespaces.py"
    done = subprocess.run(
        [sys.executable, script, folder, target, client_python(target)],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    result = json.loads(done.stdout)
    learned = (folder / "learned.jsonl").read_text().splitlines()
    return World(
        client=result["client"],
        peer=result["peer"],
        persona=json.loads((folder / "persona.json").read_text()),
        learned=[json.loads(line) for line in learned],
        address="198.18.77.200",
    )
