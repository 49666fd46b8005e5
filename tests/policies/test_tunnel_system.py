"""The promise that a VPN shields the address, with a real tunnel: kept, broken, not shown."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import run_audit
from tests.policies.conftest import namespaces_refused

pytestmark = [pytest.mark.system]

INSIDE = "session.seed.shielded-by-tunnel"
TOLD = "session.seed.no-real-address-through-tunnel"
HEAD = """
import contextlib, socket, sys, time
def ask(host, *, device=None):
    end = socket.socket(socket.AF_INET, socket.SOCK_STREAM); end.settimeout(3)
    if device: end.setsockopt(socket.SOL_SOCKET, 25, device.encode())
    with end, contextlib.suppress(OSError):
        end.connect((host, 80))
        end.sendall(b"GET / HTTP/1.1\\r\\nHost: site.example\\r\\nConnection: close\\r\\n\\r\\n")
        while end.recv(4096): pass
def udp(data, place, family=socket.AF_INET, device=None):
    with socket.socket(family, socket.SOCK_DGRAM) as end, contextlib.suppress(OSError):
        if device: end.setsockopt(socket.SOL_SOCKET, 25, device.encode())
        end.sendto(data, place)
QUERY = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x04site\\x07example\\x00\\x00\\x01\\x00\\x01"
STUN = b"\\x00\\x01\\x00\\x00\\x21\\x12\\xa4\\x42" + b"123456789012"
for _ in range(6): ask("site.example")
"""
"""A client that speaks to the lab through whatever way the machine gives it."""


@dataclass(frozen=True)
class Judged:
    """What the checks of the promise said."""

    outcomes: dict[str, str]
    messages: list[str]
    reasons: list[str]


def judge(folder: Path) -> Judged:
    out = folder.with_name("report")
    run_audit("run", folder, "--policy", "session", "--out", out, "--format", "json")
    result = json.loads((out / "result.json").read_text())
    verdicts = [v for v in result["verdicts"] if v["clause"] == "seed.vpn"]
    return Judged(
        outcomes={v["check"]: v["outcome"] for v in verdicts},
        messages=[f["message"] for v in verdicts for f in v["findings"]],
        reasons=[r["text"] for v in verdicts for r in v["reasons"]],
    )


def record(folder: Path, *arguments: str) -> Path:
    if namespaces_refused():
        pytest.skip("this machine refuses network namespaces")
    ran = run_audit(
        "record", "--lab", "--pass", "passive", "--name", "it", "--out", folder, *arguments,
        timeout_s=120,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return folder / "it"


def behind_tunnel(folder: Path, code: str, *arguments: str) -> Judged:
    """Record a program behind a tunnel that drops after two seconds, and judge it."""
    program = [sys.executable, "-B", "-c", HEAD + code]
    return judge(record(folder, "--drop-tunnel", "2", *arguments, "--", *program))


def test_a_published_client_behind_a_tunnel_keeps_the_promise(tmp_path: Path) -> None:
    bundle = record(
        tmp_path, "--target", "sessionpy-messenger", "--drop-tunnel", "app.message.receive"
    )
    judged = judge(bundle)
    assert judged.outcomes == {INSIDE: "pass", TOLD: "pass"}, judged


def test_one_that_stays_inside_and_stops_shows_no_leak(tmp_path: Path) -> None:
    judged = behind_tunnel(tmp_path, "time.sleep(3)")
    assert judged.messages == []
    assert set(judged.outcomes.values()) == {"inconclusive"}, "no message was sent"


LEAKS = """
udp(b"x", ("2001:db8:ffff::1", 443), socket.AF_INET6)
udp(QUERY, ("198.51.100.53", 53), device="eth0")
udp(STUN, ("198.51.100.40", 3478), device="eth0")
ask("198.51.100.60", device="eth0")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
    end.setsockopt(socket.SOL_SOCKET, 25, b"eth0"); end.connect(("198.51.100.60", 9))
    own = end.getsockname()[0]
with socket.create_connection(("site.example", 80), 3) as end:
    end.sendall(f"GET /?me={own} HTTP/1.1\\r\\nHost: site.example\\r\\nConnection: close\\r\\n\\r\\n".encode())
    while end.recv(4096): pass
time.sleep(2.5)
ask("site.example")
"""
"""IPv6, a look-up, STUN and a request past the tunnel; the real address told through it; and one
that goes on by the plain link when the tunnel is gone."""


def test_every_way_around_the_tunnel_is_caught(tmp_path: Path) -> None:
    judged = behind_tunnel(tmp_path, LEAKS)
    assert judged.outcomes == {INSIDE: "fail", TOLD: "fail"}
    assert sorted(message.partition(", begun")[0] for message in judged.messages) == [
        "behind the tunnel the real address was sent to site.example in query me as plain",
        "tcp to 198.51.100.60 port 80",
        "tcp to 198.51.100.60 port 80 left on eth0 after the tunnel dropped",
        "udp to 198.51.100.40 port 3478",
        "udp to 198.51.100.53 port 53",
        "udp to 198.51.100.53 port 53 left on eth0 after the tunnel dropped",
        "udp to 2001:db8:ffff::1 port 443",
    ]


def test_behind_a_tunnel_nothing_is_intercepted(tmp_path: Path) -> None:
    ran = run_audit("record", "--lab", "--tunnel", "--out", tmp_path, "--", "true")
    assert ran.code == 2
    assert "--pass passive" in ran.err


def test_the_moment_of_the_drop_must_be_one_that_can_come(tmp_path: Path) -> None:
    ran = run_audit(
        "record", "--target", "sessionpy-messenger", "--lab", "--pass", "passive",
        "--drop-tunnel", "app.call.start", "--out", tmp_path,
    )  # fmt: skip
    assert ran.code == 2
    assert "app.message.receive" in ran.err
