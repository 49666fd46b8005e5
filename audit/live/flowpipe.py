"""Flows on their way from the proxy to the judge: frames on a pipe, and flows put together again.

The proxy must not wait for the judge, so that what it does a flow is next to nothing: the state of
request and answer, and of a connection once, by :mod:`marshal` (both ends are one interpreter). Out
of them the judge makes records as mitmproxy's own dump has them, for the reader of dumps.
"""

from __future__ import annotations

import marshal
import struct
from collections.abc import Iterator
from typing import Any, Final

_HEAD: Final = struct.Struct("<I")
CONNECTION: Final = "connection"
GONE: Final = "gone"
FLOW: Final = "flow"
READY: Final = "ready"
LOST: Final = "lost"
PIPE_VARIABLE: Final = "AUDIT_LIVE_PIPE"
"""Environment variable by which the add-on learns the number of the pipe."""
Frame = tuple[Any, ...]
"""A word of those above, and what belongs to it."""


def frame(*parts: Any) -> bytes:
    """Return a frame; raises ``ValueError`` for what is no plain data."""
    data = marshal.dumps(parts)
    return _HEAD.pack(len(data)) + data


class Frames:
    """Takes bytes as they come and gives whole frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole now."""
        self._held += data
        at = 0
        while len(self._held) - at >= _HEAD.size:
            (size,) = _HEAD.unpack_from(self._held, at)
            if len(self._held) - at - _HEAD.size < size:
                break
            at += _HEAD.size
            yield marshal.loads(self._held[at : at + size])  # noqa: S302 - our own child's
            at += size
        del self._held[:at]


class Assembly:
    """Makes flows whole again: each names the connections that it went over."""

    def __init__(self) -> None:
        self._connections: dict[str, dict[str, Any]] = {}

    def take(self, given: Frame) -> bytes | None:
        """Return the record of a flow, as a dump has it; ``None`` for a frame that is none."""
        if given[0] == CONNECTION:
            self._connections[given[1]] = given[2]
        elif given[0] == GONE:
            self._connections.pop(given[1], None)
        elif given[0] == FLOW:
            _, client, server, state = given
            state["client_conn"] = self._connections[client]
            state["server_conn"] = self._connections[server]
            return _record(state)
        return None


def _record(value: object) -> bytes:
    """Return a value as a tagged netstring, as mitmproxy's dumps have them (mitmproxy/io)."""
    if value is None:
        return b"0:~"
    if isinstance(value, bytes):
        return b"%d:%b," % (len(value), value)
    if isinstance(value, dict):
        pairs = reversed(value.items())  # as mitmproxy does: it writes from the end
        inner = b"".join(_record(key) + _record(item) for key, item in pairs)
        return b"%d:%b}" % (len(inner), inner)
    if isinstance(value, list | tuple):
        inner = b"".join(map(_record, value))
        return b"%d:%b]" % (len(inner), inner)
    if isinstance(value, str):
        text, tag = value, ";"
    elif isinstance(value, bool):
        text, tag = ("true" if value else "false"), "!"
    else:
        text, tag = repr(value), "^" if isinstance(value, float) else "#"
    data = text.encode("utf-8", "surrogatepass")
    return b"%d:%b%b" % (len(data), data, tag.encode())
