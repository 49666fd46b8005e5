"""Clean messages: they look like the subject's, and hold no value of the subject."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import uuid
from collections.abc import Callable, Iterator

from .containers import CONTAINERS, wrap
from .forms import Form, forms
from .locations import LOCATIONS
from .message import Message
from .subject import Value, draw_subject

LONG = 64
"""Digits of a hexadecimal id from which whole bytes around it make it no other one."""
Made = tuple[str, str, bytes, bool]
"""What it is, kind that it looks like, bytes, whether text."""


def clean(values: list[Value], seed: int, count: int) -> Iterator[tuple[str, str, Message]]:
    """Yield (what it is, kind that it resembles, message), numbers left to the caller."""
    draw = random.Random(f"clean {seed}")
    own = {value.text for value in values}
    strangers = [item for item in draw_subject(seed + 1_000_003) if item.text not in own]
    sorts: tuple[Callable[[list[Value], list[Value], random.Random], Made], ...] = (
        _one_off, _one_off, _longer, _longer, _shorter, _stranger, _stranger, _random_bytes,
        _other_digest, _version, _clock, _parts, _joined_numbers, _in_digest, _prose,
    )  # fmt: skip
    known = {value.text.lower() for value in values}
    made = 0
    while made < count:
        what, kind, data, is_text = draw.choice(sorts)(values, strangers, draw)
        if any(text in data.decode("latin-1").lower() for text in known if len(text) > 8) and (
            what not in ("inside a longer text", "digits in a longer number")
        ):
            continue
        names = tuple(draw.choices(list(CONTAINERS), k=draw.choice((1, 1, 2))))
        if draw.random() < 0.4:
            names = ("none",)
        if what.startswith("digits in") and "length before" in names:
            continue  # a letter of the length would make whole bytes of them
        wrapped = wrap(data, is_text=is_text, whole=False, names=names, draw=draw)
        location = LOCATIONS[draw.choice([name for name in LOCATIONS if name != "onion layer"])]
        message = Message(0, file=draw.choice(location.files))
        if location.place(message, wrapped, draw) is None:
            continue
        made += 1
        yield what, kind, message


def _telling(values: list[Value], draw: random.Random) -> Value:
    return draw.choice([value for value in values if not value.low])


def _change(text: str, draw: random.Random) -> str:
    """Change one letter or digit for another."""
    at = draw.choice([at for at, char in enumerate(text) if char.isascii() and char.isalnum()])
    char = text[at]
    if char.isdigit():
        pool = "0123456789"
    elif all(letter in "0123456789abcdef-:" for letter in text.lower()):
        pool = "abcdef"
    else:
        pool = "bcdfghjkmnpqrstvwxz"
    other = draw.choice([letter for letter in pool if letter != char.lower()])
    return text[:at] + (other.upper() if char.isupper() else other) + text[at + 1 :]


def _written(value: Value, text: str, draw: random.Random) -> Form:
    """Write another text in one of the forms of a value."""
    changed = Value(value.kind, text)
    try:
        found = forms(changed)
    except ValueError:
        return Form("plain", "plain", text.encode())
    return draw.choice(found)


def _one_off(values: list[Value], _: list[Value], draw: random.Random) -> Made:
    value = _telling(values, draw)
    if value.kind in ("message", "attachment", "recovery_phrase", "user_agent", "device_model"):
        return _longer(values, _, draw)
    form = _written(value, _change(value.text, draw), draw)
    return f"one letter off, {form.name}", value.kind, form.data, form.is_text


_NUMERIC = ("address", "mac", "phone", "android_id", "account_id", "contact_id", "ad_id", "serial")


def _longer(values: list[Value], _: list[Value], draw: random.Random) -> Made:
    value = draw.choice([item for item in values if item.kind in _NUMERIC])
    digits = "0123456789" if value.kind in ("address", "phone") else "0123456789abcdef"
    before = "".join(draw.choice(digits) for _ in range(draw.choice((0, 1, 2))))
    after = "".join(draw.choice(digits) for _ in range(draw.choice((1, 2, 3))))
    if len(value.text) >= LONG:
        before, after = before[:1], after[:1]
    text = value.text.lstrip("+") if value.kind == "phone" else value.text
    if value.kind == "phone":
        before = before or draw.choice(digits)
    data = f"{before}{text}{after}".encode()
    return "digits in a longer number", value.kind, data, True


def _shorter(values: list[Value], _: list[Value], draw: random.Random) -> Made:
    value = _telling(values, draw)
    if value.kind in ("display_name", "device_model", "email"):
        return _stranger(values, draw_subject(draw.randint(10**7, 10**8)), draw)
    size = max(3, len(value.text) * 2 // 3)
    return "the first part alone", value.kind, value.text[:size].rstrip().encode(), True


def _stranger(_: list[Value], strangers: list[Value], draw: random.Random) -> Made:
    value = _telling(strangers, draw)
    form = draw.choice(forms(value))
    return f"another person's, {form.name}", value.kind, form.data, form.is_text


def _random_bytes(_: list[Value], __: list[Value], draw: random.Random) -> Made:
    data = draw.randbytes(draw.choice((4, 16, 32, 64, 400, 3000)))
    kind = draw.choice(("raw", "hex", "base64"))
    if kind == "raw":
        return "random bytes", "", data, False
    text = data.hex().encode() if kind == "hex" else base64.b64encode(data)
    return f"random bytes in {kind}", "", text, True


def _other_digest(values: list[Value], strangers: list[Value], draw: random.Random) -> Made:
    name = draw.choice(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))
    value = _telling(values, draw)
    source = draw.choice((
        _telling(strangers, draw).text,
        value.text + draw.choice(("salt", ":", "0", "\n")),
        f"{draw.randint(1, 10**9)}:{value.text}",
        _change(value.text, draw),
    ))  # fmt: skip
    digest = hashlib.new(name, source.encode()).digest()
    data = draw.choice((digest.hex().encode(), base64.b64encode(digest)))
    return f"{name} of something else", value.kind, data, True


def _version(values: list[Value], _: list[Value], draw: random.Random) -> Made:
    """The subject's own address, as the version of a product, and one digit off."""
    address = next(value.text for value in values if value.kind == "address")
    octets = [draw.randint(1, 255) for _ in range(4)]
    text = draw.choice((
        f"Mozilla/5.0 (X11) Chrome/{'.'.join(map(str, octets))} Safari/537.36",
        f"Mozilla/5.0 Chrome/{address} Safari/537.36",
        f"{draw.randint(1, 9)}.{address}",
        f"{address}.{draw.randint(1, 9)}",
        f"v{octets[0]}.{octets[1]}.{octets[2]}.{octets[3]}-rc1",
    ))  # fmt: skip
    return "a version that looks like an address", "address", text.encode(), True


