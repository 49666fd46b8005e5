"""Normal forms: every way in which a value of a kind is usually written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from audit.bundle.identity import Identifier
from audit.identifiers.addresses import spell_address, spell_mac
from audit.identifiers.kinds import NormalForms, kind_info
from audit.identifiers.spelling import (
    PHRASE_SEPARATORS,
    Spelling,
    cases,
    spell,
    squeeze,
)
from audit.identifiers.telephone import spell_phone
from audit.tables.vocabulary import Form

_UUID: Final = re.compile(
    r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\Z|[0-9A-Fa-f]{32}\Z"
)
_HEX_ID: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){8,}\Z")
_GMAIL: Final = ("gmail.com", "googlemail.com")
_TYPED_KEY: Final = 33
_LONGEST_NUMBER: Final = 16
"""Bytes of an id up to which programs handle it as a number."""
_LONGEST_LIST: Final = 128
"""Bytes up to which a value is searched for as a list of numbers."""
MAX_PHRASE: Final = 4096
"""Characters up to which a phrase is also searched for with its words joined otherwise."""


def spellings(identifier: Identifier) -> tuple[Spelling, ...]:
    """Return every spelling of a value, the value itself first, without duplicates."""
    value = identifier.value
    family = kind_info(identifier.kind).normal_forms
    found = _FAMILIES[family](value)
    found += _text(value, free=family == "prose")
    found += [
        Spelling(
            text.encode("utf-8", "surrogatepass")[::-1]
            if text.isascii()
            else text[::-1].encode("utf-8", "surrogatepass"),
            "reversed",
            spelled.rule,
        )
        for text in dict.fromkeys((value, squeeze(value)))
        if text != text[::-1]
        for spelled in spell(text, value)[:1]
    ]
    unique: dict[tuple[bytes, bool], Spelling] = {}
    for item in sorted(found, key=lambda item: (not item.digest, item.form != "plain")):
        if item.data:
            unique.setdefault(
                (item.data.lower() if item.caseless else item.data, item.caseless), item
            )
    return tuple(unique.values())


def digest_inputs(identifier: Identifier) -> tuple[bytes, ...]:
    """Return what may have been hashed: the value and its normal forms, as bytes."""
    value = identifier.value
    texts = [value, value.strip(), value.lower(), value.upper(), value.casefold()]
    texts += [squeeze(value), squeeze(value).lower(), squeeze(value).upper()]
    texts += [unicodedata.normalize(form, text) for form in ("NFC", "NFD") for text in texts[:1]]
    found = [text.encode("utf-8", "surrogatepass") for text in texts]
    for item in spellings(identifier):
        if item.digest:
            found.append(item.data)
            if item.caseless:
                found += [item.data.lower(), item.data.upper()]
    return tuple(dict.fromkeys(data for data in found if data))


def _text(value: str, *, free: bool) -> list[Spelling]:
    found: list[Spelling] = []
    trimmed = " ".join(value.split())
    for text in dict.fromkeys((value, value.strip(), trimmed)):
        for case in cases(text):
            found += spell(case, value, free=free, digest=True)
    squeezed = squeeze(value)
    if (folded := _fold(trimmed)) != trimmed:
        found += spell(folded, value, free=free, digest=True)
    if len(squeezed) >= 4 and squeezed != value:
        for case in cases(squeezed):
            found += spell(case, value, free=free, digest=True)
    if _UUID.match(value.strip()):
        found += _uuid(squeezed.lower(), value)
    elif _HEX_ID.match(value.strip()):
        found += _id(bytes.fromhex(value.strip()))
    if squeezed != value or not _HEX_ID.match(value):
        found += _listed(value.encode("utf-8", "surrogatepass"), "escaped")
    return found


def _id(raw: bytes) -> list[Spelling]:
    """Spell an id that is written in hexadecimal digits as its bytes and as a number.

    One of 33 bytes is a key of 32 behind a byte that tells its type: the key says as much where it
    stands by itself, but behind another byte it is another id.
    """
    found = [_raw(raw), *_listed(raw, "packed-address")]
    if len(raw) == _TYPED_KEY:
        key = raw[1:]
        found += spell(key.hex(), raw.hex(), form="squeezed", rule="word", digest=True)
        found.append(Spelling(key, "packed-address", "field", caseless=False, digest=True))
    if len(raw) <= _LONGEST_NUMBER:
        for order in (raw, raw[::-1]):
            for signed in (False, True):
                text = str(int.from_bytes(order, "big", signed=signed)).encode()
                found.append(Spelling(text, "integer-address", "digits"))
        found.append(Spelling(raw[::-1], "integer-address", "raw", caseless=False))
    return found


def _listed(raw: bytes, form: Form) -> Iterator[Spelling]:
    """Spell bytes as a list of numbers, as programs write buffers in JSON."""
    if len(raw) > _LONGEST_LIST:
        return
    signed = [byte - 256 if byte > 127 else byte for byte in raw]
    for numbers in (list(raw), signed):
        for separator in (",", ", "):
            yield Spelling(separator.join(map(str, numbers)).encode(), form, "digits")


def _fold(text: str) -> str:
    """Return a text without accents; unchanged where letters would be lost."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain if plain.isascii() else text


