import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.readers.endpoint import (
    conversation_text,
    endpoint_text,
    moment,
    moment_of,
    plain_address,
    split_endpoint,
)
from audit.tables.frames import make_frame


def test_a_mapped_address_is_the_ipv4_one():
    assert plain_address("::ffff:192.0.2.1") == "192.0.2.1"
    assert plain_address("2001:DB8:0::1") == "2001:db8::1"
    assert plain_address("fe80::1%eth0") == "fe80::1"
    assert plain_address("api.example") == "api.example"


def test_conversations_are_written_originator_first_ipv6_in_brackets():
    assert (
        conversation_text("udp", ("2001:db8::1", 53), ("192.0.2.1", 4))
        == "udp [2001:db8::1]:53 > 192.0.2.1:4"
    )


@given(st.ip_addresses(), st.integers(0, 65535))
def test_endpoints_read_back(address, port):
    host = plain_address(str(address).partition("%")[0])
    assert split_endpoint(endpoint_text(host, port)) == (host, port)


@pytest.mark.parametrize("text", ["", "x", ":80", "a:b", "a:999999", "a:-1"])
def test_what_is_no_endpoint_is_none(text):
    assert split_endpoint(text) is None


@given(st.floats() | st.integers() | st.none() | st.text())
def test_any_moment_is_none_or_fits_a_frame(value):
    make_frame("events", [{"ts": moment(value)}])


@given(st.datetimes().map(str) | st.text(max_size=30))
def test_any_written_moment_is_none_or_fits_a_frame(value):
    make_frame("events", [{"ts": moment_of(value)}])


def test_other_zones_become_utc():
    assert moment_of("2026-01-01T02:00:00+02:00") == "2026-01-01T00:00:00.000000Z"
    assert moment_of("2026-01-01T00:00:00") == "2026-01-01T00:00:00.000000Z"
