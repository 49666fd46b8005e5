"""Entropy: random values count in full, words and what many installs share hardly."""

import base64
import random
import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.identifiers.entropy import TELLING, estimate, is_moment

SHARED = (
    "1.2.3", "115.0.5790.110", "v12.4.1100-beta", "de-AT", "zh_Hant_TW", "Europe/Berlin",
    "America/Argentina/Buenos_Aires", "true", "null", "GET", "gzip", "1700000123", "1700000123456",
    "1700000123.25", "2023-11-14T22:13:20Z", "Tue, 14 Nov 2023 22:13:20 GMT", "20231114T221320Z",
    "Pixel 7 Pro", "SM-G991B", "iPhone15,2", "MacBookPro18,3", "0" * 32, "123456", "android",
    "", "-", "0.0.0.0", "application", "en",
)  # fmt: skip


@pytest.mark.parametrize("value", SHARED)
def test_what_many_installs_share_tells_none(value):
    assert not estimate(value).is_telling


DRAWS = {
    "hex": lambda draw: draw.randbytes(8).hex(),
    "uuid": lambda draw: str(uuid.UUID(bytes=draw.randbytes(16), version=4)),
    "base64": lambda draw: base64.b64encode(draw.randbytes(12)).decode(),
    "base32": lambda draw: base64.b32encode(draw.randbytes(10)).decode(),
    "letters": lambda draw: "".join(draw.choices(string.ascii_lowercase, k=16)),
    "digits": lambda draw: str(draw.randrange(10**17, 10**18)),
    "prefixed": lambda draw: "android-" + draw.randbytes(8).hex(),
}


@pytest.mark.parametrize("name", sorted(DRAWS))
def test_what_is_drawn_at_random_is_told_nearly_always(name):
    draw = random.Random(name)
    values = [DRAWS[name](draw) for _ in range(400)]
    assert sum(estimate(value).is_telling for value in values) >= 399


def test_the_estimate_is_that_of_the_shape():
    assert estimate("5f3c9a1e-7b44-4e0a-9c3d-1a2b3c4d5e6f").bits == 122
    assert estimate("5f3c9a1e-7b44-4e0a-9c3d-1a2b3c4d5e6f").basis == "a random UUID"
    assert (estimate("8f14e45fceea167a").bits, estimate("8f14e45fceea167a").basis) == (
        64,
        "16 hexadecimal digits",
    )
    assert estimate("48213377").bits == 26
    assert estimate("198.51.100.7").basis == "a network address"


def test_names_are_told_from_values():
    for name in ("pubkey_ed25519", "storage_rpc", "deviceIdentifier", "v2", "metrics", "X-Id"):
        assert not estimate(name).is_random
    for value in ("8f14e45fceea167a", "kJ8sLq2Pz9XwTb", "5f3c9a1e-7b44-4e0a-9c3d-1a2b3c4d5e6f"):
        assert estimate(value).is_random


def test_moments_of_our_time_alone_are_moments():
    assert is_moment("1700000123")
    assert is_moment("1700000123456789")
    assert not is_moment("9700000123")
    assert not is_moment("170000012")
    assert not is_moment("x")


@given(st.text(max_size=60))
def test_any_text_has_an_estimate(text):
    found = estimate(text)
    assert 0 <= found.bits <= 8 * len(text.encode("utf-8", "surrogatepass"))
    assert found.is_telling == (found.bits >= TELLING)
    assert 0 <= found.drawn <= 1
    assert found.basis
