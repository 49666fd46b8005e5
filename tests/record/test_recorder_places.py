"""Recording as an ordinary user, and onto a disk that is full."""

import os
import sys

import pytest

from audit.bundle.folder import open_bundle
from audit.sandbox.program import Program
from tests.record import recordings
from tests.record.other_user import UID, ordinary_python
from tests.record.recordings import ROOT
from tests.sandbox.places import job, require_namespaces, sandbox, wire

pytestmark = pytest.mark.system

PLAIN = """
import sys
from pathlib import Path
from audit.record.recorder import record
from tests.record.recordings import make_plan
record(make_plan(Path(sys.argv[1]), pass_=sys.argv[2], vantage=sys.argv[3]))
"""
FULL = """
import sys
from pathlib import Path
from audit.bundle.folder import open_bundle
from audit.errors import AuditError
from audit.record.recorder import record
from audit.sandbox import kernel
from tests.record.recordings import make_plan, script
folder, size, vantage, pass_ = Path(sys.argv[1]), *sys.argv[2:]
kernel.unshare(kernel.NEWNS)
kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
kernel.mount("none", str(folder), "tmpfs", 0, f"size={size}")
upload = script("import os, urllib.request\\nfor _ in range(30): urllib.request.urlopen('http://203.0.113.5/x', os.urandom(200_000)).read()")
try:
    record(make_plan(folder / "b", vantage=vantage, pass_=pass_, client_command=upload))
    print("recorded")
except AuditError as error:
    print(error)
if (folder / "b").exists():
    bundle = open_bundle(folder / "b")
    print(bundle.truncated[0])
    packets, flows = folder / "b" / "packets.pcapng", folder / "b" / "flows.mitm"
    if packets.exists():
        from audit.bundle.pcapng import _read_block
        with packets.open("rb") as file:
            while _read_block(file, packets): pass
    if flows.exists():
        from tests.record.recordings import flows as read
        read(flows)
"""


@pytest.mark.parametrize("pass_", ["passive", "intercepted"])
def test_an_ordinary_user_records_all_the_same(tmp_path, netns, pass_):
    import subprocess

    command, env = ordinary_python()
    for folder in ("out", "tmp"):
        (tmp_path / folder).mkdir()
    if os.geteuid() == 0:
        for parent in (tmp_path, *tmp_path.parents):
            if parent.name.startswith(("pytest-", "popen-")) or parent == tmp_path:
                parent.chmod(0o755)
        for folder in ("out", "tmp"):
            os.chown(tmp_path / folder, UID, UID)
    folder = tmp_path / "out" / "b"
    run = subprocess.run(
        [*command, "-c", PLAIN, str(folder), pass_, netns], env=env | {"TMPDIR": str(tmp_path / "tmp")},
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    bundle = open_bundle(folder)
    assert bundle.truncated == ()
    assert bundle.manifest.vantage == "netns"
    assert recordings.key_log(folder / "packets.pcapng")
    assert not any((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize(
    ("size", "vantage", "pass_"),
    [
        ("4k", "netns", "passive"),
        ("300k", "netns", "passive"),
        ("300k", "netns", "intercepted"),
        ("1200k", "proxy", "intercepted"),
    ],
)
def test_a_full_disk_is_named_and_what_fitted_can_be_read(tmp_path, size, vantage, pass_):
    """The small disk is mounted in a sandbox, so no root is needed."""
    require_namespaces()
    folder = tmp_path / "disk"
    folder.mkdir()
    said = []
    env = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "PATH": os.defpath,
        "PYTHONWARNINGS": "ignore",
    }
    with sandbox() as box:
        wire(box)
        argv = [sys.executable, "-B", "-c", FULL, str(folder), size, vantage, pass_]
        Program(
            box, "the recorder", job(argv, "gateway", env=env, cwd=str(ROOT)), on_line=said.append
        ).require_success(90)
    assert b"the disk is full" in said[0]
    if len(said) > 1:
        assert b"the disk is full" in said[1] or b"did not finish" in said[1]
