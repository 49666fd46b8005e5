from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checks.conditions import compile_condition
from audit.checks.lists import NamedList
from audit.checks.truth import FALSE, TRUE, UNKNOWN
from audit.checks.variables import Variables
from audit.errors import PolicyError
from audit.tables.frames import make_frame
from audit.yamlfile.pack import Variable

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
VARIABLES = Variables(
    declared={
        "hosts": Variable(type="list[host]"),
        "limit": Variable(type="duration"),
        "unset": Variable(type="text", settable=True),
        "defaults": Variable(type="map"),
    },
    values={
        "hosts": ["a.example", "b.example"],
        "limit": "7d",
        "defaults": {"keys": ["x"], "n": 2},
    },
)
LISTS = {
    "trackers": NamedList(
        id="trackers",
        source="",
        date="",
        values=frozenset({"tracker.example"}),
        exact=frozenset({"tracker.example"}),
    )
}


def compiled(cond, table="http_requests"):
    return compile_condition(cond, table, VARIABLES, LISTS, AS_OF, frozenset({"seed"}))


def truth(cond, row, table="http_requests"):
    """Ask a condition about one row, both ways, and see that they agree."""
    condition = compiled(cond, table)
    frame = make_frame(table, [row])
    mask = condition.mask(frame)
    by_frame = TRUE if mask.true[0] else UNKNOWN if mask.unknown[0] else FALSE
    times = {
        name: frame[name][0].value for name in row if name in {"ts", "first_seen"} and row[name]
    }
    assert condition.of(row | times) == by_frame
    return by_frame


