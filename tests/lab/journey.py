"""Plays the recorder's part of the driver protocol: starts client and peer and lets them meet."""

from __future__ import annotations

import json
import os
import secrets
import select
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TARGETS = Path(__file__).parents[2] / "policies/session/targets"
LIMIT_S = 60

Line = dict[str, Any]


def make_persona() -> dict[str, str]:
    """Return the identity canaries of one subject."""
    word = secrets.token_hex(4)
    return {
        "display_name": f"Ann {word} Özil",
        "message": f"canary message {secrets.token_hex(8)} ünicode",
        "attachment_name": f"letter-{word}.txt",
        "attachment": f"canary attachment {secrets.token_hex(8)} " * 20,
        "email": f"ann.{word}@mail.example",
        "phone": "+4930" + str(secrets.randbelow(10**8)).zfill(8),
        "user_name": f"ann{word}",
        "host_name": f"laptop-{word}",
        "serial": f"SN{secrets.token_hex(6).upper()}",
        "ad_id": "-".join((secrets.token_hex(4), "1c2d", "4e5f", "8a9b", secrets.token_hex(6))),
        "android_id": secrets.token_hex(8),
        "device_model": f"Pixel {word}",
        "locale": "rm_CH",
        "time_zone": "Pacific/Chatham",
        "mac": ":".join(secrets.token_hex(1) for _ in range(6)),
        "address": "198.18.77.200",
    }


@dataclass
class Side:
    """One running driver."""

    process: subprocess.Popen[bytes]
    lines: list[Line] = field(default_factory=list)
    buffer: bytes = b""

    def send(self, line: Line) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()


Start = Callable[[list[str], Path, dict[str, str]], "subprocess.Popen[bytes]"]
"""Starts a command in a folder with additions to an environment made from nothing."""


def start_plain(
    argv: list[str],
    folder: Path,
    env: dict[str, str],
    *,
    before: Callable[[], object] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command here, with pipes; ``before`` runs in it first."""
    with (folder / "stderr").open("wb") as errors:
        return subprocess.Popen(
            argv,
            cwd=folder,
            env=clean_environment(folder, env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            preexec_fn=before,  # noqa: PLW1509 - a few calls of libc
        )


def clean_environment(folder: Path, env: dict[str, str]) -> dict[str, str]:
    """Return what the recorder gives a client."""
    base = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}
    return {**base, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", **env}


def run_journey(
    target: str,
    python: str,
    folder: Path,
    lab: Line,
    *,
    start_client: Start = start_plain,
    start_peer: Start = start_plain,
    client_env: dict[str, str] | None = None,
    persona: dict[str, str] | None = None,
) -> tuple[list[Line], list[Line]]:
    """Run client and peer of a target against a lab; returns the lines of both.

    Raises ``AssertionError`` with the errors of both where one does not end in time with 0.
    """
    peer_env = _proxies(lab["peer_proxy"]) if lab["peer_proxy"] else {}
    persona = persona or make_persona()
    reply = {"reply": "reply " + secrets.token_hex(8)}
    driver = str(TARGETS / target / "driver.py")
    sides: dict[str, Side] = {}
    files = {"client": persona, "peer": reply}
    for role, starter, env in (
        ("peer", start_peer, peer_env),
        ("client", start_client, client_env or {}),
    ):
        home = folder / role
        home.mkdir(parents=True)
        paths = {"AUDIT_PERSONA": home / "persona.json", "AUDIT_TRUST": home / "trust.json"}
        paths["AUDIT_PERSONA"].write_text(json.dumps(files[role]))
        paths["AUDIT_TRUST"].write_text(json.dumps(lab["trust"]))
        told = {**env, **{name: str(path) for name, path in paths.items()}}
        sides[role] = Side(starter([python, driver, role], home, told))
    try:
        _relay(sides["client"], sides["peer"])
    finally:
        for side in sides.values():
            if side.process.poll() is None:
                side.process.kill()
            side.process.wait()
            for stream in (side.process.stdin, side.process.stdout):
                if stream:
                    stream.close()
    for role, side in sides.items():
        stderr = (folder / role / "stderr").read_text(errors="replace")[-2000:]
        assert side.process.returncode == 0, (role, side.lines[-2:], stderr)
    return sides["client"].lines, sides["peer"].lines


def _proxies(url: str) -> dict[str, str]:
    names = ("http_proxy", "https_proxy", "all_proxy")
    return {name: url for lower in names for name in (lower, lower.upper())}


def _relay(client: Side, peer: Side) -> None:
    until = time.monotonic() + LIMIT_S
    open_sides = {side.process.stdout: side for side in (client, peer)}
    told: set[str] = set()
    while open_sides and time.monotonic() < until:
        ready, _, _ = select.select(list(open_sides), [], [], 0.2)
        for stream in ready:
            side = open_sides[stream]
            data = os.read(stream.fileno(), 65536)
            if not data:
                del open_sides[stream]
            *complete, side.buffer = (side.buffer + data).split(b"\n")
            side.lines += [json.loads(line) for line in complete]
        for side, other, name in ((client, peer, "client"), (peer, client, "peer")):
            for line in side.lines:
                if line["action"] == "account.create" and line["ok"] and name not in told:
                    told.add(name)
                    other.send({name: {"account": line["facts"]["account"]}})
