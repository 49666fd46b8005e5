"""Logs of a source: every line is a row, or said with place and reason."""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import UsageError
from audit.readers.recordlog import MAX_ENTRY, journald_blocks
from audit.readers.serverlogs import find_files
from tests.readers.logs import DAY, NOW, SUBJECT, lines, read, unsure, web_line


def write(folder, text, name="access.log"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def fields(part) -> set[str]:
    return {key for row in lines(part) for key in json.loads(str(row["fields"]))}


def test_an_address_a_user_agent_and_an_encoded_mail_are_fields(tmp_path):
    path = write(tmp_path, web_line(60, request="GET /?m=some.body%40mail.example HTTP/1.1"))
    part = read(path)
    assert {"remote_addr", "user_agent", "email"} <= fields(part)
    assert not unsure(part)
    assert part.items[0].dated == 1


def test_no_value_of_a_line_is_kept(tmp_path):
    path = write(
        tmp_path, web_line(60, "198.51.100.77", "GET /?m=some.body%40mail.example HTTP/1.1")
    )
    kept = json.dumps(read(path).rows)
    assert "198.51.100.77" not in kept
    assert "some.body" not in kept


@pytest.mark.parametrize(
    "request_",
    [
        "GET /?m=canary.person%40mail.example HTTP/1.1",
        "GET /?m=canary.person%2540mail.example HTTP/1.1",
        "GET /?m=Y2FuYXJ5LnBlcnNvbkBtYWlsLmV4YW1wbGU= HTTP/1.1",
        f"GET /u/05{'c3' * 32} HTTP/1.1",
    ],
)
def test_the_subject_is_found_in_a_line_with_its_number(tmp_path, request_):
    text = "".join(web_line(9000 - n) for n in range(50)) + web_line(60, request=request_)
    part = read(write(tmp_path, text))
    (hit,) = part.rows["identifier_hits"]
    assert str(hit["ref"]).startswith("access.log#51@")
    assert hit["source"] == "website"
    assert str(hit["location"]).startswith("log access")
    assert not any(item.value in str(hit["excerpt"]) for item in SUBJECT.identifiers)


@pytest.mark.parametrize(
    ("name", "line", "wanted"),
    [
        ("caddy.json", b'{"ts":1780000000.5,"request":{"remote_ip":"203.0.113.5","headers":{"User-Agent":["curl"]}}}', {"remote_ip", "user_agent"}),
        ("cf.json", b'{"ClientIP":"203.0.113.5","EdgeStartTimestamp":1780000000123456789,"RayID":"a","ClientRequestUserAgent":"M"}', {"client_ip", "user_agent"}),
        ("a.log", b"<34>1 2026-05-01T22:14:15Z host su - ID - from 203.0.113.7", {"ip"}),
        ("b.log", b"2026-05-01T03:04:05.123456+00:00 host sshd[1]: for some.body@mail.example", {"email"}),
        ("c-20260502", b"May  1 22:14:15 host su: from 203.0.113.7", {"ip"}),
        ("e.log", b"2026/05/01 03:04:05 [error] 1#1: *1 open() failed, client: 2001:db8::7, server: a.example", {"client_ip"}),
        ("f.log", b"[Fri May 01 14:32:52.123456 2026] [core:error] [pid 1] [client 203.0.113.4:5678] AH: x", {"client_ip"}),
        ("v.log", b'a.example:443 203.0.113.4 - - [01/May/2026:00:00:00 +0100] "GET / HTTP/1.1" 200 5 "-" "UA"', {"remote_addr", "user_agent"}),
        ("j.export", b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1780000000000000\nMESSAGE\n\x1c\x00\x00\x00\x00\x00\x00\x00from 203.0.113.7\nand so on.\n_HOSTNAME=h\n", {"ip"}),
    ],
)  # fmt: skip
def test_formats_are_told_by_their_look(tmp_path, name, line, wanted):
    part = read(write(tmp_path, line + b"\n", name))
    assert not unsure(part)
    assert wanted <= fields(part)
    assert part.items[0].dated == 1


def test_a_configured_format_is_read_as_configured(tmp_path):
    path = write(tmp_path, '2026-05-01T00:00:00+00:00|"GET / HTTP/1.1"|203.0.113.9\nother\n')
    part = read(path, log_format='$time_iso8601|"$request"|$remote_addr')
    assert "remote_addr" in fields(part)
    assert unsure(part) == ["line 2: it is no line of the log format that is configured"]


def test_csv_without_a_header_takes_the_columns_that_the_source_names(tmp_path):
    path = write(tmp_path, "203.0.113.9,2026-05-01T00:00:00Z,curl\nbroken\n", "push.csv")
    part = read(path, role="cloudflare", columns=["ClientIP", "EdgeStartTimestamp", "UserAgent"])
    assert "client_ip" in fields(part)
    assert [row["dataset"] for row in lines(part)] == ["http_requests"]
    assert len(unsure(part)) == 1


def test_a_line_without_a_year_is_undatable_unless_file_or_source_tells_it(tmp_path):
    line = "May  1 22:14:15 host su: from 203.0.113.7\n"
    assert "names no year" in unsure(read(write(tmp_path, line, "messages")))[0]
    told = read(write(tmp_path, line, "messages"), year=2025)
    assert lines(told)[0]["ts"].startswith("2025-05-01")
    named = read(write(tmp_path, "Dec 31 22:14:15 host su: x\n", "messages-20260101"))
    assert lines(named)[0]["ts"].startswith("2025-12-31")


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (b"\x00\x01\x02\xff\xfe binary\n", "bytes of no text"),
        (b"what is this\n", "it is no line of"),
        (b'198.51.100.7 - - [31/Feb/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"\n', ""),
    ],
)
def test_a_mixed_log_says_each_line_that_is_none(tmp_path, odd, why):
    text = web_line(9000).encode() + odd + web_line(8000).encode() + odd
    part = read(write(tmp_path, text))
    told = unsure(part)
    assert [text.split(":")[0] for text in told] == ["line 2", "line 4"]
    assert all(why in text for text in told)
    assert part.items[0].dated == 2


