"""What a client finds around itself in the sandbox, told by a client that looks."""

import json
import os
import socket
from pathlib import Path

import pytest

from audit.bundle.folder import open_bundle
from audit.record.machine import machine_identifiers
from audit.record.recorder import record
from tests.record.recordings import make_plan, script

pytestmark = pytest.mark.system

LOOK = """
import json, os, pathlib, pwd, socket, sys, uuid
def read(path):
    try: return pathlib.Path(path).read_text().strip()
    except OSError as error: return type(error).__name__
json.dump({
    "environment": dict(os.environ), "cwd": os.getcwd(), "files": os.listdir(os.environ["HOME"]),
    "host": socket.gethostname(), "user": pwd.getpwuid(os.getuid())[0], "gecos": pwd.getpwuid(os.getuid())[4],
    "mac": "%012x" % uuid.getnode(), "machine_id": read("/etc/machine-id"),
    "hostname_file": read("/etc/hostname"), "resolv": read("/etc/resolv.conf"), "hosts": read("/etc/hosts"),
    "run": os.listdir("/run") if os.path.isdir("/run") else [],
    "links": [name for _, name in socket.if_nameindex()],
    "sysfs": os.listdir("/sys/class/net") if os.path.isdir("/sys/class/net") else [],
    "processes": [read(f"/proc/{n}/cmdline") for n in os.listdir("/proc") if n.isdigit()],
    "uid": os.getuid(), "descriptors": [n for n in os.listdir("/proc/self/fd")],
    "bundle": os.listdir(sys.argv[1]), "around": [sorted(os.listdir(p)) for p in (os.environ["HOME"] + "/..", os.environ["HOME"] + "/../..")],
    "capabilities": [line for line in read("/proc/self/status").splitlines() if line.startswith("CapEff")],
}, open(sys.argv[2], "w"))
"""


@pytest.fixture
def look(tmp_path, netns):
    """Records a client that looks around; returns what it saw, and the bundle."""
    told = tmp_path / "told"
    told.mkdir()
    folder = tmp_path / "b"
    record(
        make_plan(
            folder, vantage=netns, client_command=[*script(LOOK), str(folder), str(told / "seen")]
        )
    )
    return json.loads((told / "seen").read_text()), open_bundle(folder)


def test_a_client_finds_the_persona_and_not_the_machine(look):
    seen, bundle = look
    known = {item.kind: item.value for item in bundle.identity.identifiers}
    assert seen["host"] == known["host_name"]
    assert seen["user"] == seen["environment"]["USER"] == known["user_name"]
    assert seen["gecos"] == known["display_name"]
    assert seen["environment"]["TZ"] == known["time_zone"]
    assert (
        seen["environment"]["LC_ALL"] == seen["environment"]["LANG"] == f"{known['locale']}.UTF-8"
    )
    assert seen["mac"] == known["mac"].replace(":", "")
    if Path("/etc/machine-id").exists():
        assert seen["machine_id"] == known["serial"]
    for item in machine_identifiers():
        if item.kind in {"serial", "mac", "host_name"}:
            assert item.value not in json.dumps(seen), item.kind


def test_the_folder_that_a_client_starts_in_can_be_told(tmp_path, vantage):
    (tmp_path / "here").mkdir()
    code = "import os, sys; open('there', 'w').write(os.environ['HOME'])"
    record(
        make_plan(
            tmp_path / "b",
            vantage=vantage,
            client_command=script(code),
            working_folder=tmp_path / "here",
        )
    )
    assert (tmp_path / "here" / "there").read_text().endswith("client/home")


def test_a_client_finds_an_empty_profile_and_its_own_processes(look):
    seen, _ = look
    assert seen["files"] == []
    assert seen["cwd"] == os.getcwd()  # noqa: PTH109 - as the client says it
    assert len(seen["processes"]) == 2
    assert len(seen["descriptors"]) == 4  # its three and the listing's
    assert seen["uid"] == os.getuid()


def test_a_client_finds_neither_the_evidence_nor_our_keys(look):
    seen, _ = look
    assert seen["bundle"] == []
    assert seen["around"][1] == ["client", "own"]
    assert all(
        "identity.json" not in names and "authority" not in names for names in seen["around"]
    )


def test_a_client_finds_no_name_service_but_the_recordings(look):
    seen, bundle = look
    assert seen["resolv"].splitlines()[0] == f"nameserver {bundle.manifest.network.resolvers[0]}"
    assert [name for name in seen["run"] if name != "systemd"] == []
    assert seen["hosts"].splitlines()[0] == "127.0.0.1 localhost"


def test_a_client_finds_one_link_beside_its_loopback(look):
    seen, _ = look
    assert sorted(seen["links"]) == ["eth0", "lo"]
    assert set(seen["sysfs"]) <= {"eth0", "lo"}


def test_the_machine_itself_is_not_touched(look):
    assert socket.gethostname() != look[0]["host"]
    assert "audit-" not in Path("/proc/mounts").read_text()


def test_traffic_on_the_clients_own_loopback_is_packets_too(tmp_path, netns):
    code = (
        "import socket, threading\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "client = socket.create_connection(server.getsockname())\n"
        "client.sendall(b'only on loopback')\nprint(server.accept()[0].recv(99))\n"
    )
    folder = tmp_path / "b"
    record(make_plan(folder, vantage=netns, client_command=script(code)))
    manifest = open_bundle(folder).manifest
    assert manifest.network.interfaces == ("eth0", "lo")
    data = (folder / "packets.pcapng").read_bytes()
    assert data.count(b"only on loopback") == 1  # each frame on lo passes twice, it is kept once


def test_trusted_authorities_are_given_in_the_intercepted_pass_alone(tmp_path, netns):
    from audit.yamlfile.target import TargetFile

    target = TargetFile.model_validate(
        {
            "schema": "audit/target@1",
            "policy": "p",
            "app": {"name": "x"},
            "trust_ca": ["SSL_CERT_FILE"],
        }
    )
    code = (
        "import os, sys, pathlib\nname = os.environ.get('SSL_CERT_FILE')\n"
        "pathlib.Path(sys.argv[1]).write_text(open(name).read() if name else 'none')\n"
    )
    said = {}
    for pass_ in ("passive", "intercepted"):
        out = tmp_path / f"{pass_}.txt"
        record(
            make_plan(
                tmp_path / pass_,
                vantage=netns,
                pass_=pass_,
                target=target,
                client_command=[*script(code), str(out)],
            )
        )
        said[pass_] = out.read_text()
    assert said["passive"] == "none"
    assert said["intercepted"].startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in said["intercepted"]
