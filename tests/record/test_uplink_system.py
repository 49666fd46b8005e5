"""Recording on a real network: a machine in a namespace of its own, a server in another one.

The outer sandbox plays the world: its gateway is the machine that records, its internet is the
rest of the world, where the tiny web and name server are.
"""

import os
import shutil
import sys

import pytest

from audit.bundle.folder import open_bundle
from audit.sandbox.channel import Mount
from audit.sandbox.program import Program
from tests.record import recordings
from tests.record.other_user import UID, ordinary_python
from tests.record.recordings import ROOT
from tests.record.stand_in import RESOLVER
from tests.sandbox.places import job, output, require_namespaces, sandbox, wire

pytestmark = pytest.mark.system

RECORD = """
import sys
from pathlib import Path
from audit.errors import AuditError
from audit.record.plan import OutsideNetwork
from audit.record.recorder import record
from tests.record.recordings import make_plan
try:
    record(make_plan(Path(sys.argv[1]), pass_=sys.argv[2], vantage=sys.argv[3], network=OutsideNetwork()))
    print('recorded')
except AuditError as error:
    print(error)
"""


@pytest.fixture
def world(tmp_path):
    """A machine (the gateway's place) from which a server can be reached."""
    require_namespaces()
    with sandbox() as box:
        addresses = wire(box)
        heard = []
        env = {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
        argv = [sys.executable, "-B", "-m", "tests.record.stand_in", "--logs", str(tmp_path)]
        Program(box, "the world", job(argv, "internet", env=env), on_line=heard.append)
        box.watch.until(lambda: bool(heard), 20, "the world")
        output(box, "open('/proc/sys/net/ipv4/ip_forward', 'w').write('0')", "gateway")
        yield box, addresses


def record_in(box, tmp_path, command, env, *, pass_="passive", vantage="netns", resolver=RESOLVER):  # noqa: S107 - a pass of a recording
    (tmp_path / "resolv.conf").write_text(f"nameserver {resolver}\n")
    mounts = [Mount(kind="bind", source=str(tmp_path / "resolv.conf"), target="/etc/resolv.conf")]
    said = []
    spec = job(
        [*command, "-c", RECORD, str(tmp_path / "out" / "b"), pass_, vantage],
        "gateway",
        env=env,
        mounts=mounts,
        cwd=str(ROOT),
    )
    Program(box, "the recorder", spec, on_line=said.append).require_success(60)
    return b"\n".join(said).decode()


def as_root():
    if os.geteuid() != 0:
        pytest.skip("address translation in the machine's own network needs root")
    env = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "PATH": os.environ["PATH"],
    }
    return [sys.executable, "-B"], env


def machine_state(box):
    code = (
        "import socket; from pyroute2.nftables.main import NFTables\n"
        "print(open('/proc/sys/net/ipv4/ip_forward').read().strip(), [n for _, n in socket.if_nameindex()])\n"
        "with NFTables() as tables: print([t.get_attr('NFTA_TABLE_NAME') for t in tables.get_tables()])\n"
    )
    return output(box, code, "gateway")


@pytest.mark.parametrize("pass_", ["passive", "intercepted"])
def test_root_gets_out_by_address_translation_and_leaves_the_machine_as_it_was(
    world, tmp_path, pass_
):
    box, _ = world
    command, env = as_root()
    before = machine_state(box)
    assert record_in(box, tmp_path, command, env, pass_=pass_) == "recorded"
    bundle = open_bundle(tmp_path / "out" / "b")
    assert bundle.truncated == ()
    assert bundle.manifest.network.resolvers == (RESOLVER,)
    assert b"GET /plain" in b"".join(recordings.frames(tmp_path / "out" / "b" / "packets.pcapng"))
    assert machine_state(box) == before


def test_root_with_a_name_server_on_loopback_alone_is_told(world, tmp_path):
    box, _ = world
    command, env = as_root()
    said = record_in(box, tmp_path, command, env, resolver="127.0.0.53")
    if said != "recorded":  # systemd's own list of outer servers may be on this machine
        assert "listens on loopback alone" in said
        assert not (tmp_path / "out" / "b").exists()


