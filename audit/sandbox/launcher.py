"""The program that owns a sandbox.

``python -m audit.sandbox.launcher MODE DESCRIPTOR HOSTNAME SCRATCH``

It is started by :mod:`audit.sandbox.sandbox` and holds everything that a recording starts, so
that a recorder killed at any moment leaves nothing behind:

- MODE ``plain``: a keeper in the machine's own namespaces. When its channel closes it kills all
  its descendants (it is their subreaper), removes the folder SCRATCH and ends.
- MODE ``namespaces``: beside that keeper, the first process of a new process namespace, in new
  user (unless root), mount, IPC and UTS namespaces, holding the network namespaces by descriptor.
  It is killed by the kernel with the keeper, and with it every process of the namespace.

A new user namespace is refused to a process with threads, so nothing here starts one, and nothing
heavy is imported.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
from typing import Final

from audit.sandbox import kernel
from audit.sandbox.channel import Channel, Closed
from audit.sandbox.jobs import JobKeeper

_TAP_BUFFER_BYTES: Final = 64 << 20
"""Receive buffer of the packet tap: what a burst may hold while the tap writes."""
_ETH_P_ALL: Final = 0x0003
_SO_RCVBUFFORCE: Final = 33
_SO_TIMESTAMPNS: Final = 35


def main(arguments: list[str]) -> int:
    """Run as the arguments say; the exit code is 0 when the recorder let go."""
    mode, descriptor, host_name, scratch = arguments[0], int(arguments[1]), *arguments[2:4]
    os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=descriptor))
    keeper = JobKeeper(channel, {})
    if sys.platform == "linux":
        signal.signal(signal.SIGTERM, lambda *_: keeper.stop())
        kernel.die_with_parent(signal.SIGTERM)
        kernel.adopt_orphans()
    with contextlib.suppress(Closed):
        if mode == "namespaces":
            _fork_sandbox(channel, host_name)
        else:
            channel.send({"event": "ready"})
        keeper.serve()
    keeper.end_all()
    if scratch:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


def _fork_sandbox(channel: Channel, host_name: str) -> None:
    """Fork the process that becomes the sandbox; its end of a new channel goes to the recorder."""
    ours, theirs = socket.socketpair()
    alive, keep_alive = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ours.close()
        os.close(keep_alive)
        _sandbox(Channel(theirs), alive, host_name)
        os._exit(0)
    theirs.close()
    os.close(alive)
    channel.send({"event": "ready", "sandbox": pid}, [ours.fileno()])
    ours.close()
    # keep_alive stays open as long as the keeper lives: its end is what `alive` reports.


def _sandbox(channel: Channel, alive: int, host_name: str) -> None:
    """Enter the namespaces and fork the first process of the process namespace."""
    try:
        _enter_user_namespace()
        kernel.die_with_parent(signal.SIGKILL)
        kernel.unshare(kernel.NEWPID | kernel.NEWNS | kernel.NEWIPC | kernel.NEWUTS)
        pid = os.fork()
    except OSError as error:
        _fail(channel, error)
        return
    if pid == 0:
        _first_process(channel, alive, host_name)
        os._exit(0)
    channel.close()
    os.close(alive)
    os.waitpid(pid, 0)


def _enter_user_namespace() -> None:
    """Enter a user namespace in which the caller keeps its own uid; root needs none."""
    if os.geteuid() == 0 and kernel.has_capabilities(kernel.ADMIN_CAPABILITIES):
        return
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        try:
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(text)
        except OSError as error:
            raise kernel.CallError(error.errno or 0, f"write /proc/self/{name}") from None


def _first_process(channel: Channel, alive: int, host_name: str) -> None:
    """Make the network namespaces, report them, then keep the jobs."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
        kernel.mount("proc", "/proc", "proc", flags)
        places = {name: _network_namespace() for name in ("internet", "gateway", "client")}
        tap = _open_tap()
        places["client"][kernel.NEWUTS] = _named_host(host_name)
        kernel.setns(places["gateway"][kernel.NEWNET], kernel.NEWNET)
    except OSError as error:
        _fail(channel, error)
        return
    order = [places[name][kernel.NEWNET] for name in ("client", "gateway", "internet")]
    channel.send({"event": "ready"}, [tap.fileno(), *order])
    tap.close()
    JobKeeper(channel, places).serve(dies_with=(alive,))


def _network_namespace() -> dict[int, int]:
    kernel.unshare(kernel.NEWNET)
    return {kernel.NEWNET: _hold("net")}


def _named_host(name: str) -> int:
    """Return a new UTS namespace with this host name; the caller stays where it was."""
    before = _hold("uts")
    kernel.unshare(kernel.NEWUTS)
    socket.sethostname(name)
    descriptor = _hold("uts")
    kernel.setns(before, kernel.NEWUTS)
    os.close(before)
    return descriptor


def _hold(kind: str) -> int:
    return os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)


def _open_tap() -> socket.socket:
    """Open the packet socket of the caller's network namespace, before it has any link.

    Bound to no interface, it gets every frame of all of them from the first one on.
    """
    try:
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError as error:
        raise kernel.CallError(error.errno or 0, "socket(AF_PACKET)") from None
    try:
        tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _TAP_BUFFER_BYTES)
    except OSError:
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _TAP_BUFFER_BYTES)
    return tap


def _fail(channel: Channel, error: OSError) -> None:
    with contextlib.suppress(Closed):
        channel.send({"event": "failed", "reason": str(error)})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
