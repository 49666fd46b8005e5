"""Kinds of identifiers carry terms of the published vocabularies."""

from audit.identifiers.kinds import kind_info, kinds
from audit.tables.vocabulary import KINDS

DPV_PD = {
    "IPAddress", "MACAddress", "DeviceBased", "UID", "EmailAddress", "TelephoneNumber",
    "AccountIdentifier", "Contact", "Name", "Communication", "SecretText", "Language", "Location",
    "Username", "UserAgent",
}  # fmt: skip
"""Terms of the personal-data extension of the Data Privacy Vocabulary, 2.3 (w3id.org/dpv/pd)."""
FIDESLANG = {
    "user.device.ip_address", "user.device.device_id", "user.device", "user.contact.email",
    "user.contact.phone_number", "user.unique_id.pseudonymous", "user.social", "user.name",
    "user.content.private", "user.authorization.credentials", "user.demographic.language",
    "user.location.imprecise", "user.account.username",
}  # fmt: skip
"""Data categories of fideslang 3.0.0 (default taxonomy), none of them deprecated."""


def test_every_kind_has_its_line() -> None:
    assert set(kinds()) == set(KINDS)


def test_every_kind_carries_terms_that_both_vocabularies_publish() -> None:
    assert {info.dpv for info in kinds().values()} == {f"pd:{term}" for term in DPV_PD}
    assert {info.fideslang for info in kinds().values()} == FIDESLANG


def test_an_address_is_called_as_privacy_officers_call_it() -> None:
    address = kind_info("address")
    assert (address.dpv, address.fideslang) == ("pd:IPAddress", "user.device.ip_address")


def test_a_kind_that_a_policy_adds_has_the_widest_terms() -> None:
    added = kind_info("membership_number")
    assert (added.dpv, added.fideslang) == ("dpv:PersonalData", "user")
