"""The lab on loopback, as the process that everybody starts."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 20


@dataclass
class RunningLab:
    """A lab process and what it said of itself."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]
    logs: Path

    def place(self, announced: str) -> tuple[str, int]:
        """Return where an announced ``host:port`` listens."""
        host, port = self.ready["map"][announced].split(":")
        return host, int(port)

    def connect(self, announced: str, *, tls: bool = False) -> socket.socket:
        stream = socket.create_connection(self.place(announced), LIMIT_S)
        stream.settimeout(LIMIT_S)
        return _trusting().wrap_socket(stream) if tls else stream

    def ask(
        self,
        announced: str,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        tls: bool = False,
    ) -> tuple[int, bytes, dict[str, str]]:
        """Make one request; returns status, body and headers (lower case)."""
        host, port = self.place(announced)
        connection = (
            http.client.HTTPSConnection(host, port, timeout=LIMIT_S, context=_trusting())
            if tls
            else http.client.HTTPConnection(host, port, timeout=LIMIT_S)
        )
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, answer.read(), told
        finally:
            connection.close()

    def learned(self, **fields: Any) -> list[dict[str, Any]]:
        """Return the lines of the log that have these fields."""
        lines = (self.logs / "learned.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        return [row for row in rows if all(row[name] == value for name, value in fields.items())]

    def wait_learned(self, **fields: Any) -> list[dict[str, Any]]:
        """Return such lines as soon as there is one."""
        until = time.monotonic() + LIMIT_S
        while not (found := self.learned(**fields)):
            assert time.monotonic() < until, f"nothing learned with {fields}"
            time.sleep(0.01)
        return found


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def start_lab(
    logs: Path, *options: str, before: Callable[[], object] | None = None
) -> subprocess.Popen[bytes]:
    """Start a lab process with pipes; ``before`` runs in it first."""
    return subprocess.Popen(
        [sys.executable, "-m", "audit.lab", "--logs", str(logs), *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=before,  # noqa: PLW1509 - one call of libc
    )


def end_lab(process: subprocess.Popen[bytes]) -> bytes:
    """End a lab by the end of its input; returns what it wrote to its standard error."""
    try:
        _, errors = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return errors


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab on loopback, shared by the tests of one process."""
    logs = tmp_path_factory.mktemp("lab")
    process = start_lab(logs, "--loopback")
    assert process.stdout is not None
    yield RunningLab(process, json.loads(process.stdout.readline()), logs)
    assert end_lab(process) == b"", "the lab complained"
    assert process.returncode == 0
