"""Who answers where."""

import ipaddress

import pytest

from audit.lab.addresses import (
    UNCONTACTED_NAME,
    AddressBook,
    Place,
    all_addresses,
    find_address,
)

DOCUMENTATION = [ipaddress.ip_network(net) for net in ("198.51.100.0/24", "203.0.113.0/24")]


def test_every_address_is_for_documentation_and_used_once() -> None:
    found = all_addresses()
    assert len(found) == len(set(found))
    assert all(any(ipaddress.ip_address(item) in net for net in DOCUMENTATION) for item in found)


def test_names_are_found_in_any_case_and_with_a_final_dot() -> None:
    assert find_address("Seed1.GetSession.org.") == "198.51.100.1"
    assert find_address("nobody.getsession.org") is None
    assert find_address(UNCONTACTED_NAME) == "198.51.100.32"


@pytest.mark.parametrize("host", ["seed1.getsession.org", "198.51.100.1"])
def test_in_a_namespace_places_are_dialled_as_announced(host: str) -> None:
    book = AddressBook(False, {})
    assert book.source("203.0.113.11") == "203.0.113.11"
    assert book.dial(host, 4443) == Place("198.51.100.1", 4443)
    assert book.dial("192.0.2.1", 80) is None
    assert book.to_map() == {}


def test_on_loopback_names_and_addresses_lead_to_the_noted_port() -> None:
    book = AddressBook(True, {})
    place = Place("198.51.100.20", 80)
    assert book.binding(place) == Place("127.0.0.1", 0)
    book.note(place, 4321)
    assert book.dial("filev2.getsession.org", 80) == Place("127.0.0.1", 4321)
    assert book.dial("filev2.getsession.org", 443) is None
    expected = {"198.51.100.20:80": "127.0.0.1:4321", "filev2.getsession.org:80": "127.0.0.1:4321"}
    assert book.to_map() == expected
