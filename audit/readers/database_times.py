"""A column of times as seconds since 1970 UTC, all at once; what cannot be dated is NaN."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.readers.database_cells import as_bytes
from audit.readers.logtime import TimeReader, from_number

Seconds = NDArray[np.float64]
_ISO: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?)?(?P<zone>Z|[+-]00(?::?00)?)?\Z"
)
_ZONE_SIGNS: Final = [ord(sign) for sign in "+-Z"]
_FIRST: Final = 631_152_000.0
"""1 January 1990: a smaller number is a duration or a count, and no time of a record."""
_LAST: Final = 253_402_300_799.0
"""31 December 9999."""


class ColumnTimes:
    """Reads one column of times; ``times`` knows the zone of those that name none."""

    def __init__(self, times: TimeReader, *, utc: bool = False) -> None:
        """``utc``: the database gives the times in UTC, whatever they look like."""
        self._times = times
        self._utc = utc

    def read(self, values: Sequence[object]) -> Seconds:
        """Return the moments of a batch."""
        kinds = set(map(type, values)) - {type(None)}
        if kinds and kinds <= {int, float}:
            return self._numbers(values)
        if kinds and kinds <= {str, bytes}:
            found = self._alike(values)
            if found is not None:
                return found
        return np.array([self._one(value) for value in values], dtype=np.float64)

    def _numbers(self, values: Sequence[object]) -> Seconds:
        found = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        with np.errstate(invalid="ignore"):
            for _ in range(3):
                found = np.where(found > _LAST / 50, found / 1000, found)
            found[~((found >= _FIRST) & (found <= _LAST / 50))] = np.nan
        return found

    def _alike(self, values: Sequence[object]) -> Seconds | None:
        """Read texts that are all written alike, in ISO 8601; ``None``: they are not."""
        texts = [
            value.decode("latin-1") if isinstance(value, bytes) else value or "" for value in values
        ]
        first = next((text for text in texts if text), "")
        match = _ISO.match(str(first))
        if match is None:
            return None
        zone = match["zone"] or ""
        size = len(str(first)) - len(zone)
        letters = np.array(texts, dtype=f"U{len(str(first)) + 1}")
        filled = letters != ""
        if not (np.char.str_len(letters[filled]) == len(str(first))).all():
            return None
        if zone:
            is_alike = bool(np.char.endswith(letters[filled], zone).all())
        else:
            is_alike = not _names_zone(letters[filled])
        if not is_alike:
            return None
        try:
            moments = letters[filled].astype(f"U{size}").astype("datetime64[us]")
        except ValueError:
            return None
        found = np.full(len(texts), np.nan)
        found[filled] = moments.astype(np.int64) / 1e6
        return self._zoned(found, bool(zone))

    def _zoned(self, found: Seconds, named: bool) -> Seconds:
        """Move times without a zone by the offset of the zone that holds, hour by hour."""
        found[~((found >= _FIRST) & (found <= _LAST))] = np.nan
        if named or self._utc:
            return found
        hours = np.unique(np.floor(found[~np.isnan(found)] / 3600)).tolist()
        for hour in hours:
            local = datetime.fromtimestamp(hour * 3600, UTC).replace(tzinfo=None)
            moment = self._times.read(local.isoformat(sep=" "))
            if moment is not None and moment != hour * 3600:
                chosen = np.floor(found / 3600) == hour
                found = np.where(chosen, found + (moment - hour * 3600), found)
        return found

    def _one(self, value: object) -> float:
        found: float | None = None
        if isinstance(value, datetime):
            zone = value.tzinfo or (UTC if self._utc else None)
            found = value.replace(tzinfo=zone).timestamp() if zone else self._local(value)
        elif isinstance(value, date):
            found = self._local(datetime(value.year, value.month, value.day))  # noqa: DTZ001
        elif isinstance(value, int | float):
            found = from_number(repr(float(value))) if value > 0 else None
        elif value is not None:
            found = self._times.read(as_bytes(value).decode("latin-1"))
        return np.nan if found is None or not _FIRST <= found <= _LAST else found

    def _local(self, value: datetime) -> float | None:
        return self._times.read(value.isoformat(sep=" "))


def _names_zone(texts: NDArray[np.str_]) -> bool:
    """Whether a text names a zone: after the day stands a sign, or a ``Z``."""
    after = texts.view(np.uint32).reshape(len(texts), -1)[:, 10:]
    return bool(np.isin(after, _ZONE_SIGNS).any())
