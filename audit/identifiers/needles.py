"""What is searched for: spellings of every value and their digests, as bytes."""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from audit.bundle.identity import Identifier
from audit.identifiers.gates import SHORT_RUN
from audit.identifiers.kinds import is_blank, is_low_entropy
from audit.identifiers.spelling import Rule
from audit.identifiers.spellings import digest_inputs, spellings
from audit.identifiers.triggers import triggers
from audit.tables.vocabulary import Form

ANCHOR: Final = 12
"""Bytes of a needle that the engine looks for; the rest is compared where they are found."""
DIGESTS: Final[Mapping[str, tuple[Form, tuple[str, ...]]]] = {
    "md5": ("md5", ()),
    "sha1": ("sha1", ()),
    "sha224": ("sha256", ("sha224",)),
    "sha256": ("sha256", ()),
    "sha384": ("sha512", ("sha384",)),
    "sha512": ("sha512", ()),
}
"""Name in hashlib -> form, and what the chain adds where the form names only the family."""


@dataclass(frozen=True, slots=True)
class Needle:
    """Bytes that stand for one value."""

    data: bytes
    value: int
    """Index of the identifier."""
    form: Form
    rule: Rule
    caseless: bool
    steps: tuple[str, ...] = ()
    """Decoders that the needle has behind it: encodings too short to be decoded when met."""
    telling: bool = True
    """False: of low entropy, so that only its place can give it meaning."""
    folded: bytes = b""
    """``data`` in lower case where letters of any case match."""
    spelled: tuple[bytes, ...] = ()
    """Bytes that are the form ``plain``; other cases of their letters are ``case``."""


def make_needles(identifiers: Sequence[Identifier]) -> tuple[Needle, ...]:
    """Return the needles of all identifiers, in a fixed order, without duplicates."""
    found: dict[tuple[int, bytes, bool], Needle] = {}
    for index, identifier in enumerate(identifiers):
        if is_blank(identifier.kind, identifier.value):
            continue
        for needle in _needles_of(index, identifier):
            found.setdefault((index, needle.folded, needle.caseless), needle)
    return tuple(found.values())


def _needles_of(index: int, identifier: Identifier) -> Iterator[Needle]:
    telling = not is_low_entropy(identifier.kind, identifier.value)
    for item in spellings(identifier):
        yield Needle(
            item.data,
            index,
            item.form,
            item.rule,
            item.caseless,
            telling=telling,
            folded=item.data.lower() if item.caseless else item.data,
            spelled=(item.data, identifier.value.encode("utf-8", "surrogatepass")),
        )
        if len(item.data) < 6:
            yield from _short_encodings(index, item.data, item.form, ())
    for data in digest_inputs(identifier):
        for name, (form, steps) in DIGESTS.items():
            digest = hashlib.new(name, data, usedforsecurity=False).digest()
            yield Needle(digest, index, form, "free", False, steps=steps, folded=digest)


def _short_encodings(
    index: int, data: bytes, form: Form, steps: tuple[str, ...]
) -> Iterator[Needle]:
    """Encode a short value until it is long enough for the run decoders to find it."""
    sources = (
        [data]
        if steps
        else list(dict.fromkeys((data, data.lower(), data.upper(), data.swapcase())))
    )
    for source in sources:
        base64_ = base64.b64encode(source)
        encoded = [
            ("base64", base64_),
            ("base64", base64_.rstrip(b"=")),
            ("base64url", base64.urlsafe_b64encode(source)),
            ("base64url", base64.urlsafe_b64encode(source).rstrip(b"=")),
            ("base32", base64.b32encode(source)),
            ("base32", base64.b32encode(source).rstrip(b"=")),
            ("hex", source.hex().encode()),
        ]
        for step, text in encoded:
            if len(text.rstrip(b"=")) < SHORT_RUN:
                caseless = step in ("hex", "base32")
                folded = text.lower() if caseless else text
                yield Needle(
                    text, index, form, "field", caseless, steps=(step, *steps), folded=folded
                )
                if len(steps) < 3:
                    yield from _short_encodings(index, text, form, (step, *steps))


@dataclass(frozen=True, slots=True)
class Anchors:
    """The distinct bytes to look for, and what each is."""

    texts: tuple[bytes, ...]
    """Lower-case first bytes of needles, and triggers; letters of any case match."""
    needles: tuple[tuple[Needle, ...], ...]
    """Needles that begin with the anchor of the same index."""
    triggers: tuple[frozenset[bytes], ...]
    """Texts of the same index that tell of a short encoded value, in their own case."""


def make_anchors(needles: Sequence[Needle]) -> Anchors:
    """Group needles by their first bytes, and add the triggers."""
    grouped: defaultdict[bytes, list[Needle]] = defaultdict(list)
    for needle in needles:
        grouped[needle.data[:ANCHOR].lower()].append(needle)
    found: defaultdict[bytes, set[bytes]] = defaultdict(set)
    for text in triggers({needle.data: needle.caseless for needle in needles}):
        found[text.lower()].add(text)
    texts = tuple(dict.fromkeys((*grouped, *found)))
    return Anchors(
        texts,
        tuple(tuple(grouped.get(text, ())) for text in texts),
        tuple(frozenset(found.get(text, ())) for text in texts),
    )
