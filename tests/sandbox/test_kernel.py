import errno
import os
import signal
import sys

import pytest

from audit.sandbox import kernel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="calls of the Linux kernel")


def in_a_fork(action) -> int:
    """Return the errno of a :class:`CallError` that ``action`` raises in a child, 0 for none."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except kernel.CallError as error:
            os._exit(error.errno)
        except BaseException:  # noqa: BLE001 - a forked child must end here
            os._exit(255)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_refused_call_names_itself_and_its_errno():
    with pytest.raises(kernel.CallError) as caught:
        kernel.setns(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC), kernel.NEWNET)
    assert str(caught.value) == "setns(net): EINVAL (Invalid argument)"


def test_a_reached_limit_is_not_called_a_full_disk():
    assert "No space" not in str(kernel.CallError(errno.ENOSPC, "unshare(user)"))
    assert "limit of such namespaces" in str(kernel.CallError(errno.ENOSPC, "unshare(user)"))
    assert "No space left" in str(kernel.CallError(errno.ENOSPC, "write"))


def test_namespaces_are_named_as_people_say():
    with pytest.raises(kernel.CallError, match=r"unshare\(\): EINVAL"):
        kernel.unshare(0x1)


def test_dropped_capabilities_are_gone_for_good():
    def action():
        kernel.drop_capabilities(frozenset())
        assert kernel._own_capabilities() == 0

    expected = 0 if os.geteuid() == 0 else errno.EPERM
    assert in_a_fork(action) == expected


def test_a_child_dies_with_its_parent():
    told, teller = os.pipe()
    parent = os.fork()
    if parent == 0:
        child = os.fork()
        if child == 0:
            kernel.die_with_parent(signal.SIGKILL)
            os.write(teller, b"x")
            signal.pause()
            os._exit(0)
        os.read(told, 1)
        os._exit(0)
    os.waitpid(parent, 0)
    os.close(teller)
    assert os.read(told, 1) == b""
    os.close(told)
