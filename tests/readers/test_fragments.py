from __future__ import annotations

import struct
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.readers.fragments import Pieces
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER

TEXT = b"a value that lies across three fragments, marble ribbon"


def pieces(body=TEXT, *, size=24, ident=7, six=False, sport=5000):
    """A UDP datagram in fragments of IPv4 or IPv6."""
    data = struct.pack("!HHHH", sport, 9999, 8 + len(body), 0) + body
    made = []
    for at in range(0, len(data), size):
        more, part = at + size < len(data), data[at : at + size]
        if six:
            head = struct.pack("!BBHI", 17, 0, at | more, ident)
            made.append(wire.ip("2001:db8::1", "2001:db8::2", 44, head + part))
        else:
            made.append(
                wire.ip(CLIENT, SERVER, 17, part, ident=ident, fragment=at // 8 | more << 13)
            )
    return made


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("six", [False, True])
def test_fragments_in_any_order_are_joined(tmp_path, order, six):
    made = pieces(six=six)
    assert len(made) == 3
    extract = wire.read(tmp_path, wire.pcapng(wire.frames([made[at] for at in order])))
    assert [payload.data for payload in extract.payloads] == [TEXT]
    assert extract.payloads[0].ref.records == (1, 2, 3)
    assert len(extract.rows["conversations"]) == 1
    assert not extract.truncated


def test_a_first_fragment_that_comes_a_great_deal_later_is_found(tmp_path):
    first, *rest = pieces()
    between = [wire.udp(CLIENT, 6000, SERVER, 7, bytes(60_000)) for _ in range(150)]
    frames = wire.frames([*rest, *between, first])
    extract = wire.read(tmp_path, wire.pcapng(frames))
    assert TEXT in [payload.data for payload in extract.payloads]
    assert len(extract.rows["conversations"]) == 2
    assert not extract.truncated


def test_fragments_that_say_different_things_are_both_searched(tmp_path):
    made = pieces()
    other = bytearray(made[1])
    other[-5:] = b"other"
    extract = wire.read(
        tmp_path, wire.pcapng(wire.frames([made[0], made[1], bytes(other), made[2]]))
    )
    data = [payload.data for payload in extract.payloads]
    assert data[0] == TEXT
    assert any(b"other" in part for part in data[1:])
    assert any("contradict" in text for text in extract.truncated)


@given(st.binary(min_size=1, max_size=300), st.randoms(), st.integers(1, 40))
def test_overlapping_pieces_in_any_order_give_the_whole(body, draw, size):
    ranges = [(at, min(at + size, len(body))) for at in range(0, len(body), size)]
    ranges += [(at, draw.randrange(at, len(body)) + 1) for at in range(0, len(body) - 1, 2 * size)]
    last = ranges[(len(body) - 1) // size]
    draw.shuffle(ranges)
    joined, found = Pieces(), None
    for number, (start, end) in enumerate(ranges):
        found = joined.add(start, body[start:end], number, is_last=(start, end) == last) or found
    assert found == body
    assert not joined.others(body)
