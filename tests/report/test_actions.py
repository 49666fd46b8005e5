import shutil
import subprocess

import pytest

from audit.report.actions import action_views
from audit.report.anchors import Anchors
from tests.conftest import ROOT

from . import results


def seen(actions, **fields):
    coverage = results.make_coverage(actions=actions)
    return dict(action_views(results.make_result([], coverage=coverage, **fields), Anchors()))


def test_an_action_that_nothing_corroborates_says_so():
    actions = [
        {"capture": "a", "name": "account.create", "corroborated_by": None, "ok": True},
        {"capture": "b", "name": "app.idle", "corroborated_by": "recorder", "later": 7},
    ]
    shown = seen(actions)
    assert shown["a"][0].facts == (
        ("Corroborated by", "nothing: does not count"),
        ("Succeeded", "yes"),
    )
    assert shown["b"][0].facts == (("Corroborated by", "recorder"), ("Later", "7"))
    assert {deed.anchor for deeds in shown.values() for deed in deeds} == {
        "action-a-1",
        "action-b-1",
    }


def test_packets_of_an_action_lie_between_its_neighbours():
    stamps = (
        "2026-04-14T08:39:55.100000Z",
        "2026-04-14T08:39:56Z",
        "soon",
        "2026-04-14T08:40:00.5Z",
    )
    capture = results.make_capture("session-python", "1", "passive", stamps[0], stamps[3])
    actions = [{"capture": capture.id, "name": f"a{n}", "ts": ts} for n, ts in enumerate(stamps)]
    since, until = "1776155995.100000", "1776156000.500000"
    commands = [deed.commands for deed in seen(actions, captures=[capture])[capture.id]]
    assert [[command.text for command in one] for one in commands] == [
        ["tshark -r packets.pcapng -Y 'frame.time_epoch <= 1776155996.000000'"],
        [
            f"tshark -r packets.pcapng -Y 'frame.time_epoch >= {since} && frame.time_epoch <= {until}'"
        ],
        [],
        ["tshark -r packets.pcapng -Y 'frame.time_epoch >= 1776155996.000000'"],
    ]


def test_without_packets_there_is_no_command():
    capture = results.make_capture("x", "1", "passive", "x", "y", digests={})
    actions = [{"capture": capture.id, "name": "a", "ts": "2026-04-14T08:39:56Z"}]
    assert seen(actions, captures=[capture])[capture.id][0].commands == ()


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_the_commands_show_packets_of_the_sample():
    from audit.model.result import Result

    path = ROOT / "reports" / "sample" / "result.json"
    result = Result.model_validate_json(path.read_bytes())
    ((_, deeds),) = action_views(result, Anchors())
    counts = []
    for deed in deeds:
        (command,) = deed.commands
        ran = subprocess.run(
            ["bash", "-c", command.text],
            cwd=ROOT / "captures" / "sample",
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        counts.append(len(ran.stdout.splitlines()))
    assert sum(counts) > 50
    assert sum(1 for n in counts if n) >= len(counts) - 1
