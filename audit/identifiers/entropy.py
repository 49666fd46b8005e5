"""How much a value can tell installs apart: an estimate in bits, and what it rests on.

The estimate is an upper bound that the look of one value allows, never a measurement: letters
and digits that look drawn at random count with the size of their alphabet, words with 1.5 bits a
letter (C. E. Shannon, "Prediction and Entropy of Printed English", 1951, finds 0.6 to 1.3). What
only tells a time, a version, a language or a place has none here.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

TELLING: Final = 20
"""Bits from which a value can tell one install from a million others."""
NAMELESS: Final = 32
"""Bits from which what stands for a name is taken for a value."""
MOSTLY: Final = 0.6
_WORD_BITS: Final = 1.5
_UUID: Final = re.compile(
    r"\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f])([0-9a-f]{3})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?"
)
_HEX: Final = re.compile(r"(?:0x)?[0-9a-f]{6,}|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){3,}")
_DIGITS: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DATE: Final = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9](?:[t _].*)?|[0-9]{4}[01][0-9][0-3][0-9]t[0-9:.]+z?"
    r"|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*[0-9]{2}:[0-9]{2}:[0-9]{2}.*"
)
_TELLING_OF_MANY: Final = {
    name: re.compile(shape)
    for name, shape in {
        "a version": r"v?[0-9]{1,6}(?:[._][0-9]{1,6}){1,4}(?:[-+][a-z0-9.]{1,12})?",
        "a time zone": r"(?:africa|america|antarctica|arctic|asia|atlantic|australia|europe|indian"
        r"|pacific|etc)/[\w/+-]+",
        "a language": r"[a-z]{2,3}(?:[-_][a-z]{4})?(?:[-_](?:[a-z]{2}|[0-9]{3}))?",
        "a device model": r"[a-z]{1,3}-[a-z]{0,2}[0-9]{2,4}[a-z0-9]{0,3}"
        r"|(?:iphone|ipad|ipod|imac|mac|watch|appletv)[a-z]*[0-9]{1,2},[0-9]{1,2}",
    }.items()
}
"""Values that many installs share, by their shape."""
_RUN: Final = re.compile(r"[^\W\d_]+|\d+|[\W_]+")
_CAMEL: Final = re.compile(r"[^\W\d_a-zß-ÿ]?[a-zß-ÿ]+|[^\W\d_a-zß-ÿ]+|.")
"""Letters of one case, the first of which may be a capital."""
_CLUSTER: Final = re.compile(r"[bcdfghjklmnpqrstvwxz]{5}|[aeiouy]{4}")
_VOWEL: Final = re.compile(r"[aeiouyäöüéèà]")
_FIRST_MOMENT: Final = 1_420_070_400
"""2015-01-01, seconds since 1970, UTC."""
_LAST_MOMENT: Final = 2_051_222_400
"""2035-01-01. A random number of ten digits lies between the two once in fourteen times."""


@dataclass(frozen=True, slots=True)
class Entropy:
    """The estimate for one value."""

    bits: int
    basis: str
    """What the value looks like, in words; what the bits rest on."""
    drawn: float = 1.0
    """Share of its letters and digits that look drawn at random, 0 to 1."""

    @property
    def is_telling(self) -> bool:
        """Whether the value can tell installs apart."""
        return self.bits >= TELLING

    @property
    def is_random(self) -> bool:
        """Whether it reads as no name that a person gave (of a field, a segment, a label)."""
        return self.bits >= NAMELESS and self.drawn >= MOSTLY


@lru_cache(maxsize=1 << 16)
def estimate(value: str) -> Entropy:
    """Estimate the entropy of a text or a number as it is written."""
    text = value.strip().lower()
    known = _known(text)
    if known is not None:
        return known
    if _HEX.fullmatch(text):
        digits = re.sub("[^0-9a-f]", "", text.removeprefix("0x"))
        return _drawn(digits, 16, f"{len(digits)} hexadecimal digits")
    return _runs(value.strip())


def _known(text: str) -> Entropy | None:
    """Judge what has a form of its own."""
    if _DIGITS.fullmatch(text):
        if is_moment(text):
            return Entropy(0, "a moment")
        digits = text.strip("-").replace(".", "")
        return _drawn(digits, 10, f"{len(digits)} decimal digits")
    if _DATE.fullmatch(text):
        return Entropy(0, "a moment")
    if _is_address(text):
        return Entropy(32, "a network address")
    for name, shape in _TELLING_OF_MANY.items():
        if shape.fullmatch(text):
            return Entropy(0, name)
    uuid = _UUID.fullmatch(text)
    if uuid and "-" in text:
        drawn = _drawn("".join(uuid.groups()), 16, f"a UUID of version {uuid[3]}")
        is_random = uuid[3] == "4" and uuid[5][0] in "89ab"
        return Entropy(min(122, drawn.bits), "a random UUID" if is_random else drawn.basis)
    return None


def is_moment(text: str) -> bool:
    """Whether a number reads as a moment of 2015 to 2034, in s, ms, µs or ns since 1970."""
    try:
        number = float(text)
    except ValueError:
        return False
    whole = text.strip("-").partition(".")[0]
    scale = {10: 1, 13: 1e3, 16: 1e6, 19: 1e9}.get(len(whole))
    return scale is not None and _FIRST_MOMENT <= number / scale < _LAST_MOMENT


def _is_address(text: str) -> bool:
    if len(text) > 45 or not (":" in text or text.count(".") == 3):
        return False
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def _drawn(text: str, alphabet: int, basis: str) -> Entropy:
    """Estimate what looks drawn from an alphabet; repetition tells of less."""
    return Entropy(int(_bits(text, alphabet)), basis)


def _bits(text: str, alphabet: int) -> float:
    """Return length times the bits a letter; less where far fewer letters differ than by chance."""
    full = len(text) * math.log2(alphabet)
    by_chance = alphabet * (1 - (1 - 1 / alphabet) ** len(text))
    return full if len(set(text)) >= 0.6 * by_chance else min(full, _shannon(text))


def _shannon(text: str) -> float:
    """Return length times the entropy of the letters, with the bias of small samples put right.

    The correction is that of Miller and Madow: (different letters - 1) / (2 x length) nats.
    """
    size = len(text)
    if not size:
        return 0.0
    counts = Counter(text).values()
    if len(counts) == 1:
        return math.log2(size)
    plain = -sum(count / size * math.log2(count / size) for count in counts)
    return size * plain + (len(counts) - 1) / 2 * math.log2(math.e)


def _runs(text: str) -> Entropy:
    """Estimate a text run by run: words, letters of one case, digits; signs tell nothing."""
    worded = drawn = 0.0
    letters: list[str] = []
    for run in _RUN.findall(text):
        for part in _CAMEL.findall(run) if run.isalpha() else [run]:
            if part.isalpha() and _is_word(part):
                worded += _WORD_BITS * len(part)
            elif part.isalnum():
                letters.append(part)
                drawn += len(part) * math.log2(10 if part.isdigit() else 26)
    rest = "".join(letters)
    bits = worded + min(drawn, _bits(rest, 62))
    basis = f"{len(text)} characters, {len(rest) or 'none'} of them as if drawn at random"
    whole = sum(map(str.isalnum, text))
    return Entropy(int(bits), basis, len(rest) / whole if whole else 0.0)


def _is_word(run: str) -> bool:
    """Whether letters of one case read as a word: vowels among the consonants."""
    low = run.lower()
    share = len(_VOWEL.findall(low)) / len(low)
    return len(run) >= 3 and 0.2 <= share <= 0.7 and not _CLUSTER.search(low)
