"""Entries in every writer's spelling."""

import pytest

from audit.readers.har_entry import HarEntry, pairs


def entry(**more: object) -> HarEntry:
    request = {"method": "GET", "url": "https://api.example/a?x=1#f"} | more.pop("request", {})
    return HarEntry.of({"request": request} | more, 1)


@pytest.mark.parametrize(
    ("written", "ts"),
    [
        ("2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T01:00:00.5+0100", "2026-01-01T00:00:00.500000Z"),
        ("2026-01-01t00:00:00z", "2026-01-01T00:00:00.000000Z"),
        (" 2026-01-01T00:00:00.123456789Z ", "2026-01-01T00:00:00.123456Z"),
        ("Thu, 01 Jan 2026 00:00:00 GMT", "2026-01-01T00:00:00.000000Z"),
        (1_767_225_600, "2026-01-01T00:00:00.000000Z"),
        (1_767_225_600_500, "2026-01-01T00:00:00.500000Z"),
        (1_767_225_600_500_000, "2026-01-01T00:00:00.500000Z"),
        ("1767225600.5", "2026-01-01T00:00:00.500000Z"),
        ("yesterday", None),
        (float("nan"), None),
        (10**400, None),
        ("nan", None),
        (True, None),
        (None, None),
    ],
)
def test_times(written, ts):
    assert entry(startedDateTime=written).ts == ts


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:443", "198.51.100.7"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("", None),
        ("unknown", None),
        (None, None),
    ],
)
def test_addresses_of_servers(written, address):
    assert entry(serverIPAddress=written).server == address


def test_an_address_in_the_url_stands_in():
    assert entry(request={"url": "http://[2001:db8::9]:8080/"}).server == "2001:db8::9"


@pytest.mark.parametrize(
    ("status", "read"), [(200, 200), ("200", 200), (0, None), (-1, None), (None, None), (True, None), (2e2, None), (10**9, None)]
)  # fmt: skip
def test_statuses(status, read):
    assert entry(response={"status": status}).status == read


@pytest.mark.parametrize("url", ["data:text/plain,x", "chrome-extension://abc/x", "about:blank"])
def test_what_never_leaves_the_browser(url):
    assert entry(request={"url": url}).is_local


@pytest.mark.parametrize("url", ["", "api.example/a", "gopher://a.example/", "http://[::1", "http://a:x/"])  # fmt: skip
def test_urls_that_are_none_are_refused(url):
    with pytest.raises(ValueError):
        entry(request={"url": url})


def test_the_fragment_is_never_sent():
    assert entry().target == "/a?x=1"


@pytest.mark.parametrize(
    "listed",
    [[{"name": "A", "value": "1"}], [["A", "1"]], [("A", 1)], {"A": "1"}],
)
def test_headers_may_be_objects_pairs_or_one_object(listed):
    assert list(pairs(listed)) == [(b"A", b"1")]


def test_queries_cookies_and_parameters_that_stand_nowhere_else_are_evidence():
    found = entry(
        request={
            "queryString": [{"name": "x", "value": "1"}, {"name": "hidden", "value": "q-7"}],
            "headers": [{"name": "Cookie", "value": "a=1"}],
            "cookies": [{"name": "a", "value": "1"}, {"name": "id", "value": "c-7"}],
            "postData": {
                "text": "p=a+b",
                "params": [{"name": "p", "value": "a b"}, {"name": "p", "value": "p-7"}],
            },
        },
        response={"status": 200, "cookies": [{"name": "s", "value": "s-7"}]},
    )
    assert list(found.untold()) == [
        ("query", "hidden", b"hidden"),
        ("query", "hidden", b"q-7"),
        ("cookie", "id", b"id"),
        ("cookie", "id", b"c-7"),
        ("body", "p", b"p-7"),
    ]
    assert list(found.untold_answer()) == [("cookie", "s", b"s"), ("cookie", "s", b"s-7")]


def test_a_million_listed_pairs_take_no_more_than_their_number():
    listed = [["n", "v"]] * 200_000
    found = entry(request={"queryString": listed, "url": "http://a.example/?" + "z" * 60_000})
    assert len(list(found.untold())) == 400_000


@pytest.mark.parametrize(
    ("more", "is_socket"),
    [
        ({"request": {"url": "wss://a.example/"}}, True),
        ({"_resourceType": "websocket"}, True),
        ({"response": {"status": 101}}, True),
        ({"response": {"status": 200}}, False),
    ],
)
def test_sockets_are_told(more, is_socket):
    assert entry(**more).is_socket is is_socket


def test_cached_and_held_back_entries_are_told():
    assert entry(_fromCache="disk").is_cached
    assert entry(response={"_error": "net::ERR_BLOCKED_BY_CLIENT"}).is_held_back
    assert entry(_wasAborted=True).is_held_back
    assert not entry(response={"_error": "net::ERR_ABORTED"}).is_held_back


def test_headers_that_are_no_list_are_an_error():
    made = entry(request={"headers": "X: 1"})
    with pytest.raises(TypeError, match="headers are no list"):
        made.headers(made.asked)
    assert made.headers(None) == made.headers({"headers": None}) == ()
