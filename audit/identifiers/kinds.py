"""Kinds of identifiers: what each means, how it is spelled, and when a match means something."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal, cast

NormalForms = Literal["text", "phrase", "prose", "address", "mac", "phone", "email", "locale"]
"""``phrase``: words that other signs may join; ``prose``: the same, and so long that it counts
inside a longer text as well."""
LowEntropy = Literal["no", "common", "short", "always"]

COMMON_WORDS: Final = frozenset(
    [
        "admin",
        "administrator",
        "alpine",
        "android",
        "anonymous",
        "app",
        "arch",
        "centos",
        "client",
        "computer",
        "daemon",
        "debian",
        "default",
        "demo",
        "desktop",
        "device",
        "fedora",
        "guest",
        "home",
        "host",
        "ipad",
        "iphone",
        "kali",
        "laptop",
        "linux",
        "local",
        "localhost",
        "mac",
        "macos",
        "me",
        "mobile",
        "name",
        "nobody",
        "none",
        "null",
        "owner",
        "pc",
        "phone",
        "pi",
        "raspberry",
        "raspberrypi",
        "root",
        "server",
        "service",
        "session",
        "system",
        "test",
        "ubuntu",
        "unknown",
        "user",
        "username",
        "windows",
        "www-data",
    ]
)
"""Values that stand in traffic of everybody: found elsewhere than in a field that is named for the
kind, they say nothing."""
SHORT: Final = 8
"""Bytes under which a value of a ``short`` kind is of low entropy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindInfo:
    """One line of ``kinds.csv``."""

    kind: str
    """Name in the closed vocabulary, or of the policy's own."""
    dpv: str
    """Term of the Data Privacy Vocabulary's personal-data extension 2.3 (prefix ``pd:``)."""
    fideslang: str
    """Data category of fideslang 3."""
    normal_forms: NormalForms
    """Which normal forms a value has, see :mod:`audit.identifiers.spellings`."""
    low_entropy: LowEntropy
    """``always``: many people share the value; ``short``: only short or common values are so;
    ``common``: only common ones."""
    meaning: str
    """One phrase for reports."""


@cache
def kinds() -> Mapping[str, KindInfo]:
    """Return every kind of ``kinds.csv`` by name."""
    text = files("audit.identifiers").joinpath("kinds.csv").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            row["kind"]: KindInfo(
                kind=row["kind"],
                dpv=row["dpv"],
                fideslang=row["fideslang"],
                normal_forms=cast("NormalForms", row["normal_forms"]),
                low_entropy=cast("LowEntropy", row["low_entropy"]),
                meaning=row["meaning"],
            )
            for row in csv.DictReader(text.splitlines())
        }
    )


def kind_info(kind: str) -> KindInfo:
    """Return what is known of a kind; one that a policy adds is a plain, telling text."""
    known = kinds().get(kind)
    if known is not None:
        return known
    return KindInfo(
        kind=kind,
        dpv="dpv:PersonalData",
        fideslang="user",
        normal_forms="phrase",
        low_entropy="no",
        meaning="kind added by the policy",
    )


def is_low_entropy(kind: str, value: str) -> bool:
    """Whether a value counts only where its place gives it meaning."""
    rule = kind_info(kind).low_entropy
    if rule == "short" and len(value.strip().encode("utf-8", "surrogatepass")) < SHORT:
        return True
    return rule == "always" or is_common(kind, value)


def is_common(kind: str, value: str) -> bool:
    """Whether a name is a word that programs say of themselves, such as ``root`` or ``Linux``."""
    return (
        kind_info(kind).low_entropy in ("short", "common")
        and value.strip().casefold() in COMMON_WORDS
    )


def is_blank(kind: str, value: str) -> bool:
    """Whether a value is a constant that stands for none: an identifier of zeros alone.

    Android and iOS give an advertising identifier of zeros to those who opted out
    (``AdvertisingIdClient.Info``, ``ASIdentifierManager``); 00:00:00:00:00:00 and
    ff:ff:ff:ff:ff:ff are no device's (IEEE 802).
    """
    if kind not in ("ad_id", "android_id", "mac", "serial"):
        return False
    digits = {letter for letter in value.casefold() if letter.isalnum()}
    return digits in ({"0"}, {"f"}) or not digits
