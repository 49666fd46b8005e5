"""What configuration says of retention, and what it does not say."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.readers.logconfig import DAY, parse_span, read_config

NGINX = """
http {
  log_format quiet '[$time_local] "$request" $status';
  log_format loud '$http_x_forwarded_for [$time_local] "$request"';
  access_log /var/log/nginx/a.log quiet;
  server { access_log /var/log/nginx/b.log loud buffer=32k; error_log /var/log/nginx/e.log warn; }
  server { access_log off; }
  server { access_log /var/log/nginx/c.log; }
  server { access_log /var/log/nginx/d.log strange; }
}
"""


def rows(text: str, name="conf") -> list[tuple]:
    return [
        (row["kind"], row["name"], row["enabled"], bool(row.get("unsure")))
        for row in read_config(text, name).rows
    ]


def test_an_access_log_without_addresses_is_another_kind_of_entry():
    assert rows(NGINX) == [
        ("access_log_without_address", "/var/log/nginx/a.log quiet", True, False),
        ("access_log", "/var/log/nginx/b.log loud", True, False),
        ("error_log", "/var/log/nginx/e.log", True, False),
        ("access_log", "nginx", False, False),
        ("access_log", "/var/log/nginx/c.log combined", True, False),
        ("access_log", "/var/log/nginx/d.log strange", True, True),
    ]


def test_nginx_logs_addresses_where_nothing_is_said():
    assert rows("http { server { listen 80; } }") == [
        ("access_log", "nginx default, combined", True, False)
    ]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("/var/log/a {\n daily\n rotate 14\n}", 15),
        ("/var/log/a {\n weekly\n rotate 4\n}", 35),
        ("daily\nrotate 7\n/var/log/a {\n monthly\n maxage 100\n rotate -1\n}", 162),
        ("/var/log/a {\n daily\n rotate 400\n maxage 30\n}", 32),
        ("/var/log/a {\n size 10M\n rotate 3\n}", None),
        ("/var/log/a {\n daily\n size 10M\n rotate 3\n maxage 30\n}", None),
        ("/var/log/a {\n rotate 3\n}", None),
        ("/var/log/a {\n daily\n rotate -1\n}", None),
        ("/var/log/a {\n daily\n minsize 1M\n rotate 3\n}", None),
        ("/var/log/a {\n daily\n minage 90\n rotate 3\n}", None),
        ("weekly\nrotate 2\n/var/log/a /var/log/b {\n postrotate\n  daily\n endscript\n}", 21),
    ],
)
def test_logrotate_keeps_a_line_as_long_as_its_last_copy(text, days):
    found = read_config(text, "logrotate")
    (rule,), (row,) = found.rules, found.rows
    assert row["retention"] == (None if days is None else days * DAY)
    assert rule.covers("server/website/logs/a.3.gz")
    assert not rule.covers("server/website/logs/other.log")


@pytest.mark.skipif(not shutil.which("logrotate"), reason="logrotate is not installed")
def test_logrotate_itself_keeps_no_more_files_than_are_counted(tmp_path):
    log = tmp_path / "a"
    conf = tmp_path / "conf"
    conf.write_text(f"{log} {{\n su root root\n daily\n rotate 3\n}}\n")
    for _ in range(8):
        log.write_text("line\n")
        subprocess.run(["logrotate", "-f", "-s", tmp_path / "state", conf], check=True, timeout=20)
    kept = len(list(tmp_path.glob("a*")))
    (row,) = read_config(conf.read_text(), "logrotate").rows
    assert row["retention"] is not None
    assert kept <= row["retention"] / DAY


def test_journald_keeps_a_file_longer_than_its_oldest_line():
    told = read_config("[Journal]\nMaxRetentionSec=1week\nMaxFileSec=1day\n", "j")
    assert told.rows[0]["retention"] == 8 * DAY
    assert told.rules[0].covers("server/website/system.journal")
    assert read_config("[Journal]\n#MaxRetentionSec=0\n", "j").rows[0]["retention"] is None
    assert read_config("[Journal]\nStorage=none\n", "j").rows[0]["enabled"] is False


def test_spans_are_those_of_systemd():
    assert parse_span("2h 30min") == 9000
    assert parse_span("1month") == pytest.approx(30.44 * DAY)
    assert parse_span("soon") is None


@given(st.text(max_size=300))
def test_any_text_is_configuration_or_none(text):
    read_config(text, "conf")
