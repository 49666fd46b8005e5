"""Forms: each can be undone by hand, and senseless pairs are not made."""

import base64
import hashlib
import html
import random
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.lab.planter.forms import Encoded, Subject, encode
from audit.tables.vocabulary import FORMS

EMAIL = Subject(kind="email", value="Ann.Lee@mail.example")
ADDRESS = Subject(kind="address", value="198.18.77.200")
VALUES = {
    "email": EMAIL.value,
    "address": ADDRESS.value,
    "mac": "02:ab:cd:ef:00:11",
    "phone": "+33199001234",
    "display_name": "Ann Özil 12",
    "message": "Meet me at 7~?\U0001f600",
}


def unpad(data: bytes, block: int) -> bytes:
    return data + b"=" * (-len(data) % block)


def undo(form: str, encoded: Encoded) -> bytes:
    """Return what an encoded value says, without the code that encoded it."""
    data = encoded.data
    match form:
        case "reversed":
            return data.decode()[::-1].encode()
        case "percent":
            for _ in range(int(encoded.note[0])):
                data = unquote_to_bytes(data)
            return data
        case "base64":
            return base64.b64decode(unpad(data, 4), validate=True)
        case "base64url":
            return base64.urlsafe_b64decode(unpad(data, 4))
        case "base32":
            return base64.b32decode(unpad(data, 8))
        case "hex":
            return bytes.fromhex(data.decode())
        case "utf16":
            return data.decode(encoded.note).removeprefix("\ufeff").encode()
        case "escaped":
            return (
                data.decode("unicode-escape")
                .encode("utf-16", "surrogatepass")
                .decode("utf-16")
                .encode()
            )
        case "html":
            return html.unescape(data.decode()).encode()
        case _:
            return data


@pytest.mark.parametrize(
    "form", [f for f in FORMS if f not in {"packed-address", "integer-address"}]
)
@pytest.mark.parametrize("kind", list(VALUES))
def test_every_form_can_be_undone(kind: str, form) -> None:
    subject = Subject(kind=kind, value=VALUES[kind])
    for seed in range(30):
        encoded = encode(form, subject, random.Random(seed))
        if encoded is None:
            continue
        said = undo(form, encoded)
        match form:
            case "case":
                assert said.decode() != subject.value
                assert said.decode().lower() == subject.value.lower()
            case "squeezed":
                assert said.decode() == "".join(filter(str.isalnum, subject.value))
            case "md5" | "sha1" | "sha256" | "sha512":
                inputs = (subject.value, subject.value.lower())
                digests = [hashlib.new(form, text.encode()).digest() for text in inputs]
                ways = {"raw": bytes, "base64": base64.b64encode}
                way = ways.get(encoded.note, lambda d: d.hex().encode())
                assert said.lower() in {way(digest).lower() for digest in digests}
            case _:
                assert subject.value.encode() in said


def test_addresses_are_packed_and_counted() -> None:
    rng = random.Random(1)
    packed = encode("packed-address", ADDRESS, rng)
    assert packed == Encoded(data=bytes([198, 18, 77, 200]), is_text=False, whole=True)
    number = encode("integer-address", ADDRESS, rng)
    assert number
    assert int(number.data) == 198 << 24 | 18 << 16 | 77 << 8 | 200


@pytest.mark.parametrize(
    ("form", "kind", "value"),
    [
        ("packed-address", "mac", "02:ab:cd:ef:00:11"),
        ("integer-address", "address", "2001:db8::1"),
        ("squeezed", "address", "198.18.77.200"),
        ("squeezed", "serial", "A1B2C3D4E5"),
        ("case", "phone", "+33199001234"),
        ("sha256", "locale", "fr_FR"),
        ("base64", "time_zone", "Europe/Paris"),
        ("md5", "user_name", "ann"),
    ],
)
def test_pairs_of_no_sense_are_not_made(form, kind: str, value: str) -> None:
    subject = Subject(kind=kind, value=value)
    assert all(encode(form, subject, random.Random(seed)) is None for seed in range(20))


def test_weak_values_are_whole_fields() -> None:
    encoded = encode("plain", Subject(kind="locale", value="fr_FR"), random.Random(1))
    assert encoded
    assert encoded.whole


def test_the_url_alphabet_of_base64_shows() -> None:
    for seed in range(30):
        encoded = encode("base64url", EMAIL, random.Random(seed))
        assert encoded
        assert set(encoded.data) & set(b"-_")


@given(st.sampled_from(FORMS), st.text(min_size=1, max_size=30), st.integers())
def test_any_value_is_encoded_or_refused(form, value: str, seed: int) -> None:
    if any(0xD800 <= ord(char) < 0xE000 for char in value):
        return
    encoded = encode(form, Subject(kind="serial", value=value), random.Random(seed))
    assert encoded is None or encoded.data