@pytest.mark.parametrize(
    ("cond", "row", "expected"),
    [
        ({"host": "a.example"}, {"host": "a.example"}, TRUE),
        ({"host": "A.Example."}, {"host": "a.example"}, TRUE),
        ({"host": ["a.example", "b.example"]}, {"host": "b.example"}, TRUE),
        ({"host|in": "${hosts}"}, {"host": "c.example"}, FALSE),
        ({"host": "a.example"}, {}, FALSE),
        ({"host|not": "a.example"}, {}, TRUE),
        ({"host|domain": "example"}, {"host": "x.example"}, TRUE),
        ({"host|domain": "ample"}, {"host": "x.example"}, FALSE),
        ({"host|domain": "${hosts}"}, {"host": "x.a.example"}, TRUE),
        ({"host|domain": "${hosts}"}, {"host": "xa.example"}, FALSE),
        ({"host|list": "trackers"}, {"host": "m.tracker.example"}, TRUE),
        ({"host|list": "trackers"}, {"host": "mtracker.example"}, FALSE),
        ({"recipient|list": "trackers"}, {"recipient": "m.tracker.example"}, FALSE),
        ({"responder_ip|cidr": "10.0.0.0/8"}, {"responder_ip": "10.1.2.3"}, TRUE),
        ({"responder_ip|cidr": ["10.0.0.0/8", "2001:db8::/32"]}, {"responder_ip": "2001:db8::5"}, TRUE),
        ({"responder_ip|cidr|not": "10.0.0.0/8"}, {"responder_ip": "192.0.2.1"}, TRUE),
        ({"responder_ip|cidr": "10.0.0.0/8"}, {"responder_ip": "no address"}, FALSE),
        ({"responder_ip": "2001:DB8::0:5"}, {"responder_ip": "2001:db8::5"}, TRUE),
        ({"path|contains": "b"}, {"path": "/abc"}, TRUE),
        ({"path|contains": ["x", "b"]}, {"path": "/abc"}, TRUE),
        ({"path|contains|all_of": ["x", "b"]}, {"path": "/abc"}, FALSE),
        ({"path|contains|all_of": ["a", "b"]}, {"path": "/abc"}, TRUE),
        ({"path|startswith": "/AB"}, {"path": "/abc"}, FALSE),
        ({"path|startswith|i": "/AB"}, {"path": "/abc"}, TRUE),
        ({"path|endswith|not": "bc"}, {"path": "/abc"}, FALSE),
        ({"user_agent|re": r"\d+\.\d+"}, {"user_agent": "x/1.2"}, TRUE),
        ({"user_agent|re|i": "ANDROID"}, {"user_agent": "android"}, TRUE),
        ({"user_agent|re|i|all_of": ["A", "B"]}, {"user_agent": "xa"}, FALSE),
        ({"user_agent|re|i|all_of": ["A", "B"]}, {"user_agent": "ab"}, TRUE),
        ({"user_agent|re": "x"}, {"user_agent": "\udc80x\x00"}, TRUE),
        ({"user_agent|exists": False}, {}, TRUE),
        ({"user_agent|exists": True}, {"user_agent": ""}, TRUE),
        ({"user_agent|len|gt": 3}, {"user_agent": "abcd"}, TRUE),
        ({"user_agent|len": 4}, {"user_agent": "abcd"}, TRUE),
        ({"body_len|gte": "1kB"}, {"body_len": 1000}, TRUE),
        ({"body_len|lt": 10}, {"body_len": 10}, FALSE),
        ({"body_len|lt": 10}, {}, UNKNOWN),
        ({"body_len|lt|not": 10}, {}, UNKNOWN),
        ({"layer|gte": 1}, {"layer": 0}, FALSE),
        ({"layer": 0}, {"layer": 0}, TRUE),
        ({"ts|age|gt": "7d"}, {"ts": "2026-02-01T00:00:00Z"}, TRUE),
        ({"ts|age|gt": "${limit}"}, {"ts": "2026-02-27T00:00:00Z"}, FALSE),
        ({"ts|age|lt": "1d"}, {"ts": "2026-03-02T00:00:00Z"}, UNKNOWN),
        ({"ts|age|lt": "1d"}, {"ts": None}, UNKNOWN),
        ({"ts|lt": "2026-01-01"}, {"ts": "2025-12-31T23:59:59Z"}, TRUE),
        ({"ts|exists": False}, {"ts": None}, TRUE),
        ({"taps": "proxy"}, {"taps": ("proxy", "packets")}, TRUE),
        ({"taps|all_of": ["proxy", "packets"]}, {"taps": ("proxy",)}, FALSE),
        ({"taps|len|gte": 2}, {"taps": ("proxy", "packets")}, TRUE),
        ({"json.method": "get"}, {"json": '{"method":"get"}'}, TRUE),
        ({"json.n": 1}, {"json": '{"n":1.0}'}, TRUE),
        ({"json.n": 1}, {"json": '{"n":true}'}, FALSE),
        ({"json.n|gte": 1}, {"json": '{"n":"1"}'}, UNKNOWN),
        ({"json.n|gte": 1}, {"json": '{"n":2}'}, TRUE),
        ({"json.a.b": "c"}, {"json": '{"a":{"b":"c"}}'}, TRUE),
        ({"json.a.1": "c"}, {"json": '{"a":["b","c"]}'}, TRUE),
        ({"json.a.9": "c"}, {"json": '{"a":["b","c"]}'}, FALSE),
        ({"json.a|exists": True}, {"json": '{"a":null}'}, FALSE),
        ({"json.a|exists": True}, {"json": '{"a":[]}'}, TRUE),
        ({"json.a|exists": True}, {"json": "{broken"}, UNKNOWN),
        ({"json.p|keys_within": ["a", "b"]}, {"json": '{"p":{"a":1}}'}, TRUE),
        ({"json.p|keys_within": ["a", "b"]}, {"json": '{"p":{"a":1,"c":1}}'}, FALSE),
        ({"json.p|keys_within": ["a"]}, {"json": "{}"}, FALSE),
        ({"headers|has_key": ["cookie", "x"]}, {"headers": '{"cookie":"1"}'}, TRUE),
        ({"headers|has_key|all_of": ["cookie", "x"]}, {"headers": '{"cookie":"1"}'}, FALSE),
        ({"headers|has_key|not": "cookie"}, {"headers": "{}"}, TRUE),
        ({"headers|len|gt": 1}, {"headers": '{"a":1,"b":2}'}, TRUE),
        ({"host|in": "${defaults.keys}"}, {"host": "x"}, TRUE),
        ({"host": "${unset}"}, {"host": "x"}, UNKNOWN),
        ({}, {}, TRUE),
        ({"host": "x", "path": "/"}, {"host": "x", "path": "/a"}, FALSE),
        ({"any": [{"host": "x"}, {"path": "/a"}]}, {"host": "y", "path": "/a"}, TRUE),
        ({"all": [{"host": "x"}, {"path": "/a"}]}, {"host": "y", "path": "/a"}, FALSE),
        ({"not": {"host": "x"}}, {"host": "y"}, TRUE),
        ({"not": {"body_len|lt": 1}}, {}, UNKNOWN),
        ({"host": "x", "body_len|lt": 1}, {"host": "y"}, FALSE),
        ({"host": "x", "body_len|lt": 1}, {"host": "x"}, UNKNOWN),
        ({"any": [{"host": "x"}, {"body_len|lt": 1}]}, {"host": "x"}, TRUE),
    ],
)  # fmt: skip
def test_a_condition_says_true_false_or_unknown(cond, row, expected):
    assert truth(cond, row) == expected


