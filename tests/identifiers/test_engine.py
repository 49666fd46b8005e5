"""The two engines: same events, same hits; the slower one only where the faster has no wheel."""

from __future__ import annotations

import random
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers.detector import Detector, text_payload
from audit.identifiers.engine import AhoCorasickEngine, HyperscanEngine, make_engine
from audit.identifiers.gates import GATES
from tests.identifiers.planting import LOW, SUBJECT, containers, planted, wrap

ANCHORS = [b"marvin.k7", b"\x00\x01\x02\x03", b"\xff" * 6, b"a", b"$^.*[]\\", b"\n\r\t "]
FAST = HyperscanEngine(ANCHORS)
SLOW = AhoCorasickEngine(ANCHORS)
IDENTITY = make_identity([Identifier(kind, value) for kind, value in SUBJECT.items()])


def seen(engine, data):
    """Anchors and magics with their places; gates by name alone (the engines tell other matches of a run)."""
    return engine.values(data), {GATES[number].name for _, number in engine.gates(data)}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(ANCHORS),
            st.sampled_from([b"MARVIN.K7", b"%41", b"\\u0041", b"&amp;", b"\x1f\x8b\x08", b"de:ad:be:ef", b"A" * 20, b"a\0b\0c\0d\0", b"=x+y", b"a1b2c3d4-e5f6-a7b8"]),
            st.binary(max_size=12),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_both_engines_tell_the_same_events(parts):
    data = b"".join(parts)
    assert seen(FAST, data) == seen(SLOW, data)


def test_every_byte_of_an_anchor_is_taken_literally():
    data = b"xx$^.*[]\\yy\x00\x01\x02\x03zz"
    assert (9, 4) in FAST.values(data)
    assert (15, 1) in FAST.values(data)


def test_both_engines_give_the_same_hits():
    fast, slow = Detector(IDENTITY), Detector(IDENTITY, engine=AhoCorasickEngine)
    draw = random.Random(4)
    cases = []
    for kind, value in SUBJECT.items():
        for item in planted(kind, value):
            names = tuple(draw.choices(containers(), k=draw.choice([0, 1, 2])))
            data = wrap(item.data, item.text, names)
            if data is not None and kind not in LOW:
                cases.append(text_payload(data))
    assert fast.scan_all(cases) == slow.scan_all(cases)
    assert all(control.found for control in slow.controls())


def test_without_hyperscan_the_other_engine_is_taken(monkeypatch):
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    assert isinstance(make_engine(ANCHORS), AhoCorasickEngine)
