"""A comparison of installs as entries of ``reported``: unscored, every value redacted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from audit.bundle.identity import Identity
from audit.evidence.installs import Candidate, Comparison, Known, Where
from audit.identifiers.entropy import TELLING
from audit.identifiers.hit import pseudonym
from audit.tables.observed import Given

CHECK: Final = "compare-installs"
"""Stands where other entries name their check: no check decides on these."""
COLUMNS: Final = (
    "candidate", "entropy_bits", "estimate", "recipient", "location", "requests", "installs",
    "kept_by", "values", "evidence",
)  # fmt: skip
MOST_ROWS: Final = 200
"""Rows that a report shows, at most; ``count`` says how many there are."""
TITLES: Final = {
    "candidate-identifiers": "Values that stay within one install and differ between installs:"
    " candidate identifiers",
    "seen-once": "Values that differ between installs, seen once in each: not proven to stay",
}
LIMITS: Final = (
    "TLS session tickets, which can tie two visits together, are out of reach and not compared.",
    (
        "A value drawn anew at each start of the client looks like one that it keeps, unless a"
        " recording shows two starts of one profile."
    ),
    (
        f"Left out are values of less than {TELLING} bits, moments, versions, languages, time zones"
        " and models of devices; the estimate is the most that the look of a value allows."
    ),
)
_VEHICLES: Final = {
    "if-none-match": "ETag in the cache: outlives cookies",
    "if-modified-since": "Last-Modified in the cache: outlives cookies",
}


def known_by(identities: Iterable[Identity]) -> Known:
    """Return what tells which of the subjects' values some text is, in any form of the search."""
    from audit.identifiers.detector import detector_of, text_payload

    detectors = [detector_of(identity) for identity in identities if identity.identifiers]

    def known(value: str) -> str | None:
        payload = text_payload(value.encode("utf-8", "surrogatepass"))
        for detector in detectors:
            result = detector.scan(payload)
            for hit in (*result.hits, *result.unsure):
                return hit.kind
        return None

    return known


def entries(
    comparison: Comparison, key: bytes, redact: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Return the entries; ``key`` is that of the pseudonyms."""
    proven = [each for each in comparison.candidates if each.is_proven]
    once = [each for each in comparison.candidates if not each.is_proven]
    first = _entry("candidate-identifiers", proven, key, redact)
    first["notes"] = [redact(note) for note in _notes(comparison)]
    return [first, _entry("seen-once", once, key, redact)] if once else [first]


def _entry(
    name: str, candidates: Iterable[Candidate], key: bytes, redact: Callable[[str], str]
) -> dict[str, Any]:
    rows = [
        _row(number, candidate, place, key, redact)
        for number, candidate in enumerate(candidates, start=1)
        for place in candidate.places
    ]
    return {
        "check": CHECK,
        "id": name,
        "title": TITLES[name],
        "columns": list(COLUMNS),
        "rows": rows[:MOST_ROWS],
        "count": len(rows),
    }


def _row(
    number: int, candidate: Candidate, place: Where, key: bytes, redact: Callable[[str], str]
) -> list[str | int]:
    values = {
        install: ", ".join(pseudonym(key, "candidate", value) for value in found)
        for install, found in candidate.values.items()
    }
    return [
        number,
        candidate.entropy.bits,
        candidate.entropy.basis,
        redact(place.key.recipient),
        redact(place.key.location),
        _by_install(place.exchanges),
        len(candidate.values),
        redact(_kept_by(place, candidate.given)),
        _by_install(values),
        redact(_by_install(place.refs)),
    ]


def _by_install(values: Mapping[str, object]) -> str:
    return "; ".join(f"{install}: {value}" for install, value in sorted(values.items()))


def _kept_by(place: Where, given: Given | None) -> str:
    """Say what brings the value back."""
    word, _, rest = place.key.location.partition(" ")
    name = rest.partition(" ")[0]
    if word == "cookie":
        return "cookie"
    if word == "header" and name in _VEHICLES:
        return _VEHICLES[name]
    if given is None:
        return "the client itself"
    source = f"{given.recipient}, {given.location}"
    if given.location.startswith("header location"):
        return f"a redirect ({source}): outlives cookies where it is cached"
    if given.location.startswith("cookie "):
        return f"a cookie ({source}), sent elsewhere too"
    return f"an answer ({source}): outlives cookies"


def _notes(comparison: Comparison) -> list[str]:
    notes = [f"Compared: {', '.join(comparison.installs)}. No verdict rests on it.", *LIMITS]
    if comparison.known:
        kinds = ", ".join(f"{kind} ({n})" for kind, n in sorted(comparison.known.items()))
        notes.append(
            f"The subject's own values differ between installs too: {kinds}, with the number of"
            " places. They are no unknowns and are not listed here."
        )
    if comparison.listed:
        notes.append(
            f"At {_places(comparison.listed)} the client sent one of several values that a server"
            " had listed in one answer: a choice from a directory, not listed here."
        )
    if comparison.alone:
        notes.append(
            f"{_places(comparison.alone)} held a value that stays, in one install only: there was"
            " nothing to compare it with."
        )
    return notes + comparison.notes


def _places(n: int) -> str:
    return "1 place" if n == 1 else f"{n} places"
