"""Times as logs write them, to seconds since 1970 UTC; what names no year or zone is told so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from audit.errors import UsageError

MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        start=1,
    )
}
_COMMON: Final = re.compile(
    r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?: ([+-])(\d\d)(\d\d))?\Z"
)
"""nginx ``$time_local``, Apache ``%t``."""
_SYSLOG: Final = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.\d+)?\Z")
"""RFC 3164 §4.1.2: no year, no zone."""
_APACHE: Final = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.\d+)? (\d{4})\Z"
)
_SLASHED: Final = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)?\Z")
_DAY_NAME: Final = re.compile(r"(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)")
_NUMBER: Final = re.compile(r"\d{9,19}(?:\.\d+)?\Z")
_LATEST: Final = 253_402_300_799.0
"""31 December 9999: what is later is written in a smaller unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What is known of a log's times beside the times themselves."""

    zone: str = "UTC"
    """IANA name of the zone of times that name none."""
    latest: float | None = None
    """Moment that no line without a year lies after, seconds; ``None``: not known."""

    def zone_info(self) -> ZoneInfo:
        """Return the zone; raises :class:`UsageError` for a name that is none."""
        return zone_of(self.zone)


@lru_cache
def zone_of(name: str) -> ZoneInfo:
    """Return a zone by its IANA name; raises :class:`UsageError` for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"there is no time zone {name!r}", hint="an IANA name, such as Europe/Zurich"
        ) from None


class TimeReader:
    """Reads times of one log."""

    def __init__(self, clock: Clock) -> None:
        self._zone = clock.zone_info()
        self._latest = clock.latest
        self.assumed_zone = False
        """Whether a time was read that names no zone."""
        self.assumed_year = False

    def read(self, text: str) -> float | None:
        """Return a moment, seconds since 1970 UTC; ``None`` for what is none, or has no year."""
        text = text.strip().strip("[]")
        try:
            return self._read(text)
        except (ValueError, OverflowError, KeyError):
            return None

    def _read(self, text: str) -> float | None:
        if _NUMBER.match(text):
            return from_number(text)
        for pattern, order in (
            (_COMMON, (3, 2, 1, 4, 5, 6)),
            (_SLASHED, (1, 2, 3, 4, 5, 6)),
            (_APACHE, (6, 1, 2, 3, 4, 5)),
        ):
            found = pattern.match(text)
            if found:
                year, month, *rest = (found[number] for number in order)
                day, hour, minute, second = map(int, rest)
                at = datetime(int(year), _month(month), day, hour, minute, second)  # noqa: DTZ001
                if pattern is _COMMON and found[7]:
                    away = timedelta(hours=int(found[8]), minutes=int(found[9]))
                    at = at - away if found[7] == "+" else at + away
                    return at.replace(tzinfo=UTC).timestamp()
                return self._local(at)
        found = _SYSLOG.match(text)
        if found:
            return self._without_year(found)
        at = datetime.fromisoformat(text.replace(",", ".", 1))
        return at.timestamp() if at.tzinfo else self._local(at)

    def _local(self, at: datetime) -> float:
        self.assumed_zone = True
        return at.replace(tzinfo=self._zone).timestamp()

    def _without_year(self, found: re.Match[str]) -> float | None:
        """Return the last such day and hour that does not lie after the latest moment."""
        if self._latest is None:
            return None
        self.assumed_year = True
        year = datetime.fromtimestamp(self._latest, UTC).year
        day, hour, minute, second = map(int, found.groups()[1:])
        for tried in range(year + 1, year - 8, -1):
            try:
                at = datetime(tried, MONTHS[found[1]], day, hour, minute, second)  # noqa: DTZ001
            except ValueError:  # 29 February
                continue
            seconds = self._local(at)
            if seconds <= self._latest:
                return seconds
        return None


def _month(text: str) -> int:
    return int(text) if text.isdigit() else MONTHS[text]


def from_number(text: str) -> float | None:
    """Return the moment of a count of seconds, or of milli-, micro- or nanoseconds, since 1970."""
    value = float(text)
    for _ in range(4):
        if value <= _LATEST / 50:  # until the year 2130
            return value if value > 0 else None
        value /= 1000
    return None


def day_in_name(name: str) -> float | None:
    """Return the end of the day that a file's name holds (logrotate's ``dateext``), seconds."""
    for found in _DAY_NAME.finditer(name):
        try:
            at = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)
        except ValueError:
            continue
        if at.year >= 1990:
            return (at + timedelta(days=2)).timestamp()
    return None
