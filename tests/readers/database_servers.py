"""PostgreSQL and MariaDB of Debian's packages, started on loopback by a user without rights."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

START_S = 60.0
PASSWORD = "k3y of the/auditor@db"
_URL_PASSWORD = "k3y%20of%20the%2Fauditor%40db"
WRITER = "keeper"
READER = "auditor_q8"


@dataclass(frozen=True)
class DatabaseServer:
    """A server that runs, and how to reach it."""

    url: str
    """Of the account that the audit is given."""
    port: int
    admin: Callable[[str], None]
    """Runs SQL as the owner of everything."""


def need(program: Path | None, package: str) -> Path:
    """Return a program; skip the test where it is lacking, with the reason."""
    if program is None or not program.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{package} is not installed, and continuous integration skips nothing")
        pytest.skip(f"{package} is not installed (as root, 'make test SYSTEM=1' installs it)")
    return program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _folder() -> Iterator[tuple[Path, dict[str, int]]]:
    """Make a folder that a user without rights owns; return it, and how to become that user."""
    folder = Path(tempfile.mkdtemp(prefix="audit-server-"))
    who: dict[str, int] = {}
    try:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            who = {"user": nobody.pw_uid, "group": nobody.pw_gid}
        yield folder, who
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _running(
    command: list[str], who: dict[str, int], folder: Path, is_up: Callable[[], bool]
) -> Iterator[None]:
    log = folder / "server.log"
    extra: dict[str, list[int]] = {"extra_groups": []} if who else {}
    with (
        log.open("wb") as out,
        subprocess.Popen(  # type: ignore[call-overload]
            command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=folder, **who, **extra
        ) as server,
    ):
        try:
            end = time.monotonic() + START_S
            while not is_up():
                if server.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"no server: {log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.1)
            yield
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def _run(command: list[str], who: dict[str, int], folder: Path, text: str = "") -> None:
    extra: dict[str, list[int]] = {"extra_groups": []} if who else {}
    done = subprocess.run(  # type: ignore[call-overload]
        command,
        check=False,
        input=text,
        text=True,
        capture_output=True,
        cwd=folder,
        timeout=120,
        **who,
        **extra,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def postgresql() -> Iterator[DatabaseServer]:
    """Run PostgreSQL with a database ``audited`` and the account of the audit."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    tools = need(folders[-1] if folders else None, "postgresql").parent
    with _folder() as (folder, who):
        data, port = folder / "data", free_port()
        flags = ["-D", str(data), "-A", "trust", "-U", WRITER, "--no-sync", "-E", "UTF8"]
        _run([str(tools / "initdb"), *flags], who, folder)
        access = f"host all {WRITER} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (data / "pg_hba.conf").write_text(access)
        reach = ["-h", "127.0.0.1", "-p", str(port), "-U", WRITER]

        def is_up() -> bool:
            command = [str(tools / "pg_isready"), "-q", *reach]
            return subprocess.run(command, check=False, timeout=20).returncode == 0

        def admin(text: str, database: str = "audited") -> None:
            flags = ["-q", "-v", "ON_ERROR_STOP=1", "-d", database]
            _run([str(tools / "psql"), *reach, *flags], who, folder, text)

        settings = ["fsync=off", f"unix_socket_directories={folder}", "timezone=Asia/Tokyo"]
        command = [str(tools / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port)]
        with _running(command + [f"-c{one}" for one in settings], who, folder, is_up):
            admin(
                f"CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}'; CREATE DATABASE audited;",
                "postgres",
            )
            url = f"postgresql://{READER}:{_URL_PASSWORD}@127.0.0.1:{port}/audited"
            yield DatabaseServer(url, port, admin)


@contextlib.contextmanager
def mariadb() -> Iterator[DatabaseServer]:
    """Run MariaDB with a database ``audited`` and the account of the audit."""
    found = shutil.which("mariadbd", path="/usr/sbin:/usr/bin")
    program = need(Path(found) if found else None, "mariadb-server")
    install = need(Path("/usr/bin/mariadb-install-db"), "mariadb-server")
    with _folder() as (folder, who):
        data, port, hatch = folder / "data", free_port(), folder / "m.sock"
        flags = [f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        _run([str(install), "--no-defaults", *flags], who, folder)
        reach = ["/usr/bin/mariadb", "--no-defaults", f"--socket={hatch}", "-u", "root"]

        def is_up() -> bool:
            command = [*reach, "-e", "SELECT 1"]
            done = subprocess.run(command, check=False, capture_output=True, timeout=20)
            return done.returncode == 0

        def admin(text: str) -> None:
            _run([*reach, "audited"], who, folder, text)

        command = [
            str(program), "--no-defaults", f"--datadir={data}", f"--socket={hatch}",
            "--bind-address=127.0.0.1", f"--port={port}", f"--pid-file={folder}/m.pid",
            "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M",
            "--skip-name-resolve", "--default-time-zone=+09:00",
        ]  # fmt: skip
        with _running(command, who, folder, is_up):
            text = (
                f"CREATE DATABASE audited CHARACTER SET utf8mb4; CREATE USER '{READER}'@'%' "
                f"IDENTIFIED BY '{PASSWORD}';"
            )
            _run(reach, who, folder, text)
            url = f"mysql://{READER}:{_URL_PASSWORD}@127.0.0.1:{port}/audited"
            yield DatabaseServer(url, port, admin)
