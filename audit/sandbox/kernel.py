"""The few Linux calls that Python 3.11 lacks, each failing with its own name.

Numbers are those of ``<linux/sched.h>``, ``<sys/mount.h>``, ``<linux/prctl.h>`` and
``<linux/capability.h>``; they are the same on every architecture.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Final

NEWNS: Final = 0x00020000
NEWUTS: Final = 0x04000000
NEWIPC: Final = 0x08000000
NEWUSER: Final = 0x10000000
NEWPID: Final = 0x20000000
NEWNET: Final = 0x40000000
_NAMES: Final = {
    NEWNS: "mount", NEWUTS: "uts", NEWIPC: "ipc", NEWUSER: "user", NEWPID: "pid", NEWNET: "net",
}  # fmt: skip

MS_RDONLY: Final = 0x1
MS_NOSUID: Final = 0x2
MS_NODEV: Final = 0x4
MS_NOEXEC: Final = 0x8
MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x40000

_PR_SET_PDEATHSIG: Final = 1
_PR_CAPBSET_DROP: Final = 24
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_CAP_AMBIENT: Final = 47
_CAP_AMBIENT_RAISE: Final = 2
_CAP_AMBIENT_CLEAR_ALL: Final = 4
_CAPABILITY_VERSION_3: Final = 0x20080522

NET_BIND_SERVICE: Final = 10
NET_ADMIN: Final = 12
NET_RAW: Final = 13
ADMIN_CAPABILITIES: Final = (1 << 21) | (1 << NET_ADMIN)
"""Bits of CAP_SYS_ADMIN and CAP_NET_ADMIN: what it takes to make namespaces and links as root."""
ROOT_CLIENT_CAPABILITIES: Final = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31})
"""What a client started by root keeps: chown, dac_override, fowner, fsetid, kill, setgid, setuid,
setpcap, net_bind_service, sys_chroot, setfcap. It can change neither links nor mounts."""


class CallError(OSError):
    """A kernel call was refused; ``call`` is its name with the argument that matters."""

    def __init__(self, number: int, call: str) -> None:
        super().__init__(number, os.strerror(number))
        self.call = call

    def __str__(self) -> str:
        if self.errno == errno.ENOSPC and self.call.startswith("unshare"):
            return f"{self.call}: ENOSPC (the machine's limit of such namespaces is reached)"
        return f"{self.call}: {describe_errno(self.errno or 0)}"


def describe_errno(number: int) -> str:
    """Return an errno as people read it, such as ``EPERM (Operation not permitted)``."""
    return f"{errno.errorcode.get(number, number)} ({os.strerror(number)})"


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, text: str, *arguments: object) -> None:
    try:
        function = getattr(_library(), name)
    except AttributeError:
        raise CallError(errno.ENOSYS, text) from None
    if function(*arguments) < 0:
        raise CallError(ctypes.get_errno(), text)


def unshare(flags: int) -> None:
    """Move the caller into new namespaces (for ``NEWPID``: its children to come)."""
    what = "+".join(name for flag, name in _NAMES.items() if flags & flag)
    _call("unshare", f"unshare({what})", ctypes.c_int(flags))


def setns(descriptor: int, flag: int) -> None:
    """Move the caller into the namespace that ``descriptor`` holds."""
    _call("setns", f"setns({_NAMES[flag]})", ctypes.c_int(descriptor), ctypes.c_int(flag))


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount; ``kind`` is the file system's type, ``None`` for binds and changed propagation."""
    _call(
        "mount",
        f"mount({kind or 'bind'} on {target})",
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )


def _prctl(text: str, option: int, first: int = 0, second: int = 0) -> None:
    arguments = (ctypes.c_ulong(value) for value in (first, second, 0, 0))
    _call("prctl", f"prctl({text})", ctypes.c_int(option), *arguments)


def die_with_parent(number: int) -> None:
    """Have the kernel send signal ``number`` when the parent (its forking thread) ends.

    Changing credentials undoes this, so it belongs after them; a parent that is gone already
    sends nothing, so the caller checks that once more itself.
    """
    _prctl("PDEATHSIG", _PR_SET_PDEATHSIG, number)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _prctl("CHILD_SUBREAPER", _PR_SET_CHILD_SUBREAPER, 1)


def _set_capabilities(permitted: int, inheritable: int) -> None:
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    words = []
    for shift in (0, 32):
        part, passed = permitted >> shift & 0xFFFFFFFF, inheritable >> shift & 0xFFFFFFFF
        words += [part, part, passed]
    _call("capset", "capset", header, struct.pack("=6I", *words))


def _own_capabilities() -> int:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - early in a fork
        for line in file:
            if line.startswith("CapPrm:"):
                return int(line.split()[1], 16)
    return 0


def has_capabilities(mask: int) -> bool:
    """Return whether the caller holds every capability of ``mask`` (bit = number)."""
    return _own_capabilities() & mask == mask


def _last_capability() -> int:
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read())


def pass_on_capabilities() -> None:
    """Keep every capability over the coming ``execve``, whatever the uid."""
    have = _own_capabilities()
    _set_capabilities(have, have)
    for number in range(64):
        if have >> number & 1:
            _prctl("CAP_AMBIENT_RAISE", _PR_CAP_AMBIENT, _CAP_AMBIENT_RAISE, number)


def drop_capabilities(keep: frozenset[int]) -> None:
    """Give up, for good, every capability that is not in ``keep``."""
    have = _own_capabilities()
    _prctl("CAP_AMBIENT_CLEAR", _PR_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL)
    for number in range(_last_capability() + 1):
        if number not in keep:
            _prctl("CAPBSET_DROP", _PR_CAPBSET_DROP, number)
    kept = have & sum(1 << number for number in keep)
    _set_capabilities(kept, 0)
