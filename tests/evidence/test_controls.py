import pytest

from audit.evidence.controls import expected_taps, find_controls
from tests.evidence.bundles import ECHO, TOKENS, controls, line, manifest


def request(scheme: str, taps=("proxy", "packets"), **more) -> dict:
    port, transport = (80, "plaintext") if scheme == "http" else (443, "tls-intercepted")
    return {
        "ref": f"flows.mitm#{port}:request.head", "ts": "2026-01-01T00:00:00Z", "method": "GET", "query": "", "layer": 0,
        "path": f"/{TOKENS[scheme]}", "transport": transport, "taps": taps, "conversation": f"tcp 192.0.2.10:1 > {ECHO}:{port}",
    } | more  # fmt: skip


BOTH = [request("http"), request("https")]


def proven(*rows: dict, journal=None, taps=("proxy", "packets")) -> frozenset:
    return find_controls(controls() if journal is None else journal, rows, taps, "c1").proven


def test_a_tap_that_shows_every_token_is_proven():
    found = find_controls(controls(), BOTH, ("proxy", "packets"), "c1")
    assert found.proven == {"proxy", "packets"}
    assert found.requests == {row["ref"] for row in BOTH}
    assert [(row["name"], row["tap"], row["found"]) for row in found.rows] == [
        ("echo http", "proxy", True), ("echo http", "packets", True), ("echo https", "proxy", True), ("echo https", "packets", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"taps": ("proxy",)},
        {"method": "POST"},
        {"query": "x=1"},
        {"layer": 2},
        {"path": "/" + "33" * 16},
        {"path": "/" + TOKENS["https"] + "/more"},
        {"transport": "plaintext"},
        {"conversation": "tcp 192.0.2.10:1 > 198.51.100.9:443"},
        {"conversation": None},
    ],
)
def test_what_is_not_the_control_to_the_letter_proves_nothing(changed):
    assert "packets" not in proven(request("http"), request("https", **changed))


def test_both_schemes_are_needed():
    assert proven(request("http"), journal=controls()[:1]) == frozenset()


def test_a_token_that_was_not_seen_unproves_the_tap():
    late = line(
        None, "recorder", control={"token": "44" * 16, "scheme": "http", "echo": f"{ECHO}:80"}
    )
    assert proven(*BOTH, journal=[*controls(), late]) == frozenset()


def test_without_tokens_nothing_is_proven():
    assert proven(*BOTH, journal=[line("app.first-launch", "recorder")]) == frozenset()


@pytest.mark.parametrize("token", ["", "x" * 32, "a" * 31, "index.html"])
def test_a_token_must_be_a_token(token):
    forged = [
        line(None, "recorder", control={"token": token, "scheme": s, "echo": f"{ECHO}:{p}"})
        for s, p in (("http", 80), ("https", 443))
    ]
    rows = [request("http", path=f"/{token}"), request("https", path=f"/{token}")]
    assert proven(*rows, journal=forged) == frozenset()


def test_a_replayed_token_is_the_apps():
    replay = request("http", ref="flows.mitm#9:request.head", ts="2026-01-01T00:00:09Z")
    found = find_controls(controls(), [replay, *BOTH], ("proxy",), "c1")
    assert "flows.mitm#9:request.head" not in found.requests


@pytest.mark.parametrize(
    ("changed", "present", "expected"),
    [
        ({}, (), ("packets", "proxy")),
        ({"pass": "passive"}, (), ("packets",)),
        ({"pass": "passive"}, ("packets", "proxy"), ("packets", "proxy")),
        ({"vantage": "proxy", "pass": "passive"}, (), ("proxy",)),
        ({"vantage": "import"}, ("packets",), ("packets",)),
    ],
)
def test_taps_are_those_that_the_vantage_must_have(changed, present, expected):
    assert expected_taps(manifest(**changed), present) == expected