def test_text_columns_compare_with_the_text_of_a_number_or_flag():
    assert truth({"value|in": [False, "off", 5]}, {"value": "false"}, "settings") == TRUE
    assert truth({"value|in": [False, "off", 5]}, {"value": "5"}, "settings") == TRUE


@pytest.mark.parametrize(
    ("cond", "words", "allowed"),
    [
        ({"hots": "x"}, "no column 'hots'", "host"),
        ({"responder_ip|contains": "10."}, "'contains' cannot follow: 'responder_ip' is ip", "cidr"),
        ({"responder_ip|contains|cidr": "10."}, "'contains' cannot follow", "cidr"),
        ({"host|endswith": ".example"}, "also matches other people's names", "domain"),
        ({"path|i": "x"}, "'i' cannot follow", "contains"),
        ({"path|contains|not|i": "x"}, "'i' cannot follow", None),
        ({"ts|age": "3d"}, "an age must be compared", "lt"),
        ({"headers": "x"}, "cannot be compared as a whole", "has_key"),
        ({"path|contians": "x"}, "no modifier 'contians'", "contains"),
        ({"path.a": "x"}, "a path leads only into JSON columns", None),
        ({"json..a": "x"}, "has an empty step", None),
        ({"body_len|lt": "1 kb"}, "a size is", None),
        ({"body_len|lt": [1, 2]}, "one value, not a list", None),
        ({"ts|age|lt": "6mo"}, "183d", None),
        ({"responder_ip|cidr": "10.0.0.0/99"}, "does not appear to be", None),
        ({"user_agent|re": "("}, "not an RE2 pattern", None),
        ({"user_agent|re": "(?=x)"}, "not an RE2 pattern", None),
        ({"user_agent|re": "a" * 1001}, "longer than 1000", None),
        ({"host|list": "trakers"}, "there is no list 'trakers'", "trackers"),
        ({"host": None}, "nothing to compare with", None),
        ({"host": []}, "an empty list matches nothing", None),
        ({"host": [["x"]]}, "expected a single value", None),
        ({"host": "${hots}"}, "declares no variable 'hots'", None),
        ({"host": "x${hosts}"}, "is no variable", None),
        ({"host": "${defaults.nothing}"}, "has no key 'nothing'", None),
        ({"host": "http://a.example"}, "no host name", None),
        ({"layer": "0"}, "expected a number", None),
        ({"any": {"host": "x"}}, "takes a list of conditions", None),
        ({"not": ["x"]}, "a condition is a mapping", None),
        ({"process": "ap"}, "'ap' never stands in this column", "app"),
        ({"peer_role": "sed"}, "'sed' never stands in this column", "seed"),
        ({"path|contains": ""}, "the empty text is in every text", None),
        ({"user_agent|exists": "yes"}, "expected true or false", None),
    ],
)  # fmt: skip
def test_each_mistake_in_a_condition_is_refused(cond, words, allowed):
    from audit.checks.conditions import build_condition
    from audit.checks.faults import Faults
    from audit.checks.scope import ColumnScope
    from audit.tables.frames import columns_of

    with pytest.raises(PolicyError) as caught:
        compiled(cond)
    assert words in caught.value.message
    faults = Faults()
    scope = ColumnScope(
        table="http_requests",
        columns=columns_of("http_requests"),
        variables=VARIABLES,
        lists=LISTS,
        roles=frozenset({"seed"}),
    )
    build_condition(cond, scope, faults)
    if allowed is not None:
        (fault,) = faults.found
        assert allowed in (*fault.allowed, *(fault.hint or "").replace("|", " ").split())


