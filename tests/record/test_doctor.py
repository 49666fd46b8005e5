import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from audit.record import doctor
from audit.record.doctor import apparmor_profile, closed_folder, examine, mend_namespaces
from tests.record.test_ladder import on_refusing_machine


@pytest.fixture
def entered_by_all():
    """A folder that everybody may enter, unlike the ones of pytest."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_folder_that_others_may_not_enter_is_found(entered_by_all):
    program = entered_by_all / "open" / "closed" / "python"
    program.parent.mkdir(parents=True)
    program.touch()
    assert closed_folder(program) is None
    program.parent.chmod(0o700)
    assert closed_folder(program) == program.parent


def test_a_link_is_followed_to_where_the_program_lies(entered_by_all):
    closed = entered_by_all / "closed"
    closed.mkdir(mode=0o700)
    (closed / "python").touch()
    (entered_by_all / "python").symlink_to(closed / "python")
    assert closed_folder(entered_by_all / "python") == closed


@pytest.mark.skipif(sys.platform != "linux", reason="settings of the Linux kernel")
@pytest.mark.parametrize(
    ("settings", "reason", "line"),
    [
        (
            {},
            "unshare(user): ENOSPC (the machine's limit of such namespaces is reached)",
            "sudo sysctl user.max_user_namespaces=15000",
        ),
        (
            {},
            "unshare(net): ENOSPC (the machine's limit of such namespaces is reached)",
            "sudo sysctl user.max_net_namespaces=15000",
        ),
        (
            {doctor._APPARMOR: "1"},
            "unshare(net): EPERM (Operation not permitted)",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            {doctor._OLD_DEBIAN: "0"},
            "unshare(user): EPERM (Operation not permitted)",
            "sudo sysctl kernel.unprivileged_userns_clone=1",
        ),
    ],
)
def test_each_refusal_has_its_line_to_mend_it(monkeypatch, settings, reason, line):
    monkeypatch.setattr(doctor, "_reads", settings.get)
    assert mend_namespaces(reason)[0] == line


def test_the_profile_names_this_very_python():
    assert str(Path(sys.executable).resolve()) in apparmor_profile()
    assert "userns," in apparmor_profile()


@pytest.mark.system
def test_what_is_found_is_plain_data_with_a_mend_for_everything_that_fails():
    found = json.loads(json.dumps(examine()))
    assert found["vantage"] in {"netns", "proxy"}
    assert {"vantage netns", "vantage proxy", "real network", "python", "disk"} <= {
        fact["name"] for fact in found["facts"]
    }
    for fact in found["facts"]:
        assert fact["text"]
        assert "\n" not in fact["text"]
        if not fact["works"] and os.geteuid() != 0:
            assert fact["mend"], fact
    assert found["tools"]["mitmproxy"]


@pytest.mark.system
def test_a_refusing_machine_is_told_how_to_allow_it():
    code = "import json; from audit.record.doctor import examine; print(json.dumps(examine()))"
    run = on_refusing_machine("no-users", code)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["vantage"] == "proxy"
    (fact,) = [fact for fact in found["facts"] if fact["name"] == "vantage netns"]
    assert not fact["works"]
    assert "sudo sysctl user.max_user_namespaces=15000" in fact["mend"]
