"""Whom the messages tell of: one value of every kind, drawn anew from each seed."""

from __future__ import annotations

import ipaddress
import random
import string
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Value:
    """One value of the subject."""

    kind: str
    text: str
    low: bool = False
    """Whether many people share it, so that only the value of a field tells of the subject."""
    numbers: tuple[str, ...] = ()
    """Of a telephone number: other ways to write it, as its country's own plan has them."""
    digits: tuple[str, ...] = field(default=(), compare=False)
    """Of a telephone number: the ways that services hash."""


_SYLLABLES = (
    "bar bel cor dan dor el fen gar hal ish jor kel lum mar nor ost pel quin rav sil tam ul ver"
    " wex yor zan"
)
SYLLABLES = tuple(_SYLLABLES.split())
_WORDS = (
    "anchor basil cobalt dune ember fable gravel hollow island juniper kettle lantern meadow nickel"
    " orchard pebble quarry ribbon saddle timber umbrella velvet walnut yonder zephyr acorn bramble"
    " cinder dapple elbow falcon ginger harbor indigo jasper kernel lilac marble nutmeg onyx"
)
WORDS = tuple(_WORDS.split())
LOCALES = ("pt-BR", "de-AT", "fr-CA", "sv-FI", "es-UY", "it-CH", "nl-BE", "en-NZ")
ZONES = (
    "America/Manaus", "Europe/Vilnius", "Asia/Yerevan", "Africa/Maputo", "Pacific/Noumea",
    "Australia/Hobart", "America/Iqaluit", "Asia/Thimphu",
)  # fmt: skip
ACCENTED = ("Zoë", "Núria", "Jürgen", "Šárka", "Åsa", "Łucja", "François", "Мария", "Ελένη", "美咲")
MAKERS = ("Nimbus", "Quanta", "Orbis", "Veltron", "Halcyon")
SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def draw_subject(seed: int) -> list[Value]:
    """Return the subject of a seed: every kind of the vocabulary, addresses of both versions.

    No value holds another, and none is of the words that the messages' frames are made of.
    """
    draw = random.Random(f"subject {seed}")
    syllables = draw.sample(SYLLABLES, 15)
    name, family = "".join(syllables[:2]), "".join(syllables[2:5])
    domain, user = "".join(syllables[5:8]), "".join(syllables[8:10])
    free = "".join(syllables[10:13]) + "." + "".join(syllables[13:])
    words = draw.sample(WORDS, 34)
    accented = draw.choice(ACCENTED)
    shown = f"{accented} {family.title()} {_hex(draw, 4)}"
    mail = f"{name.title()}.{family.title()}+{_hex(draw, 6)}@{domain}.example"
    return [
        Value("address", _address4(draw)),
        Value("address", _address6(draw)),
        Value("mac", f"{draw.choice('02468ace')}{draw.choice('26ae')}:" + _pairs(draw, 5)),
        Value("host_name", f"{draw.choice(('desk', 'lap', 'pc'))}-{_letters(draw, 6)}"),
        Value("device_model", f"{draw.choice(MAKERS)} Slate {draw.randint(3, 99)} Pro"),
        Value("serial", "C0" + "".join(draw.choice(SERIAL) for _ in range(10))),
        Value("ad_id", str(uuid.UUID(int=draw.getrandbits(128), version=4))),
        Value("android_id", _hex(draw, 16)),
        Value("email", mail),
        Value("email", f"{free}{_hex(draw, 4)}@gmail.com"),
        _phone(draw),
        Value("account_id", "05" + _hex(draw, 64)),
        Value("contact_id", "05" + _hex(draw, 64)),
        Value("display_name", shown),
        Value("message", " ".join(words[:6]) + f" {draw.randint(1000, 9999)}?"),
        Value("attachment", " ".join(words[6:11]) + "\n" + " ".join(words[11:15]) + "\n"),
        Value("attachment_name", f"{words[15]} {words[16]} {_hex(draw, 4)}.txt"),
        Value("recovery_phrase", " ".join(words[17:30])),
        Value("locale", draw.choice(LOCALES), low=True),
        Value("time_zone", draw.choice(ZONES), low=True),
        Value("user_name", user, low=True) if seed % 2 else
        Value("user_name", f"{user}_{draw.randint(100, 999)}"),
        Value("user_agent", f"{words[30].title()}walker/{draw.randint(2, 9)}.{draw.randint(10, 99)}"
              f" ({draw.choice(MAKERS)}; build {_hex(draw, 6)})"),
    ]  # fmt: skip


