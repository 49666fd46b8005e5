"""Draws what is planted: which value, in which form, packed how, put where, sent to whom."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from audit.lab.addresses import RESOLVER, TRACKERS, UNCONTACTED_NAME
from audit.lab.planter.containers import COMPRESSIONS, CONTAINERS, UNMARKED, Parcel
from audit.lab.planter.forms import Encoded, Subject, encode
from audit.tables.vocabulary import FORMS, KINDS, Form

Place = Literal["path", "query", "header", "cookie", "body", "websocket", "dns", "tcp", "udp"]
PLACES: Final[Sequence[Place]] = (
    "path", "query", "query", "header", "header", "cookie", "body", "body", "body", "body",
    "websocket", "dns", "tcp", "udp",
)  # fmt: skip
"""Where a value may be put; what stands more than once is drawn more often."""
RAW_PLACES: Final = frozenset({"dns", "tcp", "udp"})
"""Places that no HTTP proxy carries."""
HOSTS: Final = tuple(name for name in TRACKERS if not UNCONTACTED_NAME.endswith(name))
LABEL_DOMAIN: Final = UNCONTACTED_NAME.partition(".")[2]
"""Names that hold a value stand below the host that is never contacted."""
FIELDS: Final[Mapping[str, Sequence[str]]] = {
    "address": ("ip", "client_ip", "addr"),
    "locale": ("locale",),
    "time_zone": ("timezone", "time_zone"),
    "device_model": ("device_model", "model"),
    "user_name": ("user_name", "username"),
    "host_name": ("host_name", "hostname"),
    "email": ("email", "mail"),
    "phone": ("phone", "msisdn"),
    "ad_id": ("ad_id", "idfa"),
}
NEUTRAL_FIELDS: Final = ("id", "uid", "d", "k", "val", "x", "token", "ref")
HEADERS: Final = ("X-Client-Id", "X-Request-Context", "X-Device", "From", "X-Forwarded-User")
MAX_CHARS: Final[Mapping[Place, int]] = {
    "path": 700, "query": 900, "header": 900, "cookie": 900, "dns": 60,
}  # fmt: skip
_CASELESS: Final = frozenset({"base32", "hex"})
_NAMED: Final = ("json", "form", "multipart", "msgpack", "cbor")
"""Containers that give a value a name."""
_HEADER_VALUE = re.compile(rb"[!-~](?:[ -~]*[!-~])?\Z")
_QUOTED = re.compile(rb"(?:%[0-9A-F]{2}|[0-9A-F])+\Z")
"""Text that the percent form has made already; such is not encoded once more."""
_LABEL = re.compile(rb"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One value on its way to one recipient."""

    kind: str
    form: Form
    place: Place
    recipient: str
    scheme: Literal["http", "https", "dns", "tcp", "udp"]
    parcel: Parcel
    note: str = ""
    field: str = ""
    """Name of the header, cookie, query or label field, where the place has one."""
    method: str = "POST"
    declared: bool = True
    """Whether the body's type is told."""

    def to_json(self) -> dict[str, Any]:
        """Return what the planter notes, without the value.

        ``form`` is how the value stands there: an encoding right around a plain value is its
        form. ``chain`` is what it is packed in, outermost first.
        """
        form, chain = self.form, self.parcel.chain
        if form in {"plain", "case"} and chain and chain[-1] in {"percent", "base64"}:
            form, chain = chain[-1], chain[:-1]  # type: ignore[assignment]
        return {
            "kind": self.kind,
            "form": form,
            "chain": list(chain),
            "place": self.place,
            "recipient": self.recipient,
            "scheme": self.scheme,
            "field": self.field or self.parcel.field,
            "declared": self.declared,
            "note": self.note,
        }


def read_subjects(persona: Mapping[str, object]) -> list[Subject]:
    """Return the values of a persona that can be planted, in a fixed order."""
    found = []
    for name, value in sorted(persona.items()):
        kind = "address" if name.startswith("address") else name
        if kind in KINDS and isinstance(value, str) and value:
            found.append(Subject(kind=kind, value=value))
    return found


def draw_leak(
    rng: random.Random, subjects: Sequence[Subject], *, places: Sequence[Place] = PLACES
) -> Leak:
    """Draw one leak: every form is as likely as any other, then a kind that goes with it."""
    while True:
        form: Form = rng.choice(FORMS)
        for subject in rng.sample(subjects, len(subjects)):
            encoded = encode(form, subject, rng)
            leak = _place(rng, subject, form, encoded, rng.choice(places)) if encoded else None
            if leak is not None:
                return leak


