"""A capture looked at in two parts gives what it gives as a whole."""

from __future__ import annotations

import pickle
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers import packets, pcapfile, pcapngfile, recordwalk
from audit.readers.capfile import CaptureFile
from audit.readers.packets import PacketOptions, read_packets
from audit.readers.packetscan import Scan
from tests.readers import traffic, wire
from tests.readers.wire import CLIENT


def copy(sent):
    return pickle.loads(pickle.dumps(sent))  # noqa: S301 - made here


class Beside:
    """Does in this process what a companion does in its own, on copies of what it is given."""

    is_there = True

    def __init__(self, path, *, wanted):
        self.path = path
        self.found = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @property
    def is_ready(self):
        return True

    def give(self, job):
        self.found = copy(copy(job).perform(self.path))

    def result(self):
        return self.found


def read(path):
    found = read_packets(path, PacketOptions(capture="c", client=(CLIENT,)))
    parts = [
        (p.table, p.row, p.location, p.detail, p.direction, p.data, str(p.ref), p.seams)
        for p in found.payloads
    ]
    rest = found.truncated, found.unread, found.limits, found.names, found.dropped
    return found.rows, parts, rest


def in_parts(patch, path, share):
    """Read with a companion that takes over about there; return also whether the parts joined."""
    joined = []
    join = Scan.join
    patch.setattr(packets, "Companion", Beside)
    hand_over = CaptureFile.hand_over
    near = int(share * path.stat().st_size)
    patch.setattr(CaptureFile, "hand_over", lambda file, _: hand_over(file, near))
    patch.setattr(recordwalk, "BLOCK", 1 << 14)
    patch.setattr(pcapngfile, "_CHAIN", 2)
    patch.setattr(pcapfile, "_CHAIN", 4)
    patch.setattr(Scan, "join", lambda *given: joined.append(join(*given)) or joined[-1])
    return read(path), joined


@pytest.mark.parametrize("kind", ["pcapng", "pcap"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1 << 40), share=st.floats(0.1, 0.9))
def test_two_parts_give_what_the_whole_gives(tmp_path_factory, kind, seed, share):
    path = tmp_path_factory.mktemp("parts") / "packets"
    path.write_bytes(getattr(traffic, kind)(random.Random(seed)))
    whole = read(path)
    with pytest.MonkeyPatch.context() as patch:
        assert in_parts(patch, path, share)[0] == whole


@pytest.mark.parametrize("kind", ["pcapng", "pcap"])
def test_parts_do_join(tmp_path, monkeypatch, kind):
    joined = []
    for seed in range(8):
        path = tmp_path / str(seed)
        path.write_bytes(getattr(traffic, kind)(random.Random(seed), 30))
        with monkeypatch.context() as patch:
            joined += in_parts(patch, path, 0.5)[1]
    assert joined.count(True) >= 3


def test_a_fragment_whose_first_one_lies_in_the_other_part_keeps_its_ports(tmp_path, monkeypatch):
    filler = [wire.udp(CLIENT, 5000 + n, wire.SERVER, 7, bytes(100)) for n in range(400)]
    pieces = list(traffic.fragments(random.Random(3), 4321))
    assert len(pieces) == 3
    frames = wire.frames([*filler[:5], pieces[0], *filler[5:], *pieces[1:], *filler])
    path = tmp_path / "packets"
    path.write_bytes(wire.pcapng(frames))
    whole = read(path)
    found, joined = in_parts(monkeypatch, path, 0.3)
    assert found == whole
    assert joined == [False]
