"""Whether a tunnel was up while something was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle.manifest import Network
from audit.evidence.tunnel import mark_inside, mark_tunnel, up_times
from tests.evidence.bundles import line, manifest

BEFORE, DURING, AFTER = (f"2023-11-14T22:13:{20 + second:09.6f}Z" for second in (1, 5, 9))
JOURNAL = [line("vpn.up", "recorder", 3), line("vpn.drop", "recorder", 7)]


def up(journal, **row) -> object:
    tables = {"conversations": [row]}
    mark_tunnel(tables, journal)
    return row["vpn_up"] if row else tables["conversations"][0]["vpn_up"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"ts": BEFORE}, False),
        ({"ts": DURING}, True),
        ({"ts": AFTER}, False),
        ({"first_seen": BEFORE, "last_seen": BEFORE}, False),
        ({"first_seen": BEFORE, "last_seen": DURING}, True),
        ({"first_seen": DURING, "last_seen": AFTER}, True),
        ({"first_seen": BEFORE, "last_seen": AFTER}, True),
        ({"first_seen": AFTER, "last_seen": AFTER}, False),
        ({"ts": None}, False),
    ],
)
def test_a_row_counts_if_any_of_it_passed_while_the_tunnel_was_up(row, expected) -> None:
    assert up(JOURNAL, **row) is expected


def test_a_tunnel_that_never_drops_is_up_to_the_end() -> None:
    assert up(JOURNAL[:1], ts=AFTER) is True


def test_without_a_tunnel_it_was_never_up() -> None:
    assert up([line("app.first-launch", "recorder", 1)], ts=DURING) is False


def test_the_clients_own_word_opens_no_tunnel_and_a_persons_does() -> None:
    assert up_times([line("vpn.up", "script", 3)]) == ()
    assert len(up_times([line("vpn.up", "manual", 3)])) == 1
    assert up_times([line("vpn.up", "recorder", 3, ok=False)]) == ()


def test_a_tunnel_that_comes_back_has_two_spans() -> None:
    again = [*JOURNAL, line("vpn.up", "recorder", 8), line("vpn.down", "recorder", 9)]
    assert len(up_times(again)) == 2


@given(st.permutations(range(4)))
def test_the_order_of_lines_does_not_matter(order) -> None:
    lines = [*JOURNAL, line("vpn.up", "recorder", 8), line("vpn.down", "recorder", 9)]
    assert up_times([lines[index] for index in order]) == up_times(lines)


@pytest.mark.parametrize(
    ("tunnel", "iface", "expected"),
    [
        (("tun0",), "tun0", True),
        (("tun0", "wg0"), "wg0,tun0", True),
        (("tun0",), "eth0", False),
        (("tun0",), "tun0,eth0", False),
        (("tun0",), None, None),
        ((), "tun0", None),
    ],
)
def test_only_the_recorders_map_says_what_went_through_a_tunnel(tunnel, iface, expected) -> None:
    row = {"iface": iface}
    mark_inside({"conversations": [row]}, manifest(network=Network(tunnel=tunnel)))
    assert row["in_tunnel"] is expected
