"""One way to write a value, and the rule that says where it counts."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from audit.tables.vocabulary import Form

Rule = Literal[
    "field", "word", "digits", "hex", "mac", "address4", "address6", "email", "raw", "free"
]
"""Where a spelling counts, see :mod:`audit.identifiers.boundaries`.

``field``: only as a whole decoded field; ``free``: anywhere, it is too long to be chance;
``raw``: anywhere but inside longer hexadecimal text; the others: not as part of a longer word,
number, ... of their sort.
"""

WHOLE_FIELD_BELOW: Final = 6
"""Bytes under which a spelling counts only as a whole decoded field (design §5)."""
FREE_BITS: Final = 64.0
"""Bits from which a free text counts wherever it stands."""
PHRASE_SEPARATORS: Final = (
    "",
    "-",
    "_",
    ".",
    "+",
    ",",
    ", ",
    " ",
    "  ",
    "\u00a0",
    '","',
    '", "',
    "\t",
    "\n",
    "\r\n",
    "/",
    ":",
    "|",
    ";",
)
"""What may stand between the words of a phrase instead of one space."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A value, written one way."""

    data: bytes
    """The bytes to find."""
    form: Form
    """``plain`` (also for another usual spelling, such as a national telephone number), ``case``,
    ``squeezed`` (separators left out or changed), ``reversed``, ``packed-address`` (the raw bytes
    behind an address, UUID or hexadecimal id) or ``integer-address``."""
    rule: Rule
    caseless: bool = True
    """Whether ASCII letters of any case match; never for raw bytes."""
    digest: bool = False
    """Whether digests of this spelling are searched for as well."""


def squeeze(text: str) -> str:
    """Return the letters and digits of a text."""
    return "".join(char for char in text if char.isalnum())


def form_of(text: str, value: str) -> Form:
    """Name the form of ``text`` as a spelling of ``value``."""
    if text == value:
        return "plain"
    if text.casefold() == value.casefold():
        return "case"
    if squeeze(text).casefold() == squeeze(value).casefold():
        return "squeezed"
    return "plain"


def text_rule(text: str, *, free: bool = False) -> Rule:
    """Choose the rule of a text by what it is made of."""
    if len(text.encode("utf-8", "surrogatepass")) < WHOLE_FIELD_BELOW:
        return "field"
    letters = squeeze(text)
    if letters.isascii() and letters.isdigit():
        return "digits"
    if letters == text and all(char in "0123456789abcdefABCDEF" for char in text):
        return "hex"
    if free and _bits(letters) >= FREE_BITS:
        return "free"
    return "word"


def _bits(letters: str) -> float:
    return sum(3.3 if char.isdigit() else 4.7 for char in letters)


def spell(
    text: str,
    value: str,
    *,
    rule: Rule | None = None,
    form: Form | None = None,
    digest: bool = False,
    free: bool = False,
) -> list[Spelling]:
    """Spell one text in UTF-8, and where it is not ASCII, in its other usual encodings."""
    chosen = rule or text_rule(text, free=free)
    if len(text) < WHOLE_FIELD_BELOW and len(text.encode("utf-8", "ignore")) < WHOLE_FIELD_BELOW:
        chosen = "field"
    name = form or form_of(text, value)
    utf8 = text.encode("utf-8", "surrogatepass")
    found = [Spelling(utf8, name, chosen, digest=digest)]
    if not text.isascii():
        for codec in ("latin-1", "cp1252"):
            try:
                found.append(Spelling(text.encode(codec), name, chosen))
            except UnicodeEncodeError:
                continue
        if any(ord(char) > 0xFF for char in text):
            found += [
                Spelling(text.encode(codec, "surrogatepass"), "utf16", "free", caseless=False)
                for codec in ("utf-16-le", "utf-16-be")
                if len(text) >= WHOLE_FIELD_BELOW / 2
            ]
    return found


def cases(text: str) -> list[str]:
    """Return a text and, where letters beyond ASCII make a difference, its other cases."""
    found = [text]
    if not text.isascii():
        found += [text.lower(), text.upper(), text.casefold(), text.title(), text.swapcase()]
        found += [
            unicodedata.normalize(form, item) for item in tuple(found) for form in ("NFC", "NFD")
        ]
    return list(dict.fromkeys(found))
