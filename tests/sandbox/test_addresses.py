import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sandbox import addresses as module
from audit.sandbox.addresses import Addresses, draw_addresses, draw_mac, machine_networks

NETWORKS = st.builds(
    lambda base, prefix: ipaddress.IPv4Network(
        (0xC6120000 | base << (32 - prefix) & 0x1FFFF, prefix), strict=False
    ),
    st.integers(0, 2**9 - 1),
    st.integers(16, 24),
)


@given(
    taken=st.lists(NETWORKS, max_size=3).filter(
        lambda found: len({net.supernet(new_prefix=16) for net in found}) < 2
    )
)
def test_drawn_networks_meet_none_that_is_taken(taken):
    drawn = draw_addresses(tuple(taken))
    for address in (drawn.client_v4, drawn.gateway_v4, drawn.uplink_v4, drawn.internet_v4):
        assert not any(ipaddress.IPv4Address(address) in network for network in taken)
        assert ipaddress.IPv4Address(address) in ipaddress.IPv4Network("198.18.0.0/15")


def test_each_end_of_a_link_is_in_its_network_and_no_two_are_the_same():
    drawn = draw_addresses()
    for near, far, prefix in (
        (drawn.client_v4, drawn.gateway_v4, 24), (drawn.uplink_v4, drawn.internet_v4, 24),
        (drawn.client_v6, drawn.gateway_v6, 64), (drawn.uplink_v6, drawn.internet_v6, 64),
    ):  # fmt: skip
        assert ipaddress.ip_address(far) in ipaddress.ip_network(f"{near}/{prefix}", strict=False)
    assert len(set(drawn.to_message().values())) == len(drawn.to_message())


def test_two_recordings_do_not_share_addresses():
    assert len({draw_addresses().client_v6 for _ in range(20)}) == 20


def test_a_mac_is_unicast_and_locally_administered():
    firsts = {int(draw_mac().split(":")[0], 16) & 0b11 for _ in range(100)}
    assert firsts == {0b10}


def test_addresses_survive_the_way():
    drawn = draw_addresses()
    assert Addresses.from_message(drawn.to_message()) == drawn


def test_the_machine_has_no_default_route_among_its_networks():
    assert all(network.prefixlen > 0 for network in machine_networks())


@pytest.mark.parametrize(
    ("text", "address"), [("0100007F", "127.0.0.1"), ("000212C6", "198.18.2.0")]
)
def test_addresses_of_the_routing_table_are_read(text, address):
    assert str(module._address(text)) == address
