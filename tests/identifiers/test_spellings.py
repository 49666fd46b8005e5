"""Normal forms of values, kind by kind."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bundle.identity import Identifier
from audit.identifiers.kinds import is_low_entropy, kind_info, kinds
from audit.identifiers.spellings import digest_inputs, spellings
from audit.tables.vocabulary import FORMS, KINDS


def spelled(kind: str, value: str) -> dict[bytes, str]:
    return {item.data: item.form for item in spellings(Identifier(kind, value))}


def test_every_kind_of_the_vocabulary_has_its_terms():
    assert set(kinds()) == set(KINDS)
    for info in kinds().values():
        assert info.dpv.startswith("pd:")
        assert info.fideslang.startswith("user")
        assert info.meaning


def test_a_kind_of_a_policys_own_is_searched_for_too():
    assert kind_info("loyalty_card").meaning
    assert b"4711-0815" in spelled("loyalty_card", "4711-0815")


@pytest.mark.parametrize(
    ("kind", "value", "texts"),
    [
        ("email", "A.Person+list@gmail.com", ["A.Person@gmail.com", "APerson@gmail.com", "APerson+list@gmail.com"]),
        ("phone", "+4930123456789", ["4930123456789", "030 123456789", "030123456789", "+49 30 123456789", "00493012345678" + "9", "30123456789", "tel:+49-30-123456789"]),
        ("mac", "02:1b:4f:9a:3c:d7", ["02-1b-4f-9a-3c-d7", "021b.4f9a.3cd7", "021b4f9a3cd7", "2:1b:4f:9a:3c:d7", "1b:4fff:fe9a:3cd7"]),
        ("ad_id", "38400000-8cf0-11bd-b23e-10b96e4ef00d", ["384000008cf011bdb23e10b96e4ef00d"]),
        ("display_name", "Zoe Quill", ["Zoe-Quill", "Zoe_Quill", "ZoeQuill", "Zoe+Quill", "lliuQ eoZ"]),
        ("host_name", "desk-qv7t2k", ["deskqv7t2k", "k2t7vq-ksed"]),
    ],
)  # fmt: skip
def test_usual_spellings_are_there(kind, value, texts):
    assert {text.encode() for text in texts} <= set(spelled(kind, value))


def test_the_value_itself_is_plain_and_every_form_is_of_the_vocabulary():
    for kind in KINDS:
        found = spelled(kind, "Value 12-ab")
        assert found[b"Value 12-ab"] == "plain"
        assert set(found.values()) <= set(FORMS)


def test_letters_beyond_ascii_are_searched_in_each_usual_encoding_and_composition():
    found = spelled("display_name", "Zoë Ñandú")
    for text in ("Zoë Ñandú", "Zoe\u0308 N\u0303andu\u0301", "ZOË ÑANDÚ", "zoë ñandú"):
        assert text.encode() in found
    assert "Zoë Ñandú".encode("latin-1") in found
    assert (
        found["Ωmega".encode("utf-16-le")] == "utf16"
        if (found := spelled("display_name", "Ωmega"))
        else False
    )


def test_raw_bytes_of_hexadecimal_ids_and_uuids_are_searched():
    assert (
        spelled("account_id", "05" + "ab" * 32)[bytes.fromhex("05" + "ab" * 32)] == "packed-address"
    )
    value = uuid.UUID("38400000-8cf0-11bd-b23e-10b96e4ef00d")
    assert {value.bytes, value.bytes_le} <= set(spelled("ad_id", str(value)))


def test_digests_are_of_the_value_and_its_normal_forms():
    found = digest_inputs(Identifier("email", "A.Person+x@Mail.example"))
    for text in (
        "A.Person+x@Mail.example",
        "a.person+x@mail.example",
        "a.person@mail.example",
        "A.PERSON+X@MAIL.EXAMPLE",
    ):
        assert text.encode() in found
    found = digest_inputs(Identifier("mac", "02:1B:4F:9A:3C:D7"))
    for text in (
        b"021B4F9A3CD7",
        b"021b4f9a3cd7",
        b"02-1b-4f-9a-3c-d7",
        bytes.fromhex("021b4f9a3cd7"),
    ):
        assert text in found


@pytest.mark.parametrize(
    ("kind", "value", "low"),
    [
        ("locale", "pt-BR", True), ("time_zone", "America/Manaus", True), ("user_name", "marvin", True),
        ("user_name", "marvin-k7zz-9", False), ("device_model", "Nimbus Slate 9", False),
        ("device_model", "Pixel 8", True), ("user_name", "administrator", True), ("serial", "AB12", False),
        ("host_name", "debian", True), ("host_name", "mira-7", False), ("message", "ok", True),
    ],
)  # fmt: skip
def test_values_that_many_share_are_of_low_entropy(kind, value, low):
    assert is_low_entropy(kind, value) is low


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), st.text(min_size=1, max_size=40))
def test_any_text_can_be_a_value_of_any_kind(kind, value):
    found = spellings(Identifier(kind, value))
    assert value.encode("utf-8", "surrogatepass") in {item.data for item in found}
    assert all(item.data for item in found)
    assert digest_inputs(Identifier(kind, value))
