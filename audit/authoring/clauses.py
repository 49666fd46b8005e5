"""Which sentences look like clauses, and an id for each: suggestions that an author corrects."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from audit.authoring.sentences import Sentence

_SIGNS: Final = re.compile(
    r"\b(collect|stor(e|es|ed|ing|age)|shar(e|es|ed|ing)|sell|sold|track|log(s|ged)?\b|record|"
    r"retain|retention|keep|kept|delet|eras|remov|encrypt|anonym|identif|profil|analytic|"
    r"advert|cookie|third[- ]part|disclos|transfer|process(es|ed|ing|ors?)?\b|access|"
    r"telemetry|crash|location|contact|address|device|personal|information|data|"
    r"transmit|send|sent|see|know|read|privat|privacy|\bip\b|servic|"
    r"speicher|erheb|lösch|weiter(ge|gabe)|verschlüssel|daten|donn[ée]es|collecte|datos)",
    re.IGNORECASE,
)
"""Words of sentences that say something of data."""
_PROMISES: Final = re.compile(
    r"\b(never|not|no|n't|cannot|can't|don't|doesn't|won't|without|only|delet|eras|encrypt|"
    r"will be (deleted|removed|erased)|at most|within|nicht|kein|nie|nur|jamais|nunca)\b|n[’']t\b",
    re.IGNORECASE,
)
_DISCLOSES: Final = re.compile(
    r"\b(may|might|could|can|we (use|collect|share|store|process|receive|log))\b", re.IGNORECASE
)
_PLACES: Final = re.compile(r"\S+@\S+|\b(?:https?://|www\.)\S+", re.IGNORECASE)
"""Addresses of mail and pages: their words say nothing."""
_STOPWORDS_TEXT: Final = (
    "a an and any are as at be been being but by can could did do does for from had has have "
    "how i if in into is it its it's may might more most of on or other our out own shall "
    "should so some such than that the their them then there these they this those to up us "
    "was we were what when where which who whom why will with would you your you're we're "
    "don't doesn't also about after before please all "
)
_STOPWORDS: Final = frozenset(_STOPWORDS_TEXT.split())
_WORD: Final = re.compile(r"[^\W_]+(?:[’'][^\W_]+)?")
_WORDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A sentence, and the clause that it may be."""

    sentence: Sentence
    id: str
    kind: Literal["promise", "disclosure"]
    is_clause: bool
    """Whether it seems to promise or disclose something."""


def suggest(sentences: Sequence[Sentence]) -> list[Suggestion]:
    """Return a suggestion a sentence; ids are unique."""
    taken: dict[str, int] = {}
    found = []
    for sentence in sentences:
        identity = _unique(_id(sentence), taken)
        words = _PLACES.sub(" ", sentence.text)
        promises = _PROMISES.search(words) is not None
        discloses = _DISCLOSES.search(words) is not None
        found.append(
            Suggestion(
                sentence=sentence,
                id=identity,
                kind="promise" if promises or not discloses else "disclosure",
                is_clause=_SIGNS.search(words) is not None and len(words) >= 15,
            )
        )
    return found


def _id(sentence: Sentence) -> str:
    section = slug(sentence.section, 2) or "text"
    return f"{section}.{slug(sentence.text, _WORDS) or f's{sentence.number}'}"


def _unique(identity: str, taken: dict[str, int]) -> str:
    """Return the id, numbered where it is taken; ``taken`` counts how often each was asked for."""
    taken[identity] = taken.get(identity, 0) + 1
    if taken[identity] == 1:
        return identity
    return _unique(f"{identity}-{taken[identity]}", taken)


def slug(text: str, words: int) -> str:
    """Return the first words of a text that mean something, as an id: ``no-data-sold``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    known = [word.replace("'", "") for word in _WORD.findall(plain.replace("’", "'"))]
    meaning = [word for word in known if word not in _STOPWORDS and len(word) > 1]
    return "-".join((meaning or known)[:words])[:48].strip("-")