def _clock(_: list[Value], __: list[Value], draw: random.Random) -> Made:
    text = draw.choice((
        f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}",
        f"2026-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}T05:00:00.{draw.randint(0, 999999):06}Z",
        f"{draw.randint(0, 9)}::{draw.randint(1, 99)}",
        f"{draw.randint(10**9, 2 * 10**9)}",
        f"{draw.randint(10**12, 2 * 10**12)}",
        "logo@2x.png",
        "Class::method(a::b)",
    ))  # fmt: skip
    return "a time that looks like an address", "address", text.encode(), True


def _parts(values: list[Value], _: list[Value], draw: random.Random) -> Made:
    """Parts of values, each in a field of its own."""
    value = _telling(values, draw)
    half = len(value.text) // 2
    item = {"a": value.text[:half], "b": draw.randint(0, 9), "c": value.text[half:]}
    return "halves in two fields", value.kind, json.dumps(item).encode(), True


def _joined_numbers(_: list[Value], __: list[Value], draw: random.Random) -> Made:
    numbers = [draw.randint(0, 255) for _ in range(draw.choice((4, 8, 16)))]
    text = draw.choice((json.dumps(numbers), ", ".join(f"0x{n:02x}" for n in numbers)))
    return "numbers in a row", "address", text.encode(), True


def _in_digest(values: list[Value], _: list[Value], draw: random.Random) -> Made:
    """A short hexadecimal id in the middle of a longer one."""
    value = next(item for item in values if item.kind == "android_id")
    text = f"{draw.getrandbits(60):x}7{value.text}9{draw.getrandbits(40):x}"
    return "inside a longer text", "android_id", text.encode(), True


_WORDS = (
    "the quick brown fox jumps over the lazy dog while nobody minds how late it is and rain falls"
    " on tin roofs for days request failed with status retry later please accept our terms"
)
_TALK = tuple(_WORDS.split())


def _prose(_: list[Value], __: list[Value], draw: random.Random) -> Made:
    text = " ".join(draw.choices(_TALK, k=draw.randint(5, 80)))
    return "prose", "", f"{text} {uuid.UUID(int=draw.getrandbits(128), version=4)}".encode(), True
