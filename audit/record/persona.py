"""The person that a recording pretends to be: canaries that are found nowhere else by chance."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from audit.bundle.identity import Identifier, Identity, read_identity
from audit.errors import CaptureError
from audit.sandbox.addresses import Addresses, draw_mac

_pick = secrets.SystemRandom().choice

_GIVEN: Final = ("Marie", "Jonas", "Amelie", "Henrik", "Camille", "Oskar", "Ingrid", "Mathilde")
_FAMILY: Final = ("Lefevre", "Halvorsen", "Moreau", "Brandt", "Fournier", "Lindqvist", "Okafor")
_MODELS: Final = (
    "Latitude 7420", "ThinkPad X13 Gen 2", "EliteBook 845 G8", "XPS 13 9310", "Aspire A515-56",
    "ZenBook UX325EA", "Precision 5560",
)  # fmt: skip
_PLACES: Final = (
    ("fr_FR", "Europe/Paris", "+331990", 5),
    ("es_US", "America/Chicago", "+1312555010", 1),
    ("fr_CA", "America/Toronto", "+1514555014", 1),
    ("sv_SE", "Europe/Stockholm", "+467017406", 2),
)
"""Locale, time zone, and the beginning of a number with the count of digits to draw: ranges set
aside for fiction by Arcep (01 99 00), NANPA (555-0100 to 0199) and PTS (070-174 06 05 to 99).
No locale that programs send as a constant (``en-us``): seen, it would prove nothing."""
_NOUNS: Final = ("orchard", "lantern", "harbour", "meadow", "quarry", "chapel", "viaduct")
_COLOURS: Final = ("violet", "amber", "crimson", "teal", "ochre", "silver")

KINDS: Final = {
    "email": "email", "phone": "phone", "display_name": "display_name", "message": "message",
    "attachment": "attachment", "attachment_name": "attachment_name", "user_name": "user_name",
    "host_name": "host_name", "serial": "serial", "mac": "mac", "ad_id": "ad_id",
    "android_id": "android_id", "device_model": "device_model", "locale": "locale",
    "time_zone": "time_zone",
}  # fmt: skip
"""Name in the persona file -> kind of identifier (the same so far)."""
EVERY_KIND: Final = frozenset(KINDS.values())
"""Kinds that a client gets to know from the persona file."""
ENVIRONMENT_KINDS: Final = frozenset({"user_name", "locale", "time_zone"})
"""Kinds that stand in the environment of every client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Values by their names in the persona file, see ``docs/targets.md``."""

    values: dict[str, str]
    reply: str
    """What the peer answers."""
    given: tuple[Identifier, ...] = ()
    """Identifiers of the person's own file, where there is one."""

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def to_json(self, addresses: Addresses | None) -> dict[str, Any]:
        """Return what the client gets to know of itself."""
        found = dict(self.values)
        if addresses:
            found["address"] = addresses.client_v4
            found["address_v6"] = addresses.client_v6
        return found

    def identifiers(self, addresses: Addresses | None, planted: frozenset[str]) -> list[Identifier]:
        """Return the identifiers to search for, before anything was recorded.

        ``planted`` are the kinds that the client could come by: a value that was nowhere to be
        read proves nothing by its absence.
        """
        found = [
            Identifier(kind, self.values[name]) for name, kind in KINDS.items() if kind in planted
        ]
        if "message" in planted:
            found.append(Identifier("message", self.reply))
        if addresses:
            found += [
                Identifier("address", addresses.client_v4),
                Identifier("address", addresses.client_v6),
            ]
        return [*self.given, *(item for item in found if not self._is_given(item))]

    def _is_given(self, item: Identifier) -> bool:
        return any((item.kind, item.value) == (other.kind, other.value) for other in self.given)


def draw_persona(identity: Path | None = None) -> Persona:
    """Draw a persona; the first value of each kind in ``identity`` takes the drawn one's place.

    Raises :class:`CaptureError` where the file cannot be read.
    """
    values = _draw()
    given = Identity()
    if identity is not None:
        if not identity.is_file():
            raise CaptureError("there is no such identity file", source=str(identity))
        given = read_identity(identity)
        for name, kind in KINDS.items():
            own = [item.value for item in given.identifiers if item.kind == kind]
            if own and name != "mac":
                values[name] = own[0]
    reply = f"Got it, the {_pick(_NOUNS)} at {_clock()}. Code {secrets.token_hex(4)}."
    return Persona(values=values, reply=reply, given=given.identifiers)


def _draw() -> dict[str, str]:
    given, family, number = _pick(_GIVEN), _pick(_FAMILY), secrets.randbelow(9000) + 1000
    model = _pick(_MODELS)
    locale, zone, begin, digits = _pick(_PLACES)
    noun, colour = _pick(_NOUNS), _pick(_COLOURS)
    return {
        "display_name": f"{given} {family} {number % 90 + 10}",
        "email": f"{given}.{family}{number}@example.org".lower(),
        "phone": begin + _digits(begin, digits),
        "user_name": f"{given[0]}{family}{number % 1000:03}".lower(),
        "host_name": f"{given}-{model.split()[0]}-{secrets.token_hex(2)}".lower(),
        "serial": secrets.token_hex(16),
        "mac": draw_mac(),
        "ad_id": str(uuid.uuid4()),
        "android_id": secrets.token_hex(8),
        "device_model": model,
        "locale": locale,
        "time_zone": zone,
        "message": f"Meet me by the {noun} at {_clock()}, bring the {colour} folder "
        f"{secrets.token_hex(4)}.",
        "attachment_name": f"{colour}-{noun}-{number}.txt",
        "attachment": f"Minutes of the {noun} meeting, copy {number}: the {colour} folder holds "
        f"{secrets.token_hex(8)}, keep it away from the {_pick(_NOUNS)}.",
    }


def _digits(begin: str, count: int) -> str:
    lowest = {"+467017406": 5}.get(begin, 0)
    return f"{secrets.randbelow(10**count - lowest) + lowest:0{count}}"


def _clock() -> str:
    return f"{secrets.randbelow(14) + 7:02}:{secrets.randbelow(60):02}"
