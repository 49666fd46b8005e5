"""Runs a command on a machine that refuses namespaces: ``KIND COMMAND...``, standard library only.

calls     unshare, setns and mount say EPERM (a container's filter), whoever asks
no-users  no more user namespaces, no capabilities (a hardened kernel): ENOSPC
no-nets   user namespaces, but no network namespaces: ENOSPC
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

from audit.sandbox import kernel

NUMBERS = {"x86_64": (272, 308, 165), "aarch64": (97, 268, 40)}
"""unshare, setns, mount; from the kernel's own tables."""
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
SETFCAP = 31
"""What root must have to be root in a namespace below, since Linux 5.12."""
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2


def refuse_calls() -> None:
    step = struct.Struct("=HBBI").pack
    wanted = NUMBERS[platform.machine()]
    program = step(LOAD, 0, 0, 0)
    for left, number in zip(range(len(wanted), 0, -1), wanted, strict=True):
        program += step(EQUAL, left, 0, number)
    program += step(RETURN, 0, 0, ALLOW) + step(RETURN, 0, 0, REFUSE)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))

    library = ctypes.CDLL(None, use_errno=True)
    handed = ctypes.byref(Program(len(program) // 8, program))
    for call in ((NO_NEW_PRIVILEGES, 1, 0, 0, 0), (SECCOMP, FILTER, handed, 0, 0)):
        if library.prctl(*call):
            raise OSError(ctypes.get_errno(), "prctl")


def limit(kind: str) -> None:
    uid, gid = os.getuid(), os.getgid()
    kernel.unshare(kernel.NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)
    with open(f"/proc/sys/user/max_{kind}_namespaces", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("0")
    kernel.drop_capabilities(frozenset({SETFCAP}))


if __name__ == "__main__":
    refuse_calls() if sys.argv[1] == "calls" else limit(
        {"no-users": "user", "no-nets": "net"}[sys.argv[1]]
    )
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted
