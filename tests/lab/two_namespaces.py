"""A world of two network namespaces, as a program: the lab in one, the audited client in the other.

    two_namespaces.py FOLDER [TARGET PYTHON] [-- COMMAND...]

Runs the journey of a target, then the commands in the client's namespace, and prints one JSON
object: ``{"lab": ready line, "client": [...], "peer": [...], "codes": [...]}``. Needs user
namespaces or root; every process dies with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.lab.journey import make_persona, run_journey, start_plain

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER, NEW_NET, NEW_MOUNT = 0x10000000, 0x40000000, 0x00020000
BIND, PRIVATE, RECURSIVE = 4096, 1 << 18, 16384
CLIENT, GATEWAY = "198.18.77.200", "198.18.77.201"


def check(result: int, what: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), what)


def own_namespaces(folder: Path) -> None:
    uid, gid = os.getuid(), os.getgid()
    check(LIBC.unshare(NEW_USER | NEW_NET | NEW_MOUNT), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    check(LIBC.mount(b"none", b"/", None, PRIVATE | RECURSIVE, None), "mount")
    names = folder / "resolv.conf"
    names.write_text("nameserver 198.51.100.53\noptions timeout:2 attempts:1\n")
    place = os.path.realpath("/etc/resolv.conf").encode()
    check(LIBC.mount(str(names).encode(), place, None, BIND, None), "mount resolv.conf")


def hold_client() -> int:
    """Fork a process that holds the client's namespaces; returns its id."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        LIBC.prctl(1, signal.SIGKILL)
        check(LIBC.unshare(NEW_NET), "unshare")
        os.write(tell, b"x")
        signal.pause()
    os.close(tell)
    assert os.read(ready, 1) == b"x", "the client's namespaces were not made"
    return child


def connect(child: int) -> None:
    from pyroute2 import IPRoute

    with IPRoute() as route:
        route.link("add", ifname="gw", kind="veth", peer={"ifname": "eth0", "net_ns_pid": child})
        index = route.link_lookup(ifname="gw")[0]
        route.addr("add", index=index, address=GATEWAY, prefixlen=30)
        route.link("set", index=index, state="up")
    helper = os.fork()
    if helper == 0:
        enter(child)()
        with IPRoute() as route:
            for name in ("lo", "eth0"):
                index = route.link_lookup(ifname=name)[0]
                if name == "eth0":
                    route.addr("add", index=index, address=CLIENT, prefixlen=30)
                route.link("set", index=index, state="up")
            route.route("add", dst="0.0.0.0/0", gateway=GATEWAY)
        os._exit(0)
    assert os.waitpid(helper, 0)[1] == 0, "the client's interface was not made"


def enter(child: int):
    def join() -> None:
        with Path(f"/proc/{child}/ns/net").open("rb") as namespace:
            check(LIBC.setns(namespace.fileno(), 0), "setns")
        LIBC.prctl(1, signal.SIGKILL)

    return join


def main() -> None:
    words = sys.argv[1:]
    commands: list[list[str]] = []
    while "--" in words:
        at = len(words) - 1 - words[::-1].index("--")
        commands.insert(0, words[at + 1 :])
        words = words[:at]
    folder = Path(words[0]).resolve()
    own_namespaces(folder)
    child = hold_client()
    connect(child)
    lab = subprocess.Popen(
        [sys.executable, "-m", "audit.lab", "--logs", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert lab.stdout is not None
    assert lab.stdin is not None
    ready = json.loads(lab.stdout.readline())
    persona = {**make_persona(), "address": CLIENT}
    (folder / "persona.json").write_text(json.dumps(persona))

    def start_inside(argv: list[str], home: Path, env: dict[str, str]):
        return start_plain(argv, home, env, before=enter(child))

    result = {"lab": ready, "client": [], "peer": [], "codes": []}
    if words[1:]:
        result["client"], result["peer"] = run_journey(
            words[1], words[2], folder / "run", ready, start_client=start_inside, persona=persona
        )
    for argv in commands:
        env = {**os.environ, "AUDIT_PERSONA": str(folder / "persona.json")}
        done = subprocess.run(
            argv, env=env, preexec_fn=enter(child), timeout=60, check=False, stdout=sys.stderr
        )
        result["codes"].append(done.returncode)
    lab.stdin.close()
    lab.wait(timeout=10)
    os.kill(child, signal.SIGKILL)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
