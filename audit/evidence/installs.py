"""Installs compared: values that stay within one and differ between two, and are nobody's known.

A value is a *candidate identifier* where, at one place,

- it stays within one install: every value of the place is the same, or there are few and each
  comes again and again, and it was seen in two exchanges at least (a value that a server gave and
  a conditional request brought back was seen twice by that);
- another install has another value there, and neither has the other's anywhere;
- it can tell a million installs apart (:data:`audit.identifiers.entropy.TELLING`), and is neither
  the subject's own nor picked from a list that a server gave.

A recording that began with a fresh profile counts for itself: its values may differ from those of
another recording of the install.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from audit.errors import UsageError
from audit.evidence.observing import CONDITIONAL
from audit.identifiers.entropy import Entropy, estimate
from audit.tables.evidence import CaptureEvidence
from audit.tables.observed import Given, Observed, Sighting, Spot, SpotKey

FEW: Final = 4
"""Values that one place may take in turn and still hold identifiers (such as two accounts)."""
OFTEN: Final = 3
"""Times that each of them comes on the average, at least."""
UNKNOWN: Final = "unknown"
"""Install of a capture that does not say which it is."""
MODIFIED: Final = Entropy(30, "one second of some thirty years")
"""Estimate for a Last-Modified that is none of the answer's own moment."""
Known = Callable[[str], str | None]
"""Value -> the kind of the subject's identifier that it is, in whatever form; ``None``: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """One place at which a candidate was sent."""

    key: SpotKey
    exchanges: Mapping[str, int]
    """Install -> times that it was sent there."""
    refs: Mapping[str, str]
    """Install -> ``capture: ref`` of the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A value an install, at one or several places."""

    values: Mapping[str, tuple[str, ...]]
    """Install -> its values, as they were sent; secret."""
    entropy: Entropy
    """The lowest estimate of its values."""
    places: tuple[Where, ...]
    given: Given | None
    """Where a server gave it; ``None``: the client's own."""
    is_proven: bool
    """Whether some install showed it in two exchanges."""

    @property
    def total(self) -> int:
        """Times that it was sent."""
        return sum(sum(place.exchanges.values()) for place in self.places)


@dataclass(slots=True, kw_only=True)
class Comparison:
    """What comparing installs gave."""

    installs: tuple[str, ...]
    candidates: list[Candidate] = field(default_factory=list)
    known: Counter[str] = field(default_factory=Counter)
    """Kind of the subject's own values -> places at which one differed between installs."""
    listed: int = 0
    """Places at which values picked from a server's list differed."""
    alone: int = 0
    """Places with a value that stays, seen in one install only."""
    notes: list[str] = field(default_factory=list)


def install_of(evidence: CaptureEvidence) -> str:
    """Return the install that a capture is of; one that does not say is of one of its own."""
    if evidence.install == UNKNOWN:
        return f"{evidence.capture} (install not named)"
    return evidence.install


def require_two(captures: Sequence[tuple[str, str, str]]) -> None:
    """Refuse captures (install, capture, digest) that are not of two installs at least.

    Raises :class:`UsageError`.
    """
    found = {install if install != UNKNOWN else digest for install, _, digest in captures}
    if len(found) < 2:
        named = captures[0][0] if captures[0][0] != UNKNOWN else captures[0][1]
        raise UsageError(
            f"--compare-installs needs captures of two installs, and all are of one: {named}",
            hint="record again; audit record and audit import take the name by --install",
        )


@dataclass(slots=True)
class _Profile:
    """What one profile of the client sent, over one or several captures."""

    install: str
    spots: dict[SpotKey, dict[str, list[tuple[str, Sighting]]]] = field(default_factory=dict)
    """Place -> value -> (capture, sighting)."""
    overflowing: set[SpotKey] = field(default_factory=set)

    def add(self, capture: str, observed: Observed) -> None:
        """Take what one capture shows."""
        for key, spot in observed.sent.items():
            self._add_spot(capture, key, spot)

    def _add_spot(self, capture: str, key: SpotKey, spot: Spot) -> None:
        if spot.overflows:
            self.overflowing.add(key)
        values = self.spots.setdefault(key, {})
        for value, seen in spot.values.items():
            values.setdefault(value, []).append((capture, seen))

    def staying(self, key: SpotKey) -> list[str]:
        """Return the values of a place that stay; empty where it takes new ones."""
        values = self.spots.get(key, {})
        if key in self.overflowing or not values:
            return []
        if len(values) == 1:
            return list(values)
        counts = [sum(seen.count for _, seen in seens) for seens in values.values()]
        is_few = len(values) <= FEW and min(counts) >= 2
        return list(values) if is_few and sum(counts) >= OFTEN * len(values) else []


def compare(captures: Sequence[CaptureEvidence], known: Known) -> Comparison:
    """Compare the captures of two installs or more; they must hold observed values."""
    return _Comparing(captures, known).run()


