"""The way out to the real network for a recording without a lab."""

from __future__ import annotations

import abc
import ipaddress
import json
import os
import shutil
from pathlib import Path
from typing import Final

from audit.errors import SetupError
from audit.sandbox import kernel
from audit.sandbox.addresses import V4_PREFIX, Addresses
from audit.sandbox.channel import JobSpec
from audit.sandbox.network import TOWARDS_INTERNET
from audit.sandbox.program import Program, describe_exit
from audit.sandbox.sandbox import Sandbox, own_environment, own_program

_READY_LIMIT_S: Final = 15.0
_END_LIMIT_S: Final = 5.0
_NAME_SERVER_FILES: Final = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")
PROGRAMS: Final = ("slirp4netns", "pasta")
"""Programs that give an unprivileged recording its way out, the first installed one is taken."""


class Uplink(abc.ABC):
    """A program that connects the gateway with the machine's network."""

    resolvers: tuple[str, ...] = ()
    """Name servers as the client reaches them."""

    def __init__(self, sandbox: Sandbox, addresses: Addresses, folder: Path) -> None:
        """``folder`` is private to the recording."""
        self._sandbox = sandbox
        self._addresses = addresses
        self._folder = folder
        self._heard: list[bytes] = []
        self._program: Program | None = None

    @abc.abstractmethod
    def start(self) -> None:
        """Start the program; raises :class:`SetupError`."""

    def _start(
        self, name: str, argv: list[str], descriptors: tuple[int, ...], stdin: bytes | None = None
    ) -> Program:
        job = JobSpec(argv=argv, env=own_environment(), cwd="/", place="outside", powers="kept")
        return Program(
            self._sandbox,
            name,
            job,
            stdin=stdin,
            keep_stdin=stdin is not None,
            on_line=self._heard.append,
            descriptors=descriptors,
        )

    def wait_ready(self) -> None:
        """Wait until it is connected; raises :class:`SetupError` with its last words."""
        program = self._program
        assert program is not None  # noqa: S101 - started before
        self._sandbox.watch.until(
            lambda: self._is_ready() or not program.running, _READY_LIMIT_S, f"{program.name}"
        )
        if not program.running:
            code = program.wait(_END_LIMIT_S)
            raise SetupError(
                f"{program.name} {describe_exit(code)} instead of connecting the sandbox"
                f"{program.last_words()}"
            )

    def _is_ready(self) -> bool:
        return bool(self._heard)

    def stop(self) -> None:
        """End it and have it take back what it changed."""
        if self._program:
            self._program.end(_END_LIMIT_S)
            self._program.close()


class _Nat(Uplink):
    """Root: a link into the machine's own network, which forwards and masquerades."""

    def __init__(self, sandbox: Sandbox, addresses: Addresses, folder: Path) -> None:
        super().__init__(sandbox, addresses, folder)
        self.resolvers = reachable_resolvers()
        if not self.resolvers:
            raise SetupError(
                "the machine's name server listens on loopback alone, where no sandbox reaches it",
                source="/etc/resolv.conf",
                hint="record as an ordinary user with slirp4netns, or name an outer server there",
            )

    def start(self) -> None:
        wanted = {
            "near": self._addresses.uplink_v4,
            "far": self._addresses.internet_v4,
            "prefix": V4_PREFIX,
        }
        self._program = self._start(
            "the network translation",
            own_program("audit.sandbox.nat"),
            (self._sandbox.namespaces["gateway"],),
            json.dumps(wanted).encode() + b"\n",
        )


class _Slirp(Uplink):
    """Anybody: slirp4netns, which also forwards name look-ups to the machine's own server."""

    def __init__(self, sandbox: Sandbox, addresses: Addresses, folder: Path, program: str) -> None:
        super().__init__(sandbox, addresses, folder)
        self._path = program
        network = ipaddress.ip_network(f"{addresses.uplink_v4}/{V4_PREFIX}", strict=False)
        self._network = str(network)
        self.resolvers = (str(network[3]),)

    def start(self) -> None:
        ready, told = os.pipe()
        os.set_blocking(ready, False)
        self._ready = os.fdopen(ready, "rb", buffering=0)
        argv = [
            self._path,
            "--configure",
            "--disable-host-loopback",
            f"--cidr={self._network}",
            "--ready-fd=5",
            "--netns-type=path",
            "--userns-path=/proc/self/fd/4",
            "/proc/self/fd/3",
            TOWARDS_INTERNET,
        ]
        users = self._sandbox.user_namespace()
        try:
            spaces = (self._sandbox.namespaces["gateway"], users, told)
            self._program = self._start("slirp4netns", argv, spaces)
        finally:
            os.close(told)
            os.close(users)

    def _is_ready(self) -> bool:
        try:
            return bool(self._ready.read(1))
        except BlockingIOError:
            return False


class _Pasta(Uplink):
    """Anybody: pasta, with the machine's own addresses behind the gateway's."""

    def __init__(self, sandbox: Sandbox, addresses: Addresses, folder: Path, program: str) -> None:
        super().__init__(sandbox, addresses, folder)
        self._path = program
        self.resolvers = (addresses.internet_v4,)
        self._pid_file = folder / "pasta.pid"

    def start(self) -> None:
        argv = [
            self._path, "--foreground", "--quiet", "--config-net", "--ipv4-only", "--no-map-gw",
            "--ns-ifname", TOWARDS_INTERNET, "--dns-forward", self.resolvers[0],
            "--pid", str(self._pid_file),
            "--tcp-ports", "none", "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none",
            "--userns", "/proc/self/fd/4", "--netns", "/proc/self/fd/3",
        ]  # fmt: skip
        users = self._sandbox.user_namespace()
        try:
            self._program = self._start("pasta", argv, (self._sandbox.namespaces["gateway"], users))
        finally:
            os.close(users)

    def _is_ready(self) -> bool:
        return self._pid_file.exists()


def choose_uplink(sandbox: Sandbox, addresses: Addresses, folder: Path) -> Uplink:
    """Return the way out that this machine has.

    Raises :class:`SetupError` naming what is missing where there is none.
    """
    if may_translate():
        return _Nat(sandbox, addresses, folder)
    kinds = {"slirp4netns": _Slirp, "pasta": _Pasta}
    for name in PROGRAMS:
        if found := shutil.which(name):
            return kinds[name](sandbox, addresses, folder, found)
    raise SetupError(
        "recording on the real network without root needs slirp4netns or pasta, and neither is "
        "installed",
        hint="install the package slirp4netns (or passt), or run as root",
    )


def reachable_resolvers() -> tuple[str, ...]:
    """Return the machine's IPv4 name servers but those on loopback."""
    for name in _NAME_SERVER_FILES:
        try:
            lines = Path(name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        words = [line.split() for line in lines]
        named = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
        found = tuple(address for address in named if _is_outer_v4(address))
        if found:
            return found
    return ()


def _is_outer_v4(text: str) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return not address.is_loopback


def may_translate() -> bool:
    """Return whether the caller may change the machine's own links and rules."""
    return os.geteuid() == 0 and kernel.has_capabilities(kernel.ADMIN_CAPABILITIES)