def test_a_wrong_modifier_is_placed_at_its_column():
    from audit.checks.conditions import build_condition
    from audit.checks.faults import Faults
    from audit.checks.scope import ColumnScope
    from audit.tables.frames import columns_of

    faults = Faults()
    scope = ColumnScope(
        table="conversations", columns=columns_of("conversations"), variables=VARIABLES, lists=LISTS
    )
    build_condition({"responder_ip|cidr|contains": "x"}, scope, faults)
    (fault,) = faults.found
    assert (fault.at, fault.offset, fault.length) == ("key", len("responder_ip|cidr|"), 8)


def test_a_question_is_asked_once_a_distinct_value():
    asked: list[str] = []

    class Counting(str):
        __slots__ = ()

        def __contains__(self, part) -> bool:
            asked.append(str(self))
            return str.__contains__(self, part)

    values = [Counting(f"/{number % 10}") for number in range(1000)]
    frame = make_frame("http_requests", [{"path": value} for value in values])
    mask = compiled({"path|contains": "/3"}).mask(frame)
    assert mask.true.sum() == 100
    assert len(asked) == 10


def test_rows_of_the_recorders_own_controls_never_hold():
    frame = make_frame(
        "http_requests", [{"path": "/", "process": "control"}, {"path": "/", "process": "app"}]
    )
    assert compiled({"path": "/"}).mask(frame).true.tolist() == [False, True]


values = st.sampled_from([None, "a", "b", "ab", ""])


@given(st.lists(st.tuples(values, st.sampled_from([None, 1, 5])), max_size=20), st.randoms())
def test_a_mask_goes_with_its_rows_whatever_their_order(cells, random):
    condition = compiled({"any": [{"path|contains": "a"}, {"not": {"body_len|lt": 3}}]})
    rows = [{"path": path, "body_len": size} for path, size in cells]
    order = list(range(len(rows)))
    random.shuffle(order)
    straight = condition.mask(make_frame("http_requests", rows))
    shuffled = condition.mask(make_frame("http_requests", [rows[index] for index in order]))
    assert np.array_equal(straight.true[order], shuffled.true)
    assert np.array_equal(straight.unknown[order], shuffled.unknown)


@given(st.lists(st.tuples(values, st.sampled_from([None, 1, 5])), max_size=10))
def test_not_twice_changes_nothing(cells):
    cond = {"path|startswith": "a", "body_len|gte": 2}
    frame = make_frame("http_requests", [{"path": p, "body_len": n} for p, n in cells])
    once, twice = compiled(cond).mask(frame), compiled({"not": {"not": cond}}).mask(frame)
    assert np.array_equal(once.true, twice.true)
    assert np.array_equal(once.unknown, twice.unknown)