def test_a_log_of_two_formats_is_read_in_both(tmp_path):
    other = '{"time":"2026-05-30T00:00:00Z","remote_ip":"203.0.113.5"}\n'
    part = read(write(tmp_path, web_line(60) + web_line(50) + other))
    assert {row["dataset"] for row in lines(part)} == {"access", "json"}
    assert not unsure(part)


def test_what_cannot_be_opened_is_said(tmp_path):
    whole = gzip.compress("".join(web_line(90_000 - n) for n in range(9000)).encode())
    cut = read(write(tmp_path, whole[:-20], "access.log.1.gz"))
    assert "packed data" in unsure(cut)[0]
    assert cut.items[0].sha256 is None
    os.mkfifo(tmp_path / "pipe")
    assert "no plain file" in unsure(read(tmp_path / "pipe"))[0]


def test_a_file_that_may_not_be_read_is_said(tmp_path):
    path = write(tmp_path, web_line(60))
    path.chmod(0)
    read(write(tmp_path, web_line(60), "other"))  # what is imported late is there already
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(65534)
        part = read(path)
    finally:
        os.seteuid(before)
    assert "permission denied" in unsure(part)[0].lower()


def test_a_line_of_another_host_is_not_taken_for_the_source(tmp_path):
    text = (
        'a.example 203.0.113.4 - - [01/May/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "UA"\n'
        'b.other 203.0.113.4 - - [01/May/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 5 "-" "UA"\n'
    )
    part = read(write(tmp_path, text), hosts=["a.example"])
    assert part.items[0].tied == ("host a.example",)
    assert unsure(part) == ["line 2: it is of another host than the source names"]


def test_a_token_across_two_blocks_ties_the_log(tmp_path):
    token = "ab" * 16
    text = web_line(9000) * 9999 + web_line(60, request=f"GET /?t={token} HTTP/1.1")
    assert len(text) > 1 << 20
    part = read(write(tmp_path, text), tokens=(token,))
    assert part.items[0].tied == (f"token {token[:8]}",)
    assert read(write(tmp_path, text), tokens=("cd" * 16,)).items[0].tied == ()


@given(st.binary(max_size=600))
def test_any_bytes_are_rows_or_said(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("any")
    part = read(write(folder, data))
    told = sum(int(row["lines"]) for row in part.rows.get("log_lines", []))
    assert told or not data.strip()


def test_folders_and_patterns_name_their_files(tmp_path):
    (tmp_path / "logs").mkdir()
    write(tmp_path / "logs", "x", "b.log")
    write(tmp_path / "logs", "x", "a.log.1")
    found = [name for name, _ in find_files(tmp_path, "logs")]
    assert found == ["logs/a.log.1", "logs/b.log"]
    assert [name for name, _ in find_files(tmp_path, "logs/*.log")] == ["logs/b.log"]
    with pytest.raises(UsageError):
        find_files(tmp_path, "logs/*.json")


def test_age_is_counted_from_the_earliest_line(tmp_path):
    part = read(write(tmp_path, web_line(200 * DAY) + web_line(60)))
    assert min(str(row["ts"]) for row in lines(part)).startswith("2025-11-13")
    assert NOW.year == 2026


def test_an_endless_field_of_a_journal_is_dropped_and_what_follows_is_read():
    entry = b"__REALTIME_TIMESTAMP=1780000000000000\nMESSAGE=a\n\n"
    piece = b"x" * (1 << 20)
    held = []

    def pieces():
        yield entry
        for _ in range(12):
            yield piece
            held.append(tracemalloc.get_traced_memory()[0])
        yield b"\nMESSAGE=b\n\n" + entry

    tracemalloc.start()
    try:
        found = list(journald_blocks(pieces()))
    finally:
        tracemalloc.stop()
    assert [one and one["MESSAGE"] for one in found] == [b"a", None, b"a"]
    assert max(held) < 3 * MAX_ENTRY


def test_a_line_of_a_journal_that_is_searched_in_pieces_is_said(tmp_path):
    head = b"__REALTIME_TIMESTAMP=1780000000000000\nMESSAGE="
    part = read(write(tmp_path, head + b"a b " * 600_000 + b"\n\n", "j.export"))
    assert any("longer than a line of a log" in text for text in unsure(part))


@pytest.mark.parametrize(("filling", "is_whole"), [(1_000, True), (20_000, False)])
def test_a_word_that_is_decoded_in_pieces_is_said(tmp_path, filling, is_whole):
    noise = random.Random(1).randbytes(filling).hex().encode()
    packed = base64.b64encode(gzip.compress(noise + b" canary.person@mail.example "))
    line = b"<34>1 2026-05-01T22:14:15Z host app 1 - - body " + packed + b"\n"
    part = read(write(tmp_path, line, "a.log"))
    assert bool(part.rows.get("identifier_hits")) == is_whole
    assert bool(part.truncated) != is_whole


def test_a_journal_is_read_block_by_block(tmp_path):
    entry = b"__REALTIME_TIMESTAMP=1780000000000000\nMESSAGE=" + b"a b " * 100_000 + b"\n\n"
    path = write(tmp_path, entry * 80, "j.export")
    tracemalloc.start()
    try:
        part = read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert part.items[0].dated == 80
    assert peak < path.stat().st_size / 2
