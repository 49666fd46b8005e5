"""Facts for ``audit doctor``: what this machine can and cannot record, and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from audit.bundle.manifest import Rung
from audit.record.ladder import probe_ladder
from audit.record.new_bundle import tool_versions
from audit.record.proxy_stage import LIMITS
from audit.record.uplink import PROGRAMS, may_translate, reachable_resolvers

_LITTLE_ROOM_BYTES: Final = 512 << 20
_APPARMOR: Final = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
_OLD_DEBIAN: Final = "/proc/sys/kernel/unprivileged_userns_clone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that was looked at."""

    name: str
    works: bool
    text: str
    """What was found, one sentence."""
    mend: tuple[str, ...] = ()
    """Ways to mend it, the simplest first: command lines or sentences."""


def examine() -> dict[str, Any]:
    """Return what this machine can record as plain data.

    ``{"vantage": name of the rung that a recording would use, "facts": [Fact...],
    "tools": {name: version}}``. Takes a few seconds: every rung is tried whole.
    """
    rungs = probe_ladder()
    sandbox = any(rung.name == "netns" and rung.works for rung in rungs)
    way_out = [_way_out()] if sandbox else []
    facts = [*(_rung_fact(rung) for rung in rungs), *way_out, _python(), *_files(), _room()]
    return {
        "vantage": next((rung.name for rung in rungs if rung.works), None),
        "facts": [asdict(fact) for fact in facts],
        "tools": tool_versions(),
    }


def _rung_fact(rung: Rung) -> Fact:
    if rung.name == "proxy":
        text = "recording through a proxy works; " + "; ".join(LIMITS)
        if not rung.works:
            text = f"recording through a proxy does not work: {rung.reason}"
        return Fact(name="vantage proxy", works=rung.works, text=text)
    if rung.works:
        return Fact(
            name="vantage netns",
            works=True,
            text="the client gets a network of its own: every packet of it is seen",
        )
    return Fact(
        name="vantage netns",
        works=False,
        text=f"this machine refuses a sandbox: {rung.reason}",
        mend=mend_namespaces(rung.reason or ""),
    )


def mend_namespaces(reason: str) -> tuple[str, ...]:
    """Return ways to allow the ``netns`` rung, by why it was refused and the kernel's settings."""
    if sys.platform != "linux":
        return ("record on Linux, in a virtual machine for example",)
    ways = []
    if "limit of such namespaces" in reason:
        kind = "net" if "net" in reason else "user"
        ways.append(f"sudo sysctl user.max_{kind}_namespaces=15000")
    if _reads(_APPARMOR) == "1":
        ways += ["sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0", apparmor_profile()]
    if _reads(_OLD_DEBIAN) == "0":
        ways.append("sudo sysctl kernel.unprivileged_userns_clone=1")
    if not ways and _in_container():
        ways.append("start the container with --privileged (Docker), or record outside of it")
    if os.geteuid() != 0:
        ways.append(f"sudo {_own_command()} record ...")
    return tuple(ways)


def _own_command() -> str:
    script = Path(sys.executable).with_name("audit")
    return str(script) if script.exists() else f"{sys.executable} -m audit.cli.main"


def apparmor_profile() -> str:
    """Return a profile that allows this Python user namespaces (Ubuntu 23.10 and later)."""
    python = Path(sys.executable).resolve()
    return (
        "as root write /etc/apparmor.d/audit-python:\n"
        "  abi <abi/4.0>,\n"
        "  include <tunables/global>\n"
        f'  profile audit-python "{python}" flags=(unconfined) {{ userns, }}\n'
        "and load it: apparmor_parser -r /etc/apparmor.d/audit-python"
    )


def _reads(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _in_container() -> bool:
    """Whether this looks like a container: a marker file of Docker or Podman, or of Kubernetes."""
    markers = ("/.dockerenv", "/run/.containerenv")
    return any(Path(name).exists() for name in markers) or "KUBERNETES_SERVICE_HOST" in os.environ


def _way_out() -> Fact:
    name = "real network"
    if may_translate():
        works = bool(reachable_resolvers())
        return Fact(
            name=name,
            works=works,
            text="a sandbox reaches the real network by address translation"
            if works
            else "the machine's name server listens on loopback alone, where no sandbox reaches it",
            mend=() if works else ("name an outer server in /etc/resolv.conf",),
        )
    found = [program for program in PROGRAMS if shutil.which(program)]
    if found:
        return Fact(name=name, works=True, text=f"a sandbox reaches the real network by {found[0]}")
    return Fact(
        name=name,
        works=False,
        text="a sandbox cannot reach the real network: neither slirp4netns nor pasta is installed",
        mend=("sudo apt install slirp4netns", "or record as root"),
    )


def _python() -> Fact:
    name = "python"
    closed = closed_folder(Path(sys.executable))
    version = f"Python {platform.python_version()}"
    if closed is None:
        return Fact(name=name, works=True, text=f"{version}, within reach of every user")
    return Fact(
        name=name,
        works=False,
        text=f"{version} lies below {closed}, which other users may not enter: "
        "recordings work as this user alone",
        mend=(f"chmod o+x {closed}", "or use a Python that lies elsewhere, such as /usr/bin"),
    )


def closed_folder(program: Path) -> Path | None:
    """Return the first folder on the way to a program that others may not enter."""
    for path in (program.absolute(), program.resolve()):
        for folder in reversed(path.parents):
            try:
                mode = folder.stat().st_mode
            except OSError:
                return folder
            if not mode & stat.S_IXOTH:
                return folder
    return None


def _files() -> list[Fact]:
    """Look at the files over which the sandbox lays its own: without them it cannot."""
    if sys.platform != "linux":
        return []
    facts = []
    for path, matter, works in (
        ("/etc/resolv.conf", "the sandbox cannot give the client its name server", False),
        ("/etc/machine-id", "no serial number can be planted in the client's machine", True),
    ):
        there = Path(path).exists()
        facts.append(
            Fact(
                name=path,
                works=there or works,
                text="is there" if there else f"is missing: {matter}",
                mend=() if there else (f"sudo touch {path}",),
            )
        )
    return facts


def _room() -> Fact:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    return Fact(
        name="disk",
        works=free >= _LITTLE_ROOM_BYTES,
        text=f"{free >> 20} MB free in {folder}",
        mend=() if free >= _LITTLE_ROOM_BYTES else ("make room, or set TMPDIR",),
    )
