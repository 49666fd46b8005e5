from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.yamlfile.units import parse_bytes, parse_duration, parse_time, render_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("7d", 604800), ("1.5h", 5400), ("250ms", 0.25), ("2w", 1209600)],
)
def test_durations_are_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["6mo", "1M", "2 years", "1y", "6 months"])
def test_months_and_years_are_refused_with_what_to_say(text):
    with pytest.raises(ValueError, match="183d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "7", 7, None, "d", "-3d", "7 d", "7D"])
def test_a_duration_needs_its_unit(text):
    with pytest.raises(ValueError, match="a duration is a number with"):
        parse_duration(text)


def test_sizes_are_bytes():
    assert parse_bytes("1kB") == 1000
    assert parse_bytes("1KiB") == 1024
    assert parse_bytes(12) == 12
    with pytest.raises(ValueError, match="a size is"):
        parse_bytes(True)


def test_a_time_without_a_zone_is_utc():
    assert parse_time("2026-01-31T12:00:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert parse_time("2026-01-31T12:00:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_time("yesterday")
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_time(20260131)


@given(st.integers(1, 10_000), st.sampled_from("smhdw"))
def test_a_rendered_duration_reads_back(count, unit):
    seconds = parse_duration(f"{count}{unit}")
    text = render_duration(seconds)
    assert abs(parse_duration(text) - seconds) <= 0.06 * 86400
