"""Spellings of telephone numbers: what libphonenumber knows of them, and how people write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from audit.identifiers.spelling import Rule, Spelling, spell, squeeze

_SIGNS: Final = (" ", "-", ".", "/", "+", ", ", "\u00a0", "\u202f", "\u2011", "\u2013")
"""What stands between groups of digits; also spaces and hyphens that do not break a line."""
_WIDE: Final = str.maketrans(
    "+0123456789", "\uff0b\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"
)
"""Signs of full width, as East Asian keyboards give."""


def spell_phone(value: str) -> list[Spelling]:
    """Spell a telephone number in every usual way; its digits alone where it is of no country."""
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
        ("+" + plain).translate(_WIDE): False,
        squeeze(phones.format_number(number, formats.NATIONAL)).translate(_WIDE): False,
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
        plain_digits = text.isascii() and not text.startswith("tel:")
        rule: Rule = "digits" if plain_digits or text[:1] in "+0123456789(" else "word"
        found += spell(text, value, rule=rule, digest=digest)
    return found


def _groups(text: str) -> list[str]:
    return re.findall(r"[0-9]+", text)


def _grouped(code: str, trunk: str, groups: list[str]) -> Iterator[str]:
    """Yield a telephone number as people write it: every usual beginning, sign and bracket.

    ``trunk`` is what a country dials before a national number (0 in most), ``''`` where nothing.
    """
    first, *rest = groups
    for sign in _SIGNS:
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
