"""How the recorder and the launcher talk: JSON messages with file descriptors, over one socket.

A message is a 4-byte length (network order), then JSON. Descriptors travel with its first byte.
"""

from __future__ import annotations

import array
import json
import socket
import struct
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Place = Literal["outside", "client", "gateway", "internet"]
"""Where a job runs: ``outside`` is the machine itself, the others are the sandbox's namespaces."""

Powers = Literal["all", "client", "kept"]
"""``all``: the sandbox's own capabilities; ``client``: those of an ordinary program; ``kept``: as
they are (outside the sandbox)."""

_MAX_MESSAGE: Final = 1 << 24
_MAX_DESCRIPTORS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount in a job's own mount namespace, made in the order given."""

    kind: Literal["bind", "hide", "proc", "sysfs"]
    """``hide`` lays an empty, read-only folder over ``target``."""
    target: str
    source: str = ""
    """File that takes the target's place (``bind``)."""
    optional: bool = False
    """Whether the job also starts where the mount is refused or the target is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A program to start."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    place: Place
    powers: Powers = "all"
    own_pids: bool = False
    """Own process namespace: when the program ends, all that it started ends with it."""
    mounts: list[Mount] = field(default_factory=list)

    def to_message(self) -> dict[str, Any]:
        """Return the specification as plain data."""
        return asdict(self)


def job_from_message(data: dict[str, Any]) -> JobSpec:
    """Rebuild a specification from :meth:`JobSpec.to_message`."""
    return JobSpec(**{**data, "mounts": [Mount(**mount) for mount in data["mounts"]]})


class Closed(Exception):  # noqa: N818 - an event more than an error
    """The other end is gone."""


class Channel:
    """One end of the talk. Blocking; meant for ``select``-driven callers."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def fileno(self) -> int:
        """Return the descriptor to select on."""
        return self._socket.fileno()

    def send(self, message: dict[str, Any], descriptors: list[int] | None = None) -> None:
        """Send one message; raises :class:`Closed`."""
        body = json.dumps(message).encode()
        data = struct.pack("!I", len(body)) + body
        try:
            sent = socket.send_fds(self._socket, [data], descriptors or [])
            if sent < len(data):
                self._socket.sendall(data[sent:])
        except (BrokenPipeError, ConnectionResetError):
            raise Closed from None

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """Return one message and its descriptors (not inherited); raises :class:`Closed`."""
        head, descriptors = self._head()
        (length,) = struct.unpack("!I", head)
        if length > _MAX_MESSAGE:
            raise Closed
        message = json.loads(self._exactly(length))
        return message, descriptors

    def _head(self) -> tuple[bytes, list[int]]:
        numbers = array.array("i")
        try:
            data, ancillary, _, _ = self._socket.recvmsg(
                4,
                socket.CMSG_SPACE(_MAX_DESCRIPTORS * numbers.itemsize),
                getattr(socket, "MSG_CMSG_CLOEXEC", 0),
            )
        except ConnectionResetError:
            raise Closed from None
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
        if not data:
            raise Closed
        return data + self._exactly(4 - len(data)), numbers.tolist()

    def _exactly(self, length: int) -> bytes:
        parts = []
        while length:
            try:
                part = self._socket.recv(length)
            except ConnectionResetError:
                raise Closed from None
            if not part:
                raise Closed
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close this end; the other one gets :class:`Closed`."""
        self._socket.close()
