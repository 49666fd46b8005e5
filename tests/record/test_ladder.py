import json
import os
import subprocess
import sys

import pytest

from audit.bundle.folder import open_bundle
from audit.record.ladder import probe_ladder
from audit.record.recorder import record
from tests.record.recordings import ROOT, make_plan, script
from tests.sandbox import places

pytestmark = pytest.mark.system

PROBE = "import json; from audit.record.ladder import probe_ladder; print(json.dumps([rung.model_dump() for rung in probe_ladder()]))"
RECORD = """
import sys
from pathlib import Path
from audit.record.recorder import record
from tests.record.recordings import make_plan
said = []
report = record(make_plan(Path(sys.argv[1]), pass_='intercepted', vantage=sys.argv[2], announce=said.append))
print(report.vantage)
print(*said, sep='\\n')
"""
REFUSED = {
    "calls": "EPERM (Operation not permitted)",
    "no-users": "unshare(user): ENOSPC (the machine's limit of such namespaces is reached)",
    "no-nets": "unshare(net): ENOSPC (the machine's limit of such namespaces is reached)",
}


def on_refusing_machine(kind, code, *arguments, cwd=ROOT):
    """Run Python code where namespaces are refused; the machine must allow the refusal itself."""
    if kind != "calls":
        places.require_namespaces()
    env = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [
        sys.executable,
        "-m",
        "tests.record.refusing_machine",
        kind,
        sys.executable,
        "-c",
        code,
        *arguments,
    ]
    return subprocess.run(
        command, env=env, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_machine_that_allows_namespaces_has_every_rung(netns):
    rungs = probe_ladder()
    assert [(rung.name, rung.works, rung.reason) for rung in rungs] == [
        ("netns", True, None),
        ("proxy", True, None),
    ]


def test_below_the_first_rung_that_works_nothing_need_be_tried(netns):
    assert [rung.name for rung in probe_ladder(all_rungs=False)] == ["netns"]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refusal_is_told_by_call_and_errno_and_the_proxy_works(kind):
    run = on_refusing_machine(kind, PROBE)
    assert run.returncode == 0, run.stderr
    netns, proxy = json.loads(run.stdout)
    assert (netns["name"], netns["works"]) == ("netns", False)
    assert REFUSED[kind] in netns["reason"]
    assert proxy == {"name": "proxy", "works": True, "reason": None}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_recording_on_a_refusing_machine_says_first_what_it_cannot_see(tmp_path, kind):
    run = on_refusing_machine(kind, RECORD, str(tmp_path / "b"), "auto")
    assert run.returncode == 0, run.stderr
    vantage, refusal, *limits = run.stdout.splitlines()
    assert vantage == "proxy"
    assert REFUSED[kind] in refusal
    assert any("around the recording proxy" in limit for limit in limits)
    bundle = open_bundle(tmp_path / "b")
    assert bundle.truncated == ()
    assert [(rung.name, rung.works) for rung in bundle.manifest.ladder] == [
        ("netns", False),
        ("proxy", True),
    ]
    assert REFUSED[kind] in bundle.manifest.ladder[0].reason
    assert not (tmp_path / "b" / "packets.pcapng").exists()


def test_who_asks_for_the_sandbox_alone_gets_one_sentence_and_no_bundle(tmp_path):
    run = on_refusing_machine("calls", RECORD, str(tmp_path / "b"), "netns")
    assert run.returncode == 1
    assert "this machine refuses a sandbox: " in run.stderr.splitlines()[-1]
    assert "audit doctor" in run.stderr.splitlines()[-1]
    assert not (tmp_path / "b").exists()


def test_a_ladder_of_one_rung_is_not_climbed(tmp_path):
    report = record(make_plan(tmp_path / "b", vantage="proxy", client_command=script("pass")))
    assert [rung.name for rung in report.ladder] == ["proxy"]