def draw_echo_leak(rng: random.Random, subjects: Sequence[Subject], echo: str) -> Leak:
    """Draw the leak that goes to the recorder's own control echo (``address:port``)."""
    host = echo.rpartition(":")[0].strip("[]")
    while True:
        leak = draw_leak(rng, subjects, places=("query", "header", "path"))
        if leak.scheme == "http":
            return replace(leak, recipient=host)


def _place(
    rng: random.Random, subject: Subject, form: Form, encoded: Encoded, place: Place
) -> Leak | None:
    names = FIELDS.get(subject.kind, (subject.kind,))
    telling = subject.is_weak or encoded.whole or rng.random() < 0.5
    parcel = Parcel(
        data=encoded.data,
        is_text=encoded.is_text,
        is_number=encoded.is_number,
        field=rng.choice(names if telling else NEUTRAL_FIELDS),
    )
    if subject.is_weak and place in {"path", "dns", "udp", "tcp", "cookie"}:
        return None  # such a place has no name that would tell what the value is
    parcel = _pack(rng, parcel, place, weak=subject.is_weak)
    fitted = _fit(parcel, place, form)
    if fitted is None:
        return None
    host = rng.choice(HOSTS)
    field = fitted.field
    if place == "header":
        field = _header_name(rng, fitted, weak=subject.is_weak)
    return Leak(
        kind=subject.kind,
        form=form,
        place=place,
        recipient=RESOLVER if place == "dns" else host,
        scheme=_scheme(rng, place),
        parcel=fitted,
        note=encoded.note,
        field=field,
        method=rng.choice(("POST", "POST", "PUT")) if place == "body" else "GET",
        declared=place != "body" or "multipart" in fitted.chain[:1] or rng.random() < 0.6,
    )


def _scheme(rng: random.Random, place: Place) -> Literal["http", "https", "dns", "tcp", "udp"]:
    match place:
        case "dns" | "tcp" | "udp":
            return place
        case _:
            return rng.choice(("http", "https"))


def _header_name(rng: random.Random, parcel: Parcel, *, weak: bool) -> str:
    if weak:
        return "X-" + parcel.field.replace("_", "-").title()
    return "Authorization" if parcel.chain[:1] == ("jwt",) else rng.choice(HEADERS)


def _pack(rng: random.Random, parcel: Parcel, place: Place, *, weak: bool) -> Parcel:
    """Put the parcel into up to three containers, as far as the place takes them."""
    match place:
        case "path" | "dns":
            return parcel
        case "query" | "cookie" | "header":
            if weak or rng.random() < 0.65:
                return parcel
            steps = [rng.choice(("json", "jwt", "protobuf", "gzip", "msgpack"))]
        case "body" | "websocket" | "tcp" | "udp":
            depth = rng.choice((0, 1, 1, 2, 2, 3)) if place == "body" else rng.choice((0, 1, 2))
            steps = [rng.choice(tuple(CONTAINERS)) for _ in range(depth)]
    if weak:  # its name is what gives it meaning: packed with the name, and then only pressed
        steps = [rng.choice(_NAMED), *(step for step in steps if step in COMPRESSIONS)]
    for index, step in enumerate(steps):
        outermost = index == len(steps) - 1
        if step in UNMARKED and not (outermost and place == "body"):
            step = "gzip"  # noqa: PLW2901 - nothing would tell that it is there
        if step in COMPRESSIONS and parcel.chain[:1] and parcel.chain[0] in COMPRESSIONS:
            continue
        parcel = CONTAINERS[step](parcel, rng)
    return parcel


def _fit(parcel: Parcel, place: Place, form: Form) -> Parcel | None:
    """Return the parcel as the place can hold it, ``None`` where it cannot."""
    if place == "dns":
        data = parcel.data.rstrip(b"=")
        if form in _CASELESS:
            data = data.lower()  # names come back in lower case, if not before
        if not parcel.is_text or len(data) > MAX_CHARS["dns"] or not _LABEL.match(data):
            return None
        return replace(parcel, data=data, field="label")
    if place in MAX_CHARS:
        parcel = parcel.as_text()
        if len(parcel.data) > MAX_CHARS[place]:
            return None
    if place in {"path", "query", "cookie"}:
        parcel = parcel.quoted(safe="%" if _is_quoted(parcel) else "")
    if place == "header" and not _HEADER_VALUE.match(parcel.data):
        return None
    return parcel


def _is_quoted(parcel: Parcel) -> bool:
    return not parcel.chain and _QUOTED.match(parcel.data) is not None
