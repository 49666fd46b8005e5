"""For whom a journal says that somebody subscribed or left: digests that records have as well.

Only people are compared whose state is known. Who left and came back has not left; who answered the
confirmation shows nothing about lists that ask for none: their lines have no digest, and what
compares them is not known, in neither direction.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from audit.bundle.identity import Identity
from audit.bundle.journal import CONFIRMED, PERSON, SUBSCRIBE, UNSUBSCRIBE, JournalLine
from audit.readers.endpoint import moment_of
from audit.readers.providers import email_hash

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def persons_of(journal: Sequence[JournalLine], identity: Identity) -> dict[int, str]:
    """Return number of a line (from 1) -> digest of the person it acted for."""
    digests = told_addresses(identity)
    found: dict[int, str] = {}
    for number, line in enumerate(journal, start=1):
        person = _person(line, digests)
        if line.action in {SUBSCRIBE, UNSUBSCRIBE} and person:
            found[number] = person
    confirmed = {line.facts.get(PERSON) for line in journal if line.facts.get(CONFIRMED)}
    return {
        number: person
        for number, person in found.items()
        if not _is_undone(journal[number - 1], person, journal, found, confirmed)
    }


def told_addresses(identity: Identity) -> dict[str, str]:
    """Return digest of an address of the subject as lines tell it -> as records have it."""
    return {
        hashlib.sha256(item.value.encode("utf-8", "surrogatepass")).hexdigest(): email_hash(
            item.value
        )
        for item in identity.identifiers
        if item.kind == "email"
    }


def _person(line: JournalLine, digests: dict[str, str]) -> str | None:
    said = line.facts.get(PERSON, "")
    if _DIGEST.fullmatch(said):
        return said
    return digests.get(line.facts.get("text_sha256", ""))


def _is_undone(
    line: JournalLine,
    person: str,
    journal: Sequence[JournalLine],
    persons: dict[int, str],
    confirmed: set[str | None],
) -> bool:
    """Whether something later makes the line say nothing about the person."""
    if line.action == SUBSCRIBE:
        return person in confirmed
    left = str(moment_of(line.ts))
    return any(
        other == person
        and journal[number - 1].action == SUBSCRIBE
        and str(moment_of(journal[number - 1].ts)) >= left
        for number, other in persons.items()
    )
