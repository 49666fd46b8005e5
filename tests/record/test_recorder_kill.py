"""SIGKILL at any moment: the bundle opens and is truncated, no process or namespace is left."""

import os
import random
import subprocess
import sys
import time

import pytest

from audit.bundle.folder import open_bundle
from audit.bundle.layout import MANIFEST
from audit.errors import CaptureError
from tests.record.recordings import ROOT
from tests.sandbox.places import adopting_orphans, family, namespaces_of, require_gone

pytestmark = pytest.mark.system

CODE = """
import sys
from pathlib import Path
from audit.record.recorder import record
from tests.record.recordings import make_plan, script
print('start', flush=True)
record(make_plan(Path(sys.argv[1]), vantage=sys.argv[2], pass_=sys.argv[3],
                 client_command=script('import time; time.sleep(1)')))
print('done', flush=True)
"""


@pytest.mark.parametrize("pass_", ["passive", "intercepted"])
@pytest.mark.parametrize("moment", range(3))
def test_killed_at_any_moment(tmp_path, vantage, pass_, moment):
    (tmp_path / "tmp").mkdir()
    env = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "TMPDIR": str(tmp_path / "tmp"),
        "PATH": os.defpath,
    }
    command = [sys.executable, "-B", "-c", CODE, str(tmp_path / "b"), vantage, pass_]
    with adopting_orphans() as wait_for_all:
        recorder = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, cwd=ROOT)
        assert recorder.stdout.readline() == b"start\n"
        time.sleep(random.uniform(0, 0.5) + moment * 0.5)
        made = namespaces_of(family(recorder.pid))
        recorder.kill()
        finished = b"done" in recorder.stdout.read()
        recorder.wait()
        recorder.stdout.close()
        wait_for_all()
    require_gone(made)
    assert not any((tmp_path / "tmp").iterdir())
    if (tmp_path / "b").exists() and not finished:
        assert open_bundle(tmp_path / "b").truncated == (
            "the recorder did not finish: the bundle is in state 'recording'",
        )


def test_a_folder_never_stands_there_without_its_manifest(tmp_path):
    """What the kernel leaves of a killed beginning is a hidden folder beside, never a bundle."""
    from audit.bundle.manifest import Client
    from audit.record.new_bundle import NewBundle
    from tests.record.recordings import make_plan

    bundle = NewBundle(make_plan(tmp_path / "b"), Client(name="x"), "UTC")
    bundle.journal.close()
    assert (tmp_path / "b" / MANIFEST).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    with pytest.raises(CaptureError):
        open_bundle(tmp_path)
