"""Waiting with a limit: every wait knows what it waits for and says so when it gives up."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable
from typing import IO, Any

from audit.errors import SetupError

_READ_BYTES = 1 << 16
_LOOK_UP_S = 0.05
"""How often a condition is looked at that no source reports."""


class Watch:
    """Calls back what becomes readable while somebody waits. One thread, no hidden loop."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def add(self, source: Any, callback: Callable[[], None]) -> None:
        """Call ``callback`` whenever ``source`` (a descriptor or has ``fileno``) is readable."""
        self._selector.register(source, selectors.EVENT_READ, callback)

    def remove(self, source: Any) -> None:
        """Forget a source; it may be closed then."""
        self._selector.unregister(source)

    def turn(self, limit_s: float) -> None:
        """Handle what is readable now, or becomes so within ``limit_s``."""
        for key, _ in self._selector.select(max(0.0, limit_s)):
            key.data()

    def until(
        self, condition: Callable[[], bool], limit_s: float, what: str, *, hint: str | None = None
    ) -> None:
        """Wait until the condition holds.

        Raises :class:`SetupError` naming ``what`` after ``limit_s`` seconds.
        """
        deadline = time.monotonic() + limit_s
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                raise SetupError(f"waited {limit_s:g} s in vain for {what}", hint=hint)
            self.turn(min(left, _LOOK_UP_S))

    def close(self) -> None:
        """Forget all sources."""
        self._selector.close()


class Lines:
    """Cuts what a program prints into lines; a line beyond the bound is cut off and counted."""

    def __init__(
        self, watch: Watch, pipe: IO[bytes], on_line: Callable[[bytes], None], bound: int = 1 << 20
    ) -> None:
        self._watch = watch
        self._pipe = pipe
        self._on_line = on_line
        self._bound = bound
        self._rest = b""
        self.ended = False
        """Whether the program closed its end."""
        os.set_blocking(pipe.fileno(), False)
        watch.add(pipe, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._pipe.fileno(), _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self.close()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[: self._bound]
        for line in lines:
            self._on_line(line[: self._bound])

    def drain(self) -> None:
        """Take what is there already, without waiting."""
        while not self.ended:
            before = self._rest
            try:
                data = os.read(self._pipe.fileno(), _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self.close()
                return
            *lines, self._rest = (before + data).split(b"\n")
            for line in lines:
                self._on_line(line[: self._bound])

    def close(self) -> None:
        """Give out a last line without an end and close the pipe."""
        if self.ended:
            return
        self.ended = True
        self._watch.remove(self._pipe)
        self._pipe.close()
        if self._rest:
            self._on_line(self._rest)


class Tail:
    """Keeps the last bytes that a program prints, for an error message."""

    def __init__(
        self,
        watch: Watch,
        pipe: IO[bytes],
        also: Callable[[bytes], None] | None = None,
        keep: int = 4096,
    ) -> None:
        self._watch = watch
        self._pipe = pipe
        self._also = also
        self._keep = keep
        self._data = b""
        self._open = True
        os.set_blocking(pipe.fileno(), False)
        watch.add(pipe, self._read_once)

    def _read_once(self) -> None:
        self._read()

    def _read(self) -> bool:
        try:
            data = os.read(self._pipe.fileno(), _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self.close()
            return False
        if self._also:
            self._also(data)
        self._data = (self._data + data)[-self._keep :]
        return True

    def text(self) -> str:
        """Return the last lines as text, control characters replaced."""
        while self._open and self._read():
            pass
        text = self._data.decode(errors="replace")
        return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text).strip()

    def last_line(self) -> str:
        """Return the last line that is not empty, ``''`` where there is none."""
        return self.text().rpartition("\n")[2]

    def close(self) -> None:
        """Close the pipe."""
        if self._open:
            self._open = False
            self._watch.remove(self._pipe)
            self._pipe.close()
