"""Reading by layout and reading value by value give the same flow."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.io import tnetstring
from mitmproxy.test import tflow

from audit.readers import flow_layout
from audit.readers.flow_layout import Layout, read_flow
from audit.readers.flow_rows import FlowRows
from audit.readers.flow_state import Flow, FlowError
from audit.readers.tnetstring import TnetstringError, decode
from tests.readers import dumps

FLOWS = {
    "http": lambda: dumps.http_flow(trailers=[(b"X", b"1")]),
    "no answer": lambda: dumps.http_flow(status=None, error="gone"),
    "no bodies": lambda: dumps.http_flow(body=None, answer=None),
    "long path": lambda: dumps.http_flow(path="/" + "p" * 500),
    "websocket": lambda: dumps.http_flow(
        status=101, messages=[(1, True, b"x"), (2, False, b"\0" * 200)], closing=(True, 1000, "bye")
    ),
    "named": lambda: dumps.http_flow(server_conn=dumps.server(None)),
    "upstream": lambda: dumps.http_flow(server_conn=dumps.upstream()),
    "connect": lambda: dumps.http_flow(method="CONNECT", path="", authority="a.example:443"),
    "tcp": lambda: dumps.stream_flow([(True, b"a" * 300), (False, b"b")]),
    "udp": lambda: dumps.stream_flow([(True, b"a"), (True, b"b")], proto="udp"),
    "dns": lambda: dumps.dns_flow("a.example"),
    "library http": lambda: tflow.tflow(resp=True),
    "library error": lambda: tflow.tflow(err=True),
    "library websocket": tflow.twebsocketflow,
    "library dns": lambda: tflow.tdnsflow(resp=True),
}

STATES = {name: make().get_state() for name, make in FLOWS.items()}


def both(record: bytes) -> tuple[object, object]:
    """Return what either reader makes of a record: its rows and payloads, or that it refuses."""

    def rows(flow: Flow | None) -> object:
        assert flow is not None
        found = FlowRows(capture="c")
        try:
            found.add(flow)
        except FlowError:
            return "no flow"
        extract = found.finish()
        payloads = [(p.location, p.detail, p.data, str(p.ref)) for p in extract.payloads]
        return extract.rows, payloads, extract.unread

    try:
        state = decode(record)
        assert isinstance(state, dict)
        general = rows(Flow.of(state, 7, "f"))
    except (TnetstringError, FlowError):
        general = "no flow"
    quick = read_flow(record, 7, "f")
    return general if quick is None else rows(quick), general


@pytest.mark.parametrize("name", FLOWS)
def test_what_the_installed_mitmproxy_writes_is_read_by_layout_and_alike(name):
    record = tnetstring.dumps(STATES[name])
    assert read_flow(record, 1, "f") is not None
    quick, general = both(record)
    assert quick == general != "no flow"


def test_large_connections_are_read_by_layout_too():
    made = dumps.http_flow(client_conn=dumps.client(sni="a.example"))
    made.client_conn.cipher_list = ["TLS_AES_128_GCM_SHA256"] * 30
    made.client_conn.alpn_offers = [b"h2", b"http/1.1"]
    record = tnetstring.dumps(made.get_state())
    assert read_flow(record, 1, "f") is not None
    quick, general = both(record)
    assert quick == general


def test_flows_of_another_version_or_with_other_keys_are_left_to_the_general_reader():
    state = dumps.http_flow().get_state()
    for other in (state | {"version": 20}, state | {"new": 1}, dict(reversed(state.items()))):
        assert read_flow(tnetstring.dumps(other), 1, "f") is None


values = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 10**11), st.floats(allow_nan=False),
    st.binary(max_size=120), st.text("ab:;,#/", max_size=8),
    st.lists(st.one_of(st.binary(max_size=3), st.integers(0, 70_000)), max_size=3),
)  # fmt: skip


@given(st.sampled_from(sorted(FLOWS)), values, st.data())
def test_any_value_anywhere_is_read_alike(name, value, data):
    place = state = copy.deepcopy(STATES[name])
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = value
        break
    state["version"] = 21
    quick, general = both(tnetstring.dumps(state))
    if general != "no flow":  # what nobody reads is not looked at by the quick one
        assert quick == general


@given(st.sampled_from(sorted(FLOWS)), st.data())
def test_a_changed_byte_never_makes_the_readers_say_different_things(name, data):
    record = bytearray(tnetstring.dumps(STATES[name]))
    record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
    quick, general = both(bytes(record))
    if general != "no flow":
        assert quick == general


def test_lengths_up_to_two_digits_are_exact():
    layout = Layout("+a b")
    for size in range(100):
        value = b"%d:" % size + (b"7:x;," * 20)[:size] + b","
        text = b"1:a;" + value + b"1:b;0:~"
        kept, places = layout.read(text, 0, len(text))
        assert kept == [value]
        assert not places


def test_a_length_that_leads_elsewhere_is_refused():
    layout = Layout("!a")
    for text in (b"1:a;5:xx,", b"1:a;1:xx,", b"1:a;999999999999:x,", b"1:b;1:x,"):
        with pytest.raises(FlowError):
            layout.read(text, 0, len(text))


def test_memories_are_bounded(monkeypatch):
    monkeypatch.setattr(flow_layout, "_MAX_LINES", 3)
    monkeypatch.setattr(flow_layout, "_MAX_ENDS", 2)
    for number in range(9):
        made = dumps.http_flow(headers=[(b"X", b"%d" % number)])
        read_flow(tnetstring.dumps(made.get_state()), 1, "f")
    assert len(flow_layout._remembered_lines) <= 3
    assert len(flow_layout._remembered_ends) <= 2
