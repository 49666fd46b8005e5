"""What goes wrong gives one sentence, keeps what was recorded, and can never give a pass."""

import pytest

from audit.bundle.folder import open_bundle
from audit.errors import CaptureError, SetupError, UsageError
from audit.record.plan import LabNetwork
from audit.record.recorder import record
from tests.record import recordings
from tests.record.recordings import make_plan, script

pytestmark = pytest.mark.system
SLEEP = script("import time; time.sleep(60)")


def fails(plan, error, match):
    with pytest.raises(error, match=match) as caught:
        record(plan)
    assert "\n" not in str(caught.value)
    return caught.value


def kept(folder):
    """Return the bundle of a recording that failed: it opens, with its reasons."""
    bundle = open_bundle(folder)
    assert bundle.truncated
    assert bundle.manifest.status == "complete"
    return bundle


def test_a_client_that_is_not_there_is_named_before_anything_is_made(tmp_path):
    plan = make_plan(tmp_path / "b", client_command=["no-such-client-here"])
    error = fails(plan, SetupError, "the client was not found")
    assert error.source == "no-such-client-here"
    assert error.hint
    assert not (tmp_path / "b").exists()


def test_a_file_that_is_no_program_is_named(tmp_path, vantage):
    (tmp_path / "client").write_text("no program\n")
    (tmp_path / "client").chmod(0o755)
    plan = make_plan(tmp_path / "b", vantage=vantage, client_command=[str(tmp_path / "client")])
    fails(plan, SetupError, "the client cannot be started: Exec format error")
    kept(tmp_path / "b")


def test_a_client_that_fails_keeps_its_traffic_and_its_exit_code(tmp_path, vantage):
    code = (
        recordings.FETCH.format(urls=["http://shop.example/before"])
        + "sys.exit('sec' + 'ret words')"
    )
    plan = make_plan(
        tmp_path / "b", vantage=vantage, pass_="intercepted", client_command=script(code)
    )
    error = fails(plan, SetupError, "the client ended with exit code 1")
    assert "secret words" in error.hint
    bundle = kept(tmp_path / "b")
    assert bundle.manifest.client.exit_code == 1
    assert "/before" in {
        flow.request.path for flow in recordings.flows(tmp_path / "b" / "flows.mitm")
    }
    everything = b"".join(path.read_bytes() for path in (tmp_path / "b").iterdir())
    assert b"secret words" not in everything


def test_a_client_that_crashes_is_told_by_its_signal(tmp_path, vantage):
    plan = make_plan(
        tmp_path / "b", vantage=vantage, client_command=script("import os; os.abort()")
    )
    fails(plan, SetupError, "the client was ended by SIGABRT")
    assert kept(tmp_path / "b").manifest.client.exit_code == -6


def test_a_client_that_hangs_is_ended_with_all_its_children(tmp_path, vantage):
    code = "import os, signal, time; signal.signal(15, signal.SIG_IGN); os.fork(); time.sleep(60)"
    plan = make_plan(tmp_path / "b", vantage=vantage, client_command=script(code), timeout_s=1.0)
    fails(plan, SetupError, "the client did not end within 1 s")
    assert kept(tmp_path / "b").manifest.client.exit_code is None


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ("hello", "no JSON line"),
        ('{"note": 1}', "without an action"),
        ('{"action": "app.fly"}', "unknown action 'app.fly'"),
    ],
)
def test_a_driver_that_speaks_nonsense_is_stopped(tmp_path, vantage, said, match):
    code = f"import time; print({said!r}, flush=True); time.sleep(60)"
    plan = make_plan(
        tmp_path / "b", vantage=vantage, client_command=script(code), speaks_protocol=True
    )
    assert fails(plan, CaptureError, match).source == "line 1 of the client"
    kept(tmp_path / "b")


def test_a_peer_that_fails_ends_the_recording(tmp_path, vantage):
    plan = make_plan(
        tmp_path / "b", vantage=vantage, client_command=SLEEP, speaks_protocol=True,
        peer_command=script("raise SystemExit('no mailbox')"),
    )  # fmt: skip
    assert "no mailbox" in fails(plan, SetupError, "the peer ended with exit code 1").hint
    kept(tmp_path / "b")


def test_a_lab_that_cannot_listen_is_named_with_its_reason(tmp_path, vantage):
    lab = LabNetwork(command=script("raise SystemExit('port 80 is in use')"))
    plan = make_plan(tmp_path / "b", vantage=vantage, network=lab)
    fails(plan, SetupError, "the lab ended with exit code 1 before it was ready: port 80 is in use")
    kept(tmp_path / "b")


def test_a_lab_that_says_something_else_is_named(tmp_path):
    lab = LabNetwork(command=script("import time; print('hello', flush=True); time.sleep(60)"))
    fails(
        make_plan(tmp_path / "b", vantage="proxy", network=lab),
        SetupError,
        "first line is not as agreed",
    )


def test_a_program_run_after_the_client_must_succeed(tmp_path, vantage):
    plan = make_plan(
        tmp_path / "b", vantage=vantage, client_command=script("pass"),
        extra_commands=[script("raise SystemExit('no plan')")],
    )  # fmt: skip
    assert "no plan" in fails(plan, SetupError, "run after the client, ended with exit code 1").hint
    kept(tmp_path / "b")


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "file").write_text("precious")
    fails(make_plan(tmp_path / "b", client_command=script("pass")), UsageError, "something already")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["file"]


def test_an_identity_file_that_is_missing_is_named(tmp_path):
    plan = make_plan(tmp_path / "b", client_command=script("pass"), identity=tmp_path / "me.json")
    assert fails(plan, CaptureError, "no such identity file").source == str(tmp_path / "me.json")
    assert not (tmp_path / "b").exists()


def test_a_proxy_that_dies_ends_the_recording(tmp_path, vantage):
    """The client finds the proxy by the port it listens on and cannot; so the test's program ends it."""
    import os
    import signal
    import threading
    import time

    def end_the_proxy():
        for _ in range(200):
            time.sleep(0.05)
            for entry in os.listdir("/proc"):  # noqa: PTH208 - many short names
                try:
                    with open(f"/proc/{entry}/environ", "rb") as file:  # noqa: PTH123
                        environment = file.read()
                    with open(f"/proc/{entry}/cmdline", "rb") as file:  # noqa: PTH123
                        command = file.read()
                except OSError:
                    continue
                config = str(tmp_path / "tmp").encode()
                if (
                    b"AUDIT_PROXY_CONFIG=" + config in environment
                    and b"mitmdump" in command
                    and listening.is_set()
                ):
                    os.kill(int(entry), signal.SIGKILL)
                    return

    import tempfile

    (tmp_path / "tmp").mkdir()
    listening = threading.Event()
    before = tempfile.tempdir
    tempfile.tempdir = str(tmp_path / "tmp")
    killer = threading.Thread(target=end_the_proxy)
    try:
        killer.start()
        plan = make_plan(
            tmp_path / "b", vantage=vantage, pass_="intercepted", client_output=lambda _: listening.set(),
            client_command=script("import time; print(1, flush=True); time.sleep(60)"),
        )  # fmt: skip
        fails(plan, CaptureError, "the recording proxy ended during the recording")
    finally:
        tempfile.tempdir = before
        killer.join()
    kept(tmp_path / "b")