def _hex(draw: random.Random, size: int) -> str:
    return "".join(draw.choice("0123456789abcdef") for _ in range(size))


def _letters(draw: random.Random, size: int) -> str:
    return draw.choice(string.ascii_lowercase) + "".join(
        draw.choice(string.ascii_lowercase + string.digits) for _ in range(size - 1)
    )


def _pairs(draw: random.Random, count: int) -> str:
    return ":".join(_hex(draw, 2) for _ in range(count))


def _address4(draw: random.Random) -> str:
    """An address of 198.18.0.0/15, kept for measuring (RFC 2544)."""
    low = draw.randint(0x100, 0x1FFFF)
    return str(ipaddress.IPv4Address((198 << 24 | 18 << 16) + low))


def _address6(draw: random.Random) -> str:
    """An address of 2001:db8::/32, kept for documentation (RFC 3849), with zeros inside."""
    words = [0x2001, 0xDB8, draw.randint(0, 0xFFFF), draw.choice((0, draw.randint(1, 0xFFFF)))]
    words += [draw.choice((0, draw.randint(1, 0xFFFF))) for _ in range(2)]
    words += [draw.randint(1, 0xFFFF) for _ in range(2)]
    return str(ipaddress.IPv6Address(":".join(f"{word:x}" for word in words)))


_PLANS = {
    # country: (code, trunk prefix, digits, international, national)
    "US": ("1", "", "2125550###", "{c} {0}-{1}-{2}", "({0}) {1}-{2}", (3, 3, 4)),
    "GB": ("44", "0", "7911######", "{c} {0} {1}", "0{0} {1}", (4, 6)),
    "FR": ("33", "0", "61#######", "{c} {0} {1} {2} {3} {4}", "0{0} {1} {2} {3} {4}",
           (1, 2, 2, 2, 2)),
    "DE": ("49", "0", "30########", "{c} {0} {1}", "0{0} {1}", (2, 8)),
    "BR": ("55", "", "119########", "{c} {0} {1}-{2}", "({0}) {1}-{2}", (2, 5, 4)),
    "IN": ("91", "0", "98########", "{c} {0} {1}", "0{0} {1}", (5, 5)),
    "AU": ("61", "0", "41#######", "{c} {0} {1} {2}", "0{0} {1} {2}", (3, 3, 3)),
    "JP": ("81", "0", "90########", "{c} {0}-{1}-{2}", "0{0}-{1}-{2}", (2, 4, 4)),
}  # fmt: skip
"""Numbering plans: how their countries group mobile or city numbers."""


def _phone(draw: random.Random) -> Value:
    country = draw.choice(sorted(_PLANS))
    code, trunk, mask, international, national, sizes = _PLANS[country]
    digits = "".join(draw.choice("0123456789") if char == "#" else char for char in mask)
    digits = digits[: sum(sizes)]
    groups = [digits[sum(sizes[:at]) : sum(sizes[: at + 1])] for at in range(len(sizes))]
    written = [
        international.format(*groups, c="+" + code),
        national.format(*groups),
        f"+{code}{digits}",
        f"00{code}{digits}",
        f"{code}{digits}",
        f"{trunk}{digits}",
        f"+{code}-" + "-".join(groups),
        f"+{code}." + ".".join(groups),
        trunk + " ".join(groups),
        trunk + "-".join(groups),
        trunk + ".".join(groups),
        f"tel:+{code}{digits}",
        f"+{code} ({trunk}){groups[0]} " + " ".join(groups[1:]) if trunk else
        f"+{code} ({groups[0]}) " + "-".join(groups[1:]),
        f"({trunk}{groups[0]}) " + " ".join(groups[1:]),
        f"00{code} " + " ".join(groups),
    ]  # fmt: skip
    hashed = (f"+{code}{digits}", f"{code}{digits}", trunk + digits, f"00{code}{digits}")
    return Value("phone", f"+{code}{digits}", numbers=tuple(dict.fromkeys(written)), digits=hashed)
