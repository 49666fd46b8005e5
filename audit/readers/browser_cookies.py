"""Cookies over several visits: how long each lives, from its last and from its first setting.

Between visits time passes for the cookies alone: the recorder makes each as much older. A cookie
that outlives that and is set again with a later end was renewed: from its first setting it lives
until that end, the passed time included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from audit.bundle.layout import BROWSER
from audit.readers.browser_values import identifying_bits
from audit.readers.endpoint import moment_of
from audit.tables.frames import Row

_MAX_AGE: Final = re.compile(r";\s*max-age\s*=\s*\"?(-?\d{1,12})", re.IGNORECASE)
_DOMAIN: Final = re.compile(r";\s*domain\s*=\s*\"?\.?([^;\s\"]+)", re.IGNORECASE)
_SLACK_S: Final = 5.0
"""Seconds between the setting of a cookie and the moment at which the recorder is told."""
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    at_s: float
    by: str
    host: str
    domain: str | None
    max_age_s: float | None


@dataclass(slots=True, kw_only=True)
class _Life:
    """One cookie, from its birth on."""

    row: Row
    born_s: float
    aged_s: float = 0.0
    """Time that passed for it between visits."""
    expires_s: float | None = None
    """Its end as last seen, moved forth by the time that passed."""
    lifetime_s: float | None = None
    from_first_s: float | None = None
    visits: set[int] = field(default_factory=set)
    renewed: bool = False


class CookieJar:
    """Takes settings and sightings in order, and gives one row for each cookie."""

    def __init__(self, capture: str) -> None:
        self._capture = capture
        self._settings: dict[str, list[_Setting]] = {}
        self._lives: dict[_Key, _Life] = {}
        self._ages: list[tuple[float, float]] = []
        self._seen: set[str] = set()

    def note(self, line: dict[str, Any], host: str | None) -> None:
        """Take a setting, by header or by script."""
        text = str(line["text"])
        name = text.partition("=")[0].strip()
        found, domain = _MAX_AGE.search(text), _DOMAIN.search(text)
        self._settings.setdefault(name, []).append(
            _Setting(
                at_s=_seconds(line["ts"]),
                by=str(line["by"]),
                host=host or "",
                domain=domain[1].lower() if domain else None,
                max_age_s=float(found[1]) if found else None,
            )
        )

    def age(self, ts: str, seconds: float) -> None:
        """Take note that so much time passed for the cookies."""
        now_s = _seconds(ts)
        self._ages.append((now_s, seconds))
        for key, life in list(self._lives.items()):
            ended = life.expires_s is None or life.expires_s - life.aged_s - seconds <= now_s
            if ended:  # a cookie of that name that comes later is another one
                self._lives[(*key[:3], f"{key[3]} {now_s}")] = self._lives.pop(key)
            else:
                life.aged_s += seconds

    def see(self, number: int, line: dict[str, Any]) -> None:
        """Take a sighting of a cookie in the browser's jar."""
        domain = str(line["domain"]).lstrip(".").lower()
        name, partition = str(line["name"]), line.get("partition")
        self._seen.add(name)
        key = (domain, name, str(line["path"]), str(partition or ""))
        at_s = _seconds(line["ts"])
        life = self._lives.get(key)
        if life is None:
            setting = self._setting(name, domain, at_s)
            born_s = setting.at_s if setting else at_s
            life = self._lives[key] = _Life(row=self._first(number, line, domain), born_s=born_s)
        self._update(life, line, domain, at_s)

    def _first(self, number: int, line: dict[str, Any], domain: str) -> Row:
        return {
            "capture": self._capture,
            "ref": f"{BROWSER}#{number}",
            "ts": moment_of(line["ts"]),
            "site": line["site"] or None,
            "domain": domain,
            "name": str(line["name"]),
        }

    def _update(self, life: _Life, line: dict[str, Any], domain: str, at_s: float) -> None:
        name = str(line["name"])
        setting = self._setting(name, domain, at_s)
        expires_s = None if line["expires"] is None else float(line["expires"])
        life.visits.add(int(line["visit"]))
        life.row |= {
            "session_only": expires_s is None,
            "path": line["path"],
            "set_by": setting.by if setting else None,
            "http_only": bool(line["http_only"]),
            "secure": bool(line["secure"]),
            "same_site": line.get("same_site"),
            "value_entropy_bits": identifying_bits(str(line["value"])),
        }
        if expires_s is None:
            life.lifetime_s = life.from_first_s = life.expires_s = None
            return
        end_s = expires_s + life.aged_s
        is_first = life.expires_s is None
        if not is_first and end_s <= (life.expires_s or 0.0) + 1.0:
            return  # as it was
        life.renewed = life.renewed or not is_first
        set_s = setting.at_s if setting else at_s
        declared = setting.max_age_s if setting else None
        lifetime_s = expires_s - set_s
        if declared is not None and abs(lifetime_s - declared) <= _SLACK_S:
            lifetime_s = declared
        life.expires_s, life.lifetime_s = end_s, lifetime_s
        life.from_first_s = lifetime_s if is_first else end_s - life.born_s

    def _setting(self, name: str, domain: str, at_s: float) -> _Setting | None:
        """Return the last setting of a cookie until a moment; ``None``: nobody told of one."""
        fitting = [
            setting
            for setting in self._settings.get(name, ())
            if setting.at_s <= at_s + 0.5
            and (setting.domain or setting.host) == domain
            and (setting.max_age_s is None or setting.max_age_s > 0)
        ]
        return fitting[-1] if fitting else None

    def rows(self) -> list[Row]:
        """Return a row for each cookie, in the order in which they were first seen."""
        found = [
            life.row
            | {
                "lifetime": life.lifetime_s,
                "lifetime_from_first_set": life.from_first_s,
                "renewed": life.renewed,
                "seen_visits": len(life.visits),
            }
            for life in self._lives.values()
        ]
        return sorted(found, key=lambda row: str(row["ts"]))

    def limits(self) -> list[str]:
        """Tell of cookies that were set and never found in the jar."""
        lost = sorted(
            name
            for name, settings in self._settings.items()
            if name not in self._seen
            and any(s.max_age_s is None or s.max_age_s > 0 for s in settings)
        )
        if not lost:
            return []
        shown = ", ".join(name[:40] for name in lost[:5])
        return [f"{len(lost)} cookies were set and never found stored: {shown}"]


def _seconds(ts: object) -> float:
    return datetime.fromisoformat(str(moment_of(str(ts)))).timestamp()
