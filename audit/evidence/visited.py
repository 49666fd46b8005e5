"""What rows prove of a visitor's actions: a page asked for and answered, a form that arrived.

A line of the journal names the address by a digest of host and path; the taps must show a request
for it, answered without an error, after the last line that named the same address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from audit.bundle.identity import Identity
from audit.bundle.journal import SUBSCRIBE, UNSUBSCRIBE, JournalLine
from audit.evidence.moments import instant
from audit.evidence.persons import told_addresses
from audit.readers.endpoint import moment_of
from audit.tables.frames import Row

_ASKING: Final = frozenset({"web.visit", "web.revisit", "web.download"})
_TELLING: Final = frozenset({SUBSCRIBE, UNSUBSCRIBE})
_CONSENT: Final = {"web.consent.accept": "accept", "web.consent.refuse": "refuse"}
_NEAR: Final = timedelta(minutes=2)
"""Time within which the journal's line follows what the browser's record tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    ts: str
    ref: str


@dataclass(slots=True, kw_only=True)
class WebProof:
    """The rows that can prove actions of a visitor."""

    asked: dict[str, list[_Asked]] = field(default_factory=dict)
    """Digest of host and path -> requests that were answered."""
    personal: frozenset[str] = frozenset()
    """Beginnings of the ``ref`` of requests that held an address of the subject."""
    answered: tuple[tuple[str, str], ...] = ()
    """Questions of consent that the browser's record tells of."""

    def confirms(
        self, line: JournalLine, before: Sequence[JournalLine], identity: Identity
    ) -> bool:
        """Whether rows prove what a line says; ``before`` are the lines until it."""
        if not line.ok:
            return False
        if line.action in _CONSENT:
            return any(
                answer == _CONSENT[line.action] and _near(ts, line.ts)
                for ts, answer in self.answered
            )
        digest = line.facts.get("url_sha256", "")
        since = max(
            (
                str(moment_of(other.ts))
                for other in before
                if other.facts.get("url_sha256") == digest and other.driver == "script"
            ),
            default="",
        )
        until = str(moment_of(line.ts))
        found = [one for one in self.asked.get(digest, ()) if since < one.ts <= until]
        if line.action in _ASKING:
            return bool(found)
        if line.action in _TELLING:
            told = line.facts.get("text_sha256")
            return told in told_addresses(identity) and any(
                one.ref in self.personal for one in found
            )
        return False


def _near(first: str, second: str) -> bool:
    one, other = instant(moment_of(first)), instant(moment_of(second))
    return one is not None and other is not None and abs(one - other) <= _NEAR


def web_proof(
    tables: Mapping[str, Sequence[Row]],
    hits: Sequence[Row],
    answered: tuple[tuple[str, str], ...],
) -> WebProof:
    """Collect what rows can prove."""
    good = {
        (row.get("conversation"), row.get("host"), row.get("path"), row.get("query"))
        for row in tables.get("http_responses", ())
        if isinstance(row.get("status"), int) and int(str(row["status"])) < 400
    }
    proof = WebProof(answered=answered)
    for row in tables.get("http_requests", ()):
        place = (row.get("conversation"), row.get("host"), row.get("path"), row.get("query"))
        if row.get("process") == "control" or row.get("layer") or place not in good:
            continue
        named = f"{row.get('host') or row.get('responder_ip')}{row.get('path')}"
        digest = hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()
        one = _Asked(ts=str(row.get("ts") or ""), ref=record_of(row.get("ref")))
        proof.asked.setdefault(digest, []).append(one)
    proof.personal = frozenset(
        record_of(hit.get("ref"))
        for hit in hits
        if hit.get("kind") == "email" and hit.get("direction") == "sent"
    )
    return proof


def record_of(ref: object) -> str:
    """Return the file and record of a ``ref``, without the part."""
    return str(ref).partition(":")[0].partition("@")[0]
