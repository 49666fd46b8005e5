import os
import signal
import time

import pytest

from audit.errors import SetupError
from audit.sandbox.channel import Mount
from audit.sandbox.program import Program
from tests.sandbox.places import PROC, family, job, output, python

pytestmark = pytest.mark.system


def test_a_job_sees_the_processes_of_its_own_namespace_alone(box):
    seen = output(
        box,
        "import os; print(sum(n.isdigit() for n in os.listdir('/proc')))",
        own_pids=True,
        mounts=PROC,
    )
    assert int(seen) == 2  # the watcher and the program


def test_what_a_program_leaves_behind_ends_with_it(box):
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n    os.setsid()\n    os.close(1); os.close(2)\n    time.sleep(99)\n"
        "print('left', flush=True)"
    )
    assert output(box, code, own_pids=True, mounts=PROC) == "left"
    left = output(
        box,
        "import os\nprint([n for n in os.listdir('/proc') if n.isdigit() and b'sleep(99)' in open(f'/proc/{n}/cmdline','rb').read() and n != str(os.getpid())])",
        "gateway",
    )
    assert left == "[]"


@pytest.mark.parametrize("nested", [True, False])
def test_a_signal_is_told_as_such(box, nested):
    program = Program(
        box, "p", job(python("import os; os.kill(os.getpid(), 11)"), own_pids=nested, mounts=PROC)
    )
    assert program.wait(20) == -signal.SIGSEGV
    program.close()


def test_a_hidden_folder_is_empty_for_the_job_alone(box, tmp_path):
    (tmp_path / "secret").write_text("x")
    hide = [Mount(kind="hide", target=str(tmp_path))]
    assert output(box, f"import os; print(os.listdir({str(tmp_path)!r}))", mounts=hide) == "[]"
    assert os.listdir(tmp_path) == ["secret"]  # noqa: PTH208 - compared with the line above


def test_a_file_takes_another_ones_place_for_the_job_alone(box, tmp_path):
    (tmp_path / "mine").write_text("planted")
    bind = [Mount(kind="bind", source=str(tmp_path / "mine"), target="/etc/resolv.conf")]
    assert output(box, "print(open('/etc/resolv.conf').read())", mounts=bind) == "planted"
    with open("/etc/resolv.conf", encoding="utf-8") as file:  # noqa: PTH123 - as the line above
        assert file.read() != "planted"


def test_a_file_is_laid_where_a_hidden_folder_had_it(box, tmp_path):
    """As where /etc/resolv.conf is a link into /run."""
    (tmp_path / "mine").write_text("planted")
    target = "/run/systemd/resolve/stub-resolv.conf"
    mounts = [
        Mount(kind="hide", target="/run"),
        Mount(kind="bind", source=str(tmp_path / "mine"), target=target),
    ]
    assert output(box, f"print(open({target!r}).read())", mounts=mounts) == "planted"


def test_a_mount_that_is_refused_stops_the_job_unless_it_is_optional(box):
    wrong = Mount(kind="bind", source="/nowhere", target="/etc/resolv.conf")
    with pytest.raises(SetupError, match=r"mount\(bind on /etc/resolv.conf\): ENOENT"):
        output(box, "print(1)", mounts=[wrong])
    optional = Mount(kind="bind", source="/nowhere", target="/etc/resolv.conf", optional=True)
    assert output(box, "print(1)", mounts=[optional]) == "1"


def test_the_machines_links_are_not_in_the_clients_sysfs(box):
    code = (
        "import os; print(os.listdir('/sys/class/net') if os.path.isdir('/sys/class/net') else [])"
    )
    links = output(box, code, mounts=[Mount(kind="sysfs", target="/sys")])
    assert links in {"['lo']", "[]"}


def test_a_client_can_change_neither_links_nor_mounts(box):
    code = (
        "import ctypes, socket\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None), libc.sethostname(b'x', 1), libc.unshare(0x40000000))\n"
        "try:\n    socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\nexcept PermissionError:\n    print('no raw socket')\n"
    )
    assert output(box, code, powers="client") == "-1 -1 -1\nno raw socket"


def test_only_the_given_descriptors_reach_a_job(box):
    code = "import os; print([n for n in os.listdir('/proc/self/fd') if int(n) > 2])"
    listing = eval(output(box, code, own_pids=True, mounts=PROC))  # noqa: S307 - our own output
    assert len(listing) == 1  # the listing's own


def test_orphans_end_with_a_keeper_without_namespaces(plain):
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n    os.setsid()\n    os.close(1); os.close(2)\n    time.sleep(99)\n    os._exit(0)\n"
        "print(1, flush=True)"
    )
    heard = []
    program = Program(
        plain, "p", job(python(code + "\n" + "time.sleep(99)"), "outside"), on_line=heard.append
    )
    plain.watch.until(lambda: bool(heard), 20, "the orphan")
    keeper = plain._process.pid
    orphans = family(keeper)
    assert len(orphans) == 2
    program.close()
    plain.close()
    deadline = time.monotonic() + 5
    while any(os.path.exists(f"/proc/{pid}") for pid in orphans) and time.monotonic() < deadline:  # noqa: PTH110
        time.sleep(0.01)
    assert not [pid for pid in orphans if os.path.exists(f"/proc/{pid}")]  # noqa: PTH110
