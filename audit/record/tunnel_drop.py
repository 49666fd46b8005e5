"""When a tunnel drops, and how long the client is watched afterwards."""

from __future__ import annotations

import time
from typing import Final

from audit.record.dialogue import Dialogue
from audit.record.tunnel import Tunnel

SETTLE_S: Final = 2.0
"""How long a client that has done everything is let run on after the drop."""
_LOOK_S: Final = 0.05


class TunnelDrop:
    """Drops a tunnel once, at the moment that the plan names, and notes it."""

    def __init__(self, tunnel: Tunnel | None, when: str | float | None, dialogue: Dialogue) -> None:
        self._tunnel = tunnel if when is not None else None
        self._when = when
        self._dialogue = dialogue
        self._started = time.monotonic()
        self._dropped: float | None = None

    def next_look(self) -> float:
        """Return the seconds after which the tunnel may be due by the clock."""
        return _LOOK_S if self._tunnel else 3600.0

    def when_due(self) -> None:
        """Drop the tunnel if its moment has come; raises :class:`SetupError` where it stays."""
        if self._tunnel is None or self._dropped is not None or not self._is_due():
            return
        self._tunnel.drop()
        self._dropped = time.monotonic()
        note = f"{self._tunnel.interface} was taken away while the client ran"
        self._dialogue.record("vpn.drop", "after-drop", note)

    def _is_due(self) -> bool:
        if isinstance(self._when, str):
            return self._dialogue.has_done({self._when})
        return time.monotonic() >= self._started + float(self._when or 0)

    def is_settled(self) -> bool:
        """Whether nothing is left to wait for before the client is told to end."""
        if self._tunnel is None:
            return True
        return self._dropped is not None and time.monotonic() >= self._dropped + SETTLE_S
