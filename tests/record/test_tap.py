import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from audit.sandbox.program import Program
from audit.sandbox.sandbox import own_program
from tests.record.recordings import frames, key_log
from tests.sandbox.places import job, output, require_namespaces, sandbox, wire

pytestmark = pytest.mark.system
SECRET = b"CLIENT_RANDOM " + b"ab" * 32 + b" " + b"cd" * 48 + b"\n"


@pytest.fixture
def box():
    require_namespaces()
    with sandbox() as made:
        yield made


def start_tap(box, *paths):
    said = []
    argv = own_program("audit.record.tap", *map(str, paths))
    tap = Program(box, "the tap", job(argv, "gateway"), on_line=said.append, descriptors=(box.tap,))
    box.watch.until(lambda: bool(said), 20, "the tap")
    return tap, said


def stop(tap, said):
    tap.job.signal(signal.SIGTERM)
    assert tap.wait(20) == 0
    return json.loads(said[-1])


def test_every_datagram_of_a_burst_is_kept_in_order(box, tmp_path):
    addresses = wire(box)
    tap, said = start_tap(box, tmp_path / "p")
    code = (
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        f"for n in range(3000): s.sendto(b'burst %04d' % n, ({addresses.gateway_v4!r}, 9))\n"
    )
    output(box, code)
    counted = stop(tap, said)
    sent = [
        frame[-10:]
        for frame in frames(tmp_path / "p")
        if frame[-10:-4] == b"burst " and frame[23] == 17  # UDP, not the answers that quote it
    ]
    assert sent == [b"burst %04d" % n for n in range(3000)]
    assert counted["dropped"] == 0
    assert counted["packets"] == len(frames(tmp_path / "p"))


def test_secrets_are_kept_while_they_come_and_stand_first_in_the_end(box, tmp_path):
    wire(box)
    (tmp_path / "keys").write_bytes(SECRET)
    tap, said = start_tap(box, tmp_path / "p", tmp_path / "keys", tmp_path / "never")
    box.watch.until(
        lambda: (tmp_path / "p").exists() and SECRET in (tmp_path / "p").read_bytes(),
        10,
        "the secrets",
    )
    stop(tap, said)
    assert key_log(tmp_path / "p") == SECRET


def test_a_link_made_later_is_tapped_too(box, tmp_path):
    wire(box)
    tap, said = start_tap(box, tmp_path / "p")
    code = (
        "from pyroute2 import IPRoute\n"
        "with IPRoute() as ip:\n"
        "    ip.link('add', ifname='tun7', kind='tuntap', mode='tun')\n"
        "    index = ip.link_lookup(ifname='tun7')[0]\n"
        "    ip.addr('add', index=index, address='198.18.99.1', prefixlen=24)\n"
        "    ip.link('set', index=index, state='up')\n"
    )
    if not os.path.exists("/dev/net/tun"):  # noqa: PTH110
        pytest.skip("no /dev/net/tun here")
    output(box, code)
    counted = stop(tap, said)
    assert counted["interfaces"][0] == "eth0"
    assert counted["unknown_links"] == []


def test_times_are_the_kernels(box, tmp_path):
    import struct
    import time

    addresses = wire(box)
    before = time.time_ns()
    output(
        box,
        f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'tick', ({addresses.gateway_v4!r}, 9))",
    )
    after = time.time_ns()
    time.sleep(0.3)
    tap, said = start_tap(box, tmp_path / "p")  # what the socket held already
    stop(tap, said)
    data, stamps = (tmp_path / "p").read_bytes(), []
    while data:
        kind, length = struct.unpack("<II", data[:8])
        if kind == 6 and b"tick" in data[:length]:
            high, low = struct.unpack("<II", data[12:20])
            stamps.append(high << 32 | low)
        data = data[length:]
    assert before <= stamps[0] <= after  # the second one is the answer that quotes it


def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(tmp_path):
    """The tap opens its own file first, so no packet socket is needed to see it refuse."""
    left, right = socket.socketpair()
    (tmp_path / "p").write_bytes(b"there already")
    code = (
        "import os, sys\nos.dup2(int(sys.argv[1]), 3)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'audit.record.tap', sys.argv[2]])"
    )
    run = subprocess.run(
        [sys.executable, "-B", "-c", code, str(right.fileno()), str(tmp_path / "p")],
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, pass_fds=[right.fileno()],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    left.close()
    right.close()
    assert run.returncode == 1
    assert run.stderr == "packets.pcapng cannot be written: File exists\n"
    assert (tmp_path / "p").read_bytes() == b"there already"
