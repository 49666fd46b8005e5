"""The lab as a process."""

import ctypes
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audit.lab.addresses import NODES, SEEDS
from tests.lab.conftest import ROOT, RunningLab, end_lab, start_lab


def test_the_ready_line_is_as_agreed(lab: RunningLab) -> None:
    ready = lab.ready
    assert ready["ready"] is True
    assert ready["resolver"] == "198.51.100.53"
    assert len(ready["onion_keys"]) == len(NODES) + 1
    assert {key for entry in ready["onion_keys"] for key in entry} == {
        "x25519_public", "x25519_private", "ed25519_public", "endpoint",
    }  # fmt: skip
    assert ready["onion_keys"][-1]["endpoint"] == "filev2.getsession.org:80"
    assert ready["trust"] == {"file_server_x25519": ready["onion_keys"][-1]["x25519_public"]}
    assert ready["peer_proxy"].startswith("http://127.0.0.1:")
    assert ready["needs_route"] == ["0.0.0.0/0"]


def test_every_announced_endpoint_has_a_port_of_its_own(lab: RunningLab) -> None:
    places = lab.ready["map"]
    expected = [f"{address}:22021" for address in NODES.values()]
    expected += [f"{address}:{port}" for address in SEEDS.values() for port in (80, 443, 4443)]
    expected += [f"{name}.getsession.org:{port}" for name in SEEDS for port in (80, 443, 4443)]
    expected += ["filev2.getsession.org:80", "198.51.100.20:80", "198.51.100.53:53"]
    expected += ["tracker.example:80", "tracker.example:443", "stun.metrics.example:3478"]
    assert set(expected) <= set(places)
    by_address = {place: port for place, port in places.items() if place[0].isdigit()}
    assert len(set(by_address.values())) == len(by_address)
    assert all(port.startswith("127.0.0.1:") for port in places.values())


def test_it_is_ready_fast_and_ends_with_its_input(tmp_path: Path) -> None:
    started = time.monotonic()
    process = start_lab(tmp_path, "--loopback")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["ready"]
    taken = time.monotonic() - started
    assert end_lab(process) == b""
    assert process.returncode == 0
    assert taken < 5, f"{taken:.1f} s"  # 0.15 s on an idle machine; this one may be busy


def test_it_ends_on_sigterm(tmp_path: Path) -> None:
    process = start_lab(tmp_path, "--loopback")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    end_lab(process)


@pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals are Linux's")
def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, os\n"
        "lab = subprocess.Popen([sys.executable, '-m', 'audit.lab', '--logs', sys.argv[1],"
        " '--loopback'], stdin=0, stdout=subprocess.PIPE)\n"
        "lab.stdout.readline(); print(lab.pid, flush=True); os._exit(0)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.wait(10)
    until = time.monotonic() + 10
    while _is_alive(pid):
        assert time.monotonic() < until, "the lab outlived its parent"
        time.sleep(0.02)
    parent.communicate()


def _is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_without_the_right_to_make_addresses_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    libc = ctypes.CDLL(None)

    def lose_rights() -> None:
        libc.unshare(0x10000000)  # a user namespace that owns no network

    process = start_lab(tmp_path, before=lose_rights)
    errors = end_lab(process).decode()
    assert process.returncode == 3
    assert len(errors.splitlines()) == 1
    assert "namespace" in errors


def test_usage_errors_are_exit_code_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "audit.lab"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 2