def as_user(tmp_path, monkeypatch, program):
    """Return the command line of an ordinary user who has this program alone."""
    command, env = ordinary_python()
    found = program and shutil.which(program)
    if program and not found:
        pytest.skip(f"{program} is not installed")
    if program and not os.path.exists("/dev/net/tun"):  # noqa: PTH110
        pytest.skip("no /dev/net/tun here")
    for folder in ("bin", "out", "tmp"):
        (tmp_path / folder).mkdir()
    if found:
        (tmp_path / "bin" / program).symlink_to(found)
    if os.geteuid() == 0:
        for parent in (tmp_path, *tmp_path.parents):
            if parent.name.startswith(("pytest-", "popen-")) or parent == tmp_path:
                parent.chmod(0o755)
        for folder in ("out", "tmp"):
            os.chown(tmp_path / folder, UID, UID)
    return command, env | {"PATH": str(tmp_path / "bin"), "TMPDIR": str(tmp_path / "tmp")}


@pytest.mark.parametrize("program", ["slirp4netns", "pasta"])
def test_an_ordinary_user_gets_out_by_what_is_installed(world, tmp_path, monkeypatch, program):
    box, _ = world
    command, env = as_user(tmp_path, monkeypatch, program)
    assert record_in(box, tmp_path, command, env) == "recorded"
    bundle = open_bundle(tmp_path / "out" / "b")
    assert bundle.truncated == ()
    assert b"GET /plain" in b"".join(recordings.frames(tmp_path / "out" / "b" / "packets.pcapng"))
    assert recordings.key_log(tmp_path / "out" / "b" / "packets.pcapng")


def test_an_ordinary_user_without_either_is_told_what_to_install(world, tmp_path, monkeypatch):
    box, _ = world
    command, env = as_user(tmp_path, monkeypatch, None)
    said = record_in(box, tmp_path, command, env)
    assert "needs slirp4netns or pasta, and neither is installed" in said
    assert "install the package slirp4netns" in said
    assert "\n" not in said
    assert not (tmp_path / "out" / "b").exists()


def test_the_proxy_rung_goes_out_through_the_machine_itself(world, tmp_path):
    box, addresses = world
    env = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "PATH": os.environ["PATH"],
    }
    said = record_in(
        box, tmp_path, [sys.executable, "-B"], env, pass_="intercepted", vantage="proxy"
    )
    assert said == "recorded"
    paths = {flow.request.path for flow in recordings.flows(tmp_path / "out" / "b" / "flows.mitm")}
    assert {"/plain", "/secret", "/bare"} < paths
    found = {item.value for item in open_bundle(tmp_path / "out" / "b").identity.identifiers}
    assert (
        addresses.uplink_v4 in found
    )  # the machine's own address is what a client could give away


def test_a_killed_recorder_gives_the_machine_back_too(world, tmp_path):
    """Root's way out touches the machine itself: the rules, the link and the forwarding go as well."""
    box, _ = world
    command, env = as_root()
    before = machine_state(box)
    code = (
        "import os, sys, signal\nfrom pathlib import Path\nfrom audit.record.plan import OutsideNetwork\n"
        "from audit.record.recorder import record\nfrom tests.record.recordings import make_plan, script\n"
        "record(make_plan(Path(sys.argv[1]), network=OutsideNetwork(), client_output=lambda _: os.kill(os.getpid(), 9),\n"
        "    client_command=script('import time; print(1, flush=True); time.sleep(60)')))\n"
    )
    (tmp_path / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
    mounts = [Mount(kind="bind", source=str(tmp_path / "resolv.conf"), target="/etc/resolv.conf")]
    spec = job(
        [*command, "-c", code, str(tmp_path / "b")],
        "gateway",
        env=env,
        mounts=mounts,
        cwd=str(ROOT),
    )
    recorder = Program(box, "the recorder", spec)
    assert recorder.wait(60) == -9
    state = []

    def is_as_before():
        state.append(machine_state(box))
        return state[-1] == before

    for _ in range(40):
        if is_as_before():
            break
        box.watch.turn(0.1)
    assert state[-1] == before
    assert open_bundle(tmp_path / "b").truncated
