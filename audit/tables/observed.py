"""Values that one capture shows at each place, kept in memory to compare installs by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MOST_VALUES: Final = 64
"""Different values of one place that are kept; a place with more takes a new one each time."""


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One value at one place."""

    count: int = 0
    """Times that it was seen there."""
    exchanges: set[str] = field(default_factory=set)
    """Requests, messages or look-ups that it was seen in, by name; no more than two are kept."""
    first_at: str
    """When first, UTC, ISO 8601; ``''``: undated."""
    ref: str
    """Where its bytes lie, first."""

    def add(self, exchange: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.exchanges) < 2:
            self.exchanges.add(exchange)


@dataclass(frozen=True, slots=True, order=True)
class SpotKey:
    """One place that a client writes values at."""

    recipient: str
    """Role of the server, else its name with random labels as ``{}``; ``an address``: neither."""
    location: str
    """Place in words, such as ``header x-id`` or ``body $.a[*].id of POST /v1/{}``."""


@dataclass(slots=True)
class Spot:
    """What was seen at one place."""

    values: dict[str, Sighting] = field(default_factory=dict)
    overflows: bool = False
    """Whether it had more values than are kept."""

    def add(self, value: str, exchange: str, at: str, ref: str) -> None:
        """Note one value."""
        seen = self.values.get(value)
        if seen is None:
            if len(self.values) >= MOST_VALUES:
                self.overflows = True
                return
            seen = self.values[value] = Sighting(first_at=at, ref=ref)
        seen.add(exchange)


@dataclass(frozen=True, slots=True)
class Given:
    """Where a server gave the client a value first."""

    recipient: str
    location: str
    at: str
    """When, UTC, ISO 8601."""
    in_list: bool
    """Whether it stood in one answer beside several others of its kind: a directory."""


@dataclass(slots=True, kw_only=True)
class Observed:
    """All values of one capture."""

    sent: dict[SpotKey, Spot] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    every: set[str] = field(default_factory=set)
    """Every telling value, whichever way it went."""
    begins_anew: bool = False
    """Whether the recorder made a fresh profile for this capture."""
    cut: tuple[str, ...] = ()
    """What bounds left out, a sentence each."""
