import csv
import re
from datetime import date
from importlib import resources

import pytest

from audit.evidence.owners import FILE, owner_of, ownerships

BUSINESSES = {
    "ads",
    "attribution",
    "cdn",
    "cloud",
    "dns",
    "messenger",
    "os",
    "push",
    "social",
    "telemetry",
    "other",
}


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("app-measurement.com", "Google"),
        ("o1.ingest.sentry.io", "Functional Software"),
        ("E1.WHATEVER.AKAMAIEDGE.NET.", "Akamai"),
        ("notsentry.io", None),
        ("sentry.io.example", None),
        ("io", None),
        ("", None),
        (None, None),
        ("198.51.100.7", None),
    ],
)
def test_a_host_is_owned_by_whom_its_longest_listed_domain_is(host, owner):
    assert owner_of(host) == owner


def test_the_longest_domain_decides():
    assert owner_of("bugly.qq.com") == "Tencent"
    assert ownerships()["bugly.qq.com"].business == "telemetry"
    assert ownerships()["qq.com"].business == "messenger"


def test_every_line_has_owner_business_source_and_date():
    lines = list(
        csv.DictReader(resources.files("audit.evidence").joinpath(FILE).read_text().splitlines())
    )
    assert len(lines) >= 150
    assert [line["domain"] for line in lines] == sorted({line["domain"] for line in lines})
    for line in lines:
        assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]+", line["domain"])
        assert line["owner"]
        assert line["business"] in BUSINESSES
        assert line["source"]
        assert date.fromisoformat(line["date"]) <= date(2026, 11, 24)
