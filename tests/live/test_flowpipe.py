"""Frames come out as they went in, however the pipe cuts them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from audit.live.flowpipe import CONNECTION, FLOW, GONE, READY, Assembly, Frames, frame
from audit.readers.tnetstring import decode

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from([READY, FLOW]), values), max_size=5),
    st.lists(st.integers(0, 300), max_size=6),
)
def test_frames_survive_any_cut(given_frames, cuts):
    data = b"".join(frame(*parts) for parts in given_frames)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    frames = Frames()
    found = [one for start, end in pairwise(edges) for one in frames.feed(data[start:end])]
    assert found == given_frames


def test_a_flow_gets_its_connections_back():
    assembly = Assembly()
    assert assembly.take((CONNECTION, "c", {"id": "c"})) is None
    assert assembly.take((CONNECTION, "s", {"id": "s"})) is None
    record = assembly.take((FLOW, "c", "s", {"type": "http"}))
    assert decode(record) == {
        "type": "http",
        "client_conn": {"id": "c"},
        "server_conn": {"id": "s"},
    }
    assert assembly.take((GONE, "c")) is None
    assert assembly.take((GONE, "never")) is None


@given(values)
def test_records_read_back_as_what_they_were(value):
    assembly = Assembly()
    for frame_ in ((CONNECTION, "c", {}), (CONNECTION, "s", {})):
        assembly.take(frame_)
    record = assembly.take((FLOW, "c", "s", {"x": value}))
    assert decode(record)["x"] == as_lists(value)


def as_lists(value: object) -> object:
    if isinstance(value, tuple):
        return [as_lists(item) for item in value]
    if isinstance(value, dict):
        return {key: as_lists(item) for key, item in value.items()}
    return value


def test_a_record_is_what_mitmproxy_writes():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from mitmproxy.io import tnetstring

    state = {
        "a": 1,
        "b": [b"x", "y", None, True, 1.5],
        "c": {"d": (b"", -3)},
        "t": 1764000000.123456,
    }
    connection = {"client_conn": {}, "server_conn": {}}
    assembly = Assembly()
    assembly.take((CONNECTION, "c", {}))
    assembly.take((CONNECTION, "s", {}))
    assert assembly.take((FLOW, "c", "s", dict(state))) == tnetstring.dumps(state | connection)