def _uuid(digits: str, value: str) -> list[Spelling]:
    dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    raw = bytes.fromhex(digits)
    mixed = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    return [
        *spell(dashed, value, digest=True, rule="word"),
        *spell(dashed.replace("-", "_"), value, rule="word"),
        *spell(digits, value, digest=True),
        _raw(mixed),
        *_id(raw),
    ]


def _raw(data: bytes) -> Spelling:
    return Spelling(data, "packed-address", "raw", caseless=False, digest=True)


def _plain(value: str) -> list[Spelling]:  # noqa: ARG001 - the generic text forms are enough
    return []


def _prose(value: str) -> list[Spelling]:
    return _phrase(value, free=True)


def _phrase(value: str, *, free: bool = False) -> list[Spelling]:
    words = value.split()
    if len(words) < 2 or len(value) > MAX_PHRASE:
        return []
    found: list[Spelling] = []
    for separator in PHRASE_SEPARATORS:
        for case in cases(separator.join(words)):
            found += spell(case, value, free=free, digest=not separator)
    return found


def _address(value: str) -> list[Spelling]:
    found = spell_address(value)
    return found or _plain(value)


def _mac(value: str) -> list[Spelling]:
    return spell_mac(value)


def _email(value: str) -> list[Spelling]:
    local, at, domain = value.strip().rpartition("@")
    if not at or not local:
        return []
    locals_ = [local, local.split("+")[0]]
    if domain.lower() in _GMAIL:
        locals_ += [name.replace(".", "") for name in tuple(locals_)]
    found: list[Spelling] = []
    for name in dict.fromkeys(locals_):
        if name:
            found += spell(f"{name}@{domain}", value, rule="email", digest=True)
    return found


def _locale(value: str) -> list[Spelling]:
    """Spell a language tag as other systems do: ``pt_BR``, ``pt_BR.UTF-8`` (RFC 5646, POSIX)."""
    parts = re.split(r"[-_]", value.strip())
    found: list[Spelling] = []
    if len(parts) > 1:
        posix = "_".join(parts)
        for text in (posix, "-".join(parts), f"{posix}.UTF-8", f"{posix}.utf8"):
            found += spell(text, value, digest=True)
    return found


_FAMILIES: Final[dict[NormalForms, Callable[[str], list[Spelling]]]] = {
    "text": _plain,
    "phrase": _phrase,
    "prose": _prose,
    "address": _address,
    "mac": _mac,
    "email": _email,
    "phone": spell_phone,
    "locale": _locale,
}
"""``normal_forms`` of kinds.csv -> the forms that a kind has beyond those of any text."""
