"""The fast reader of access logs says of every line what the slow one says."""

from __future__ import annotations

import datetime as dt
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers.logfields import FieldReader
from audit.readers.logrows import LogRows
from audit.readers.logstream import LineBlock
from audit.readers.logtime import Clock, TimeReader
from audit.readers.weblog import LINE, WebLog
from tests.readers.logs import DAY, NOW, web_line

ADDRESSES = [
    "198.51.100.7",
    "2001:db8::7",
    "127.0.0.1",
    "::1",
    "-",
    "10.0.0.9",
    "a.example",
    "9f86d0",
]
AGENTS = ["-", "Mozilla/5.0 Chrome/145.0.0.0", 'odd \\" quote', "[x] y"]
REQUESTS = [
    "GET / HTTP/1.1", "GET /?m=a.b%40mail.example HTTP/1.1", "GET /logo@2x.png HTTP/1.1", "-",
    "GET /?m=a.b@mail.example HTTP/1.1", 'GET /\\"x HTTP/1.1',
]  # fmt: skip


def run(text: bytes) -> tuple[LogRows, list[int]]:
    rows = LogRows(
        capture="c", source="website", name="x", dataset="access", read_at=NOW.timestamp()
    )
    odd: list[int] = []
    reader = WebLog(
        rows,
        FieldReader(own_addresses=("10.0.0.9",)),
        TimeReader(Clock()),
        lambda number, _line: odd.append(number),
    )
    reader.read(LineBlock(text, 1, 0))
    return rows, odd


def slow(line: bytes) -> dict[str, str] | None:
    found = LINE.match(line.rstrip(b"\r\n"))
    if found is None:
        return None
    values = {name: value for name, value in found.groupdict().items() if value is not None}
    for name in ("ident", "status", "bytes_sent", "time_local"):
        values.pop(name, None)
    return FieldReader(own_addresses=("10.0.0.9",)).fields(values)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(ADDRESSES),
            st.sampled_from(REQUESTS),
            st.sampled_from(AGENTS),
            st.integers(0, 300 * DAY),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_fields_and_times_are_those_of_the_slow_way(drawn):
    for address, request, agent, age in drawn:
        line = web_line(age, address, request, agent).encode()
        rows, odd = run(line)
        assert not odd
        (row,) = [one for one in rows.rows() if "unsure" not in one]
        wanted = slow(line)
        found = json.loads(str(row["fields"]))
        interesting = {"remote_addr", "user_agent", "email"}
        assert found.keys() & interesting == wanted.keys() & interesting
        assert row["ts"] == f"{line_time(age)}.000000Z"
    text = "".join(web_line(age, a, r, u) for a, r, u, age in drawn).encode()
    rows, odd = run(text)
    assert not odd
    assert rows.dated == len(drawn)


def line_time(age: int) -> str:
    at = NOW - dt.timedelta(seconds=age)
    return at.strftime("%Y-%m-%dT%H:%M:%S")


@given(st.binary(max_size=3000))
def test_any_bytes_are_lines_read_or_said(data):
    rows, odd = run(data + b"\n")
    said = [line for line in (data + b"\n").split(b"\n") if line.strip()]
    assert rows.dated + len(odd) == len(said)


@given(st.data())
def test_a_broken_line_among_good_ones_is_said_with_its_number(data):
    good = [web_line(1000 - n) for n in range(20)]
    place = data.draw(st.integers(0, 19))
    cut = data.draw(st.integers(1, 60))
    good[place] = good[place][:cut] + "\n"
    rows, odd = run("".join(good).encode())
    assert odd == [place + 1]
    assert rows.dated == 19


def test_the_earliest_line_of_an_hour_is_its_moment_and_place():
    first = NOW.timestamp() % 3600
    text = web_line(first - 100) + web_line(first - 10) + web_line(first - 50)
    rows, _ = run(text.encode())
    (row,) = rows.rows()
    assert row["ref"] == "x#2"
    assert row["lines"] == 3


def test_a_clock_that_goes_back_and_one_in_the_future_are_unsure():
    rows, _ = run((web_line(50) + web_line(3 * DAY) + web_line(40) + web_line(-DAY)).encode())
    told = [str(row["unsure"]) for row in rows.rows() if row.get("unsure")]
    assert any(text.startswith("line 2: ") and "wrong clock" in text for text in told)
    assert any(text.startswith("line 4: ") and "future" in text for text in told)
