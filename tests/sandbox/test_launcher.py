import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from audit.sandbox.sandbox import SandboxGoneError, own_environment, own_program
from tests.sandbox import places
from tests.sandbox.places import output

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[2]


def test_the_client_is_a_host_of_its_own(box):
    assert output(box, "import socket; print(socket.gethostname())") == "test-host"
    assert (
        output(box, "import socket; print(socket.gethostname())", "gateway") == socket.gethostname()
    )


def test_every_place_has_a_network_of_its_own(box):
    code = "import os; print(os.readlink('/proc/self/ns/net'))"
    places_ = {output(box, code, place) for place in ("client", "gateway", "internet")}
    places_.add(os.readlink("/proc/self/ns/net"))  # noqa: PTH115
    assert len(places_) == 4


def test_a_program_keeps_the_uid_of_who_records(box):
    assert output(box, "import os; print(os.getuid())", powers="client") == str(os.getuid())


def test_the_tap_is_open_before_there_is_a_link(box):
    tap = socket.socket(fileno=os.dup(box.tap))
    tap.setblocking(False)
    with contextlib.closing(tap):
        with pytest.raises(BlockingIOError):
            tap.recv(1)
        places.wire(box)
        first = tap.recv(2048)
    assert (
        first[12:14] == b"\x86\xdd"
    )  # the kernel's own multicast listener report: the very first frame


@pytest.mark.parametrize("mode", ["plain", "namespaces"])
def test_a_killed_recorder_leaves_no_process_no_namespace_and_no_folder(mode, tmp_path):
    """Processes of a dead parent come to us, so all that is left behind would be our children."""
    if mode == "namespaces":
        places.require_namespaces()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "key.pem").write_text("secret")
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from audit.sandbox.sandbox import Sandbox\nfrom audit.sandbox.waiting import Watch\n"
        "from audit.sandbox.program import Program\nfrom tests.sandbox.places import job, python, PROC\n"
        f"box = Sandbox(Watch(), {mode!r}, 'doomed', Path({str(scratch)!r}))\n"
        f"nested = {mode!r} == 'namespaces'\n"
        "place = 'client' if nested else 'outside'\n"
        "spec = job(python('import time; time.sleep(99)'), place, own_pids=nested, mounts=PROC if nested else [])\n"
        "program = Program(box, 'sleeper', spec)\nprint('up', flush=True)\ntime.sleep(99)\n"
    )
    env = own_environment() | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with places.adopting_orphans() as wait_for_all:
        recorder = subprocess.Popen(
            [sys.executable, "-B", "-c", code], env=env, stdout=subprocess.PIPE, cwd=ROOT
        )
        assert recorder.stdout.readline() == b"up\n"
        made = places.namespaces_of(places.family(recorder.pid))
        recorder.kill()
        recorder.wait()
        recorder.stdout.close()
        wait_for_all()
    assert bool(made) == (mode == "namespaces")
    places.require_gone(made)
    assert not scratch.exists()


def test_a_launcher_that_dies_is_noticed(box):
    box._process.send_signal(signal.SIGKILL)
    with pytest.raises(SandboxGoneError, match="ended during the recording"):
        output(box, "import time; time.sleep(20)")


def test_the_launcher_speaks_of_a_refusal_and_ends():
    """With its channel closed at once it ends by itself, whatever the machine allows."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        own_program("audit.sandbox.launcher", "namespaces", str(theirs.fileno()), "x", ""),
        env=own_environment(), pass_fds=[theirs.fileno()], stderr=subprocess.PIPE,
    )  # fmt: skip
    theirs.close()
    ours.close()
    assert process.wait(20) == 0
    assert process.stderr.read() == b""
    process.stderr.close()
