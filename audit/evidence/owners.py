"""Who runs a server, by its name: the bundled list ``owners.csv``, each line with source and date.

The list holds facts of public knowledge about well-known operators, entered by hand: it is no copy
of anybody's database and no verdict rests on it. Ownership changes: the date of a line is the day
on which it was entered.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Final

FILE: Final = "owners.csv"


@dataclass(frozen=True, slots=True)
class Ownership:
    """One line of the list."""

    domain: str
    """Domain; the line speaks of every name below it too."""
    owner: str
    business: str
    """What such hosts are for: ads, attribution, cdn, cloud, dns, messenger, os, push, social,
    telemetry or other."""
    source: str
    """Where the fact stands in public."""
    date: str
    """Day on which the line was entered, ISO 8601."""


@cache
def ownerships() -> dict[str, Ownership]:
    """Return the list: domain -> line."""
    text = resources.files("audit.evidence").joinpath(FILE).read_text(encoding="utf-8")
    lines = csv.DictReader(text.splitlines())
    return {line["domain"]: Ownership(**line) for line in lines}


@lru_cache(maxsize=65_536)
def owner_of(host: str | None) -> str | None:
    """Return who runs a host, by the longest domain of the list that it lies in."""
    labels = (host or "").lower().rstrip(".").split(".")
    known = ownerships()
    for start in range(len(labels) - 1):
        found = known.get(".".join(labels[start:]))
        if found:
            return found.owner
    return None