class _Comparing:
    def __init__(self, captures: Sequence[CaptureEvidence], known: Known) -> None:
        self._known = known
        self._profiles: dict[tuple[str, str], _Profile] = {}
        self._every: defaultdict[str, set[str]] = defaultdict(set)
        self._given: defaultdict[str, dict[str, Given]] = defaultdict(dict)
        self._notes: list[str] = []
        for evidence in captures:
            self._take(evidence)
        self._installs = tuple(sorted(self._every))

    def _take(self, evidence: CaptureEvidence) -> None:
        observed = evidence.observed
        if observed is None:
            raise ValueError(f"{evidence.capture} was read without its values")
        install = install_of(evidence)
        if evidence.install == UNKNOWN:
            self._notes.append(
                f"{evidence.capture} does not say which install it is of, and was taken for one of"
                " its own"
            )
        begun = evidence.capture if observed.begins_anew else ""
        profile = self._profiles.setdefault((install, begun), _Profile(install))
        profile.add(evidence.capture, observed)
        self._every[install] |= observed.every
        for value, given in observed.given.items():
            earlier = self._given[install].get(value)
            if earlier is None or given.at < earlier.at:
                self._given[install][value] = given
        self._notes += [f"{evidence.capture}: {text} were left out" for text in observed.cut]

    def run(self) -> Comparison:
        result = Comparison(installs=self._installs)
        grouped: dict[frozenset[tuple[str, str]], list[SpotKey]] = {}
        for key in sorted({key for each in self._profiles.values() for key in each.spots}):
            own = self._own(key)
            if len(own) == 1:
                result.alone += 1
            if len(own) < 2 or self._is_left_out(own, result):
                continue
            signature = frozenset((at, value) for at, values in own.items() for value in values)
            grouped.setdefault(signature, []).append(key)
        for signature, keys in grouped.items():
            result.candidates.append(self._candidate(signature, keys))
        result.candidates.sort(key=lambda one: (-one.total, one.places[0].key))
        result.notes = self._notes
        return result

    def _own(self, key: SpotKey) -> dict[str, list[str]]:
        """Return, by install, the values of a place that stay there and are no other's."""
        own: dict[str, list[str]] = {}
        for (install, _), profile in self._profiles.items():
            mine = [value for value in profile.staying(key) if not self._is_shared(value, install)]
            if mine:
                own.setdefault(install, []).extend(mine)
        return own

    def _is_shared(self, value: str, install: str) -> bool:
        return any(value in every for other, every in self._every.items() if other != install)

    def _is_left_out(self, own: Mapping[str, list[str]], result: Comparison) -> bool:
        """Whether the values of a place are somebody's known, or a choice from a list."""
        kinds = {kind for value in _all(own) if (kind := self._known(value))}
        if kinds:
            result.known.update(kinds)
            return True
        listed = [
            given is not None and given.in_list
            for install, values in own.items()
            for given in (self._given[install].get(value) for value in values)
        ]
        if all(listed):
            result.listed += 1
            return True
        return False

    def _candidate(
        self, signature: frozenset[tuple[str, str]], keys: Sequence[SpotKey]
    ) -> Candidate:
        values: defaultdict[str, list[str]] = defaultdict(list)
        for install, value in sorted(signature):
            values[install].append(value)
        places = tuple(self._where(key, values) for key in keys)
        given = self._origin(values, keys)
        is_back = given is not None and any(_is_conditional(key) for key in keys)
        return Candidate(
            values={install: tuple(found) for install, found in values.items()},
            entropy=min((_entropy(value, keys) for value in _all(values)), key=lambda e: e.bits),
            places=places,
            given=given,
            is_proven=is_back or any(self._recurs(value, keys) for value in _all(values)),
        )

    def _where(self, key: SpotKey, values: Mapping[str, Sequence[str]]) -> Where:
        exchanges: Counter[str] = Counter()
        firsts: dict[str, tuple[str, str]] = {}
        for profile in self._profiles.values():
            for value in values.get(profile.install, ()):
                for capture, seen in profile.spots.get(key, {}).get(value, ()):
                    exchanges[profile.install] += seen.count
                    first = (seen.first_at, f"{capture}: {seen.ref}")
                    firsts[profile.install] = min(first, firsts.get(profile.install, first))
        refs = {install: text for install, (_, text) in sorted(firsts.items())}
        return Where(key=key, exchanges=dict(sorted(exchanges.items())), refs=refs)

    def _recurs(self, value: str, keys: Iterable[SpotKey]) -> bool:
        """Whether a value was seen in two exchanges; it is one install's alone."""
        names = {
            (capture, exchange)
            for profile in self._profiles.values()
            for key in keys
            for capture, seen in profile.spots.get(key, {}).get(value, ())
            for exchange in seen.exchanges
        }
        return len(names) > 1

    def _origin(self, values: Mapping[str, Sequence[str]], keys: Sequence[SpotKey]) -> Given | None:
        """Return where a server gave the values before the client sent them."""
        for install, found in values.items():
            for value in found:
                given = self._given[install].get(value)
                sent = self._first_sent(install, value, keys)
                if given is not None and (not given.at or given.at <= sent):
                    return given
        return None

    def _first_sent(self, install: str, value: str, keys: Sequence[SpotKey]) -> str:
        return min(
            seen.first_at
            for profile in self._profiles.values()
            if profile.install == install
            for key in keys
            for _, seen in profile.spots.get(key, {}).get(value, ())
        )


def _all(values: Mapping[str, Iterable[str]]) -> list[str]:
    return [value for found in values.values() for value in found]


def _is_conditional(key: SpotKey) -> bool:
    return key.location.split(" ")[1] in CONDITIONAL if " " in key.location else False


def _entropy(value: str, keys: Sequence[SpotKey]) -> Entropy:
    if all(key.location.startswith("header if-modified-since ") for key in keys):
        return MODIFIED
    return estimate(value)
