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
    Rule,
    Spelling,
    cases,
    spell,
    squeeze,
)

_UUID: Final = re.compile(
    r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\Z|[0-9A-Fa-f]{32}\Z"
)
_HEX_ID: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){8,}\Z")
_GMAIL: Final = ("gmail.com", "googlemail.com")
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
    if len(squeezed) >= 4 and squeezed != value:
        for case in cases(squeezed):
            found += spell(case, value, free=free, digest=True)
    if _UUID.match(value.strip()):
        found += _uuid(squeezed.lower(), value)
    elif _HEX_ID.match(value.strip()):
        found.append(_raw(bytes.fromhex(value.strip())))
    return found


def _uuid(digits: str, value: str) -> list[Spelling]:
    dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    raw = bytes.fromhex(digits)
    mixed = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    return [
        *spell(dashed, value, digest=True, rule="word"),
        *spell(dashed.replace("-", "_"), value, rule="word"),
        *spell(digits, value, digest=True),
        _raw(raw),
        _raw(mixed),
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


def _phone(value: str) -> list[Spelling]:
    import phonenumbers as phones

    digits = squeeze(value)
    found = spell(digits, value, digest=True)
    try:
        number = phones.parse(value, None)
    except phones.NumberParseException:
        return found
    national = phones.national_significant_number(number)
    plain = f"{number.country_code}{national}"
    formats = phones.PhoneNumberFormat
    texts = {
        "+" + plain: True,
        plain: True,
        "00" + plain: True,
        "011" + plain: False,
        national: True,
        squeeze(phones.format_number(number, formats.NATIONAL)): True,
    }
    for style in (formats.INTERNATIONAL, formats.NATIONAL, formats.RFC3966):
        texts.setdefault(phones.format_number(number, style), True)
    trunk = squeeze(phones.format_number(number, formats.NATIONAL)).removesuffix(national)
    usual = _groups(phones.format_number(number, formats.INTERNATIONAL))[1:]
    even = [national[at : at + 2] for at in range(0, len(national), 2)]
    threes = [national[at : at + 3] for at in range(0, len(national), 3)]
    for groups in (usual, even, threes):
        if "".join(groups) == national:
            for text in _grouped(str(number.country_code), trunk, groups):
                texts.setdefault(text, False)
    for text, digest in texts.items():
        rule: Rule = "word" if text.startswith("tel:") else "digits"
        found += spell(text, value, rule=rule, digest=digest)
    return found


def _groups(text: str) -> list[str]:
    return re.findall(r"[0-9]+", text)


def _grouped(code: str, trunk: str, groups: list[str]) -> Iterator[str]:
    """Yield a telephone number as people write it: every usual beginning, sign and bracket.

    ``trunk`` is what a country dials before a national number (0 in most), ``''`` where nothing.
    """
    first, *rest = groups
    for sign in (" ", "-", ".", "/", "+", "\u00a0", ", "):
        tail = sign.join(rest)
        for begin in (f"+{code}{sign}{first}", f"00{code}{sign}{first}", f"{code}{sign}{first}",
                      trunk + first, f"011{sign}{code}{sign}{first}"):  # fmt: skip
            yield sign.join((begin, *rest))
            if begin == trunk + first and len(rest) > 1:
                yield f"{begin}{'/' if sign != '/' else ' '}{tail}"
    for sign in (" ", "-", "."):
        tail = sign.join(rest)
        for inner in dict.fromkeys((first, trunk + first)):
            for gap in ("", " "):
                yield f"({inner}){gap}{tail}"
                for begin in (f"+{code}", f"00{code}", code):
                    yield f"{begin}{gap}({inner}){gap}{tail}"
        if trunk:
            for begin in (f"+{code}", f"00{code}"):
                yield f"{begin} ({trunk}){first}{sign}{tail}"
                yield f"{begin} ({trunk}) {first}{sign}{tail}"
                yield f"{begin}({trunk}){first}{sign}{tail}"


_FAMILIES: Final[dict[NormalForms, Callable[[str], list[Spelling]]]] = {
    "text": _plain,
    "phrase": _phrase,
    "prose": _prose,
    "address": _address,
    "mac": _mac,
    "email": _email,
    "phone": _phone,
}
"""``normal_forms`` of kinds.csv -> the forms that a kind has beyond those of any text."""
