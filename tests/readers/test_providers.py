"""Exports of providers: states, pages that are lacking, retention that a bucket has and a job not."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle.server import ServerPart
from audit.readers.logconfig import DAY
from audit.readers.providers import email_hash, join_buckets, provider_settings, read_records
from audit.yamlfile.sources import SourceEntry
from tests.readers.logs import options

PERSON = {
    "EmailAddress": "Some.Body@mail.example", "Name": "Some Body", "Date": "2026-01-02 03:04:00",
    "ListJoinedDate": "2025-01-01 00:00:00", "State": "Unsubscribed",
    "CustomFields": [{"Key": "[a]", "Value": "x"}, {"Key": "[a]", "Value": "y"}],
}  # fmt: skip


def read(folder, text: str, name="unsubscribed.json") -> ServerPart:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    part = ServerPart()
    entry = SourceEntry.model_validate({"role": "newsletter", "records": [name]})
    read_records(path, name, entry, options(folder), part)
    return part


def test_a_subscriber_is_a_row_with_state_and_age_and_without_the_address(tmp_path):
    part = read(tmp_path, json.dumps({"Results": [PERSON], "PageNumber": 1, "NumberOfPages": 1}))
    (row,) = part.rows["db_records"]
    assert (row["status"], row["status_since"]) == ("unsubscribed", "2026-01-02T03:04:00.000000Z")
    assert row["email"] == "readable"
    assert row["email_hash"] == email_hash(" some.body@MAIL.example")
    assert "some.body" not in json.dumps(part.rows).lower()
    assert any("UTC was assumed" in text for text in part.limits)


def test_a_suppression_list_is_its_own_state(tmp_path):
    part = read(tmp_path, json.dumps({"Results": [
        {"SuppressionReason": "Unsubscribed", "EmailAddress": "a@b.example", "Date": "2026-01-02",
         "State": "Suppressed"}]}))  # fmt: skip
    assert part.rows["db_records"][0]["status"] == "suppressed"


def test_the_subject_is_found_in_whatever_field_it_stands(tmp_path):
    part = read(tmp_path, json.dumps([PERSON | {"Name": "canary.person@mail.example"}]))
    (hit,) = part.rows["identifier_hits"]
    assert (hit["kind"], hit["source"], hit["ref"]) == (
        "email",
        "newsletter",
        "unsubscribed.json#1",
    )
    assert str(hit["location"]).startswith("column unsubscribed")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (json.dumps({"Results": [PERSON], "PageNumber": 1, "NumberOfPages": 3}), "pages 2, 3 of 3"),
        (json.dumps({"Results": [PERSON], "NumberOfPages": 10**15}), "pages 2, 3, 4"),
        (json.dumps({"Results": [PERSON], "NumberOfPages": "many"}), "counters of pages"),
        (json.dumps({"Results": [PERSON], "PageNumber": [1], "NumberOfPages": 1}), "counters"),
        (json.dumps(PERSON) + "\n{broken\n", "line 2 is no JSON"),
        ("EmailAddress,State\na@b.example,Active\nc@d.example\n", "line 3 has other columns"),
        ('EmailAddress,State\n"a@b.example,Active\n', "no CSV"),
        (json.dumps([PERSON | {"Date": "2099-01-01"}]), "future"),
    ],
)
def test_what_is_lacking_is_said(tmp_path, text, why):
    told = [
        str(row["unsure"]) for row in read(tmp_path, text).rows["db_records"] if row.get("unsure")
    ]
    assert any(why in one for one in told)


def test_csv_takes_its_state_from_the_files_name(tmp_path):
    part = read(tmp_path, "EmailAddress,Date\na@b.example,2026-01-02\n", "list_active.csv")
    assert part.rows["db_records"][0]["status"] == "subscribed"


@given(st.text(max_size=200))
def test_any_text_is_records_or_said(tmp_path_factory, text):
    read(tmp_path_factory.mktemp("any"), text.replace("\ud800", ""))


def settings_of(text: object, stem="conf") -> list[dict]:
    rows = provider_settings(json.dumps(text), stem) or []
    return [row | {"source": "cloudflare"} for row in rows]


def test_a_job_has_no_retention_of_its_own_and_no_credentials_in_its_name():
    (job,) = settings_of({"result": [{"dataset": "http_requests", "enabled": True,
        "destination_conf": "r2://logs/a/{DATE}?access-key-id=KEY&secret-access-key=SECRET"}]})  # fmt: skip
    assert job["kind"] == "logpush_job"
    assert job["retention"] is None
    assert "SECRET" not in str(job)


def test_the_rule_of_a_bucket_is_the_retention_of_the_jobs_that_fill_it():
    rule = {"id": "x", "enabled": True, "conditions": {"prefix": ""},
            "deleteObjectsTransition": {"condition": {"type": "Age", "maxAge": 3 * 86400}}}  # fmt: skip
    job = {"dataset": "http_requests", "enabled": True, "destination_conf": "r2://logs/a?k=v"}
    rows = settings_of({"result": {"rules": [rule]}}, "logs") + settings_of([job])
    join_buckets(rows)
    assert [row["retention"] for row in rows] == [3 * DAY, 3 * DAY]
    partial = rule | {"conditions": {"prefix": "other/"}}
    rows = settings_of({"result": {"rules": [partial]}}, "logs") + settings_of([job])
    join_buckets(rows)
    assert [row["retention"] for row in rows] == [None]


@pytest.mark.parametrize(
    "rule",
    [
        {"deleteObjectsTransition": "soon"},
        {"deleteObjectsTransition": {"condition": [1]}},
        {"deleteObjectsTransition": {"condition": {"maxAge": 10**400}}},
        {"deleteObjectsTransition": {"condition": {"maxAge": float("nan")}}},
    ],
)
def test_a_rule_of_another_shape_tells_no_retention(rule):
    job = {"dataset": "http_requests", "enabled": True, "destination_conf": "r2://logs/a"}
    rows = settings_of({"result": {"rules": [rule]}}, "logs") + settings_of([job])
    join_buckets(rows)
    assert [row["retention"] for row in rows] == [None]


def test_a_pipe_among_the_exports_is_said_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    part = ServerPart()
    entry = SourceEntry.model_validate({"role": "newsletter", "records": ["pipe.json"]})
    read_records(tmp_path / "pipe.json", "pipe.json", entry, options(tmp_path), part)
    assert [row["unsure"] for row in part.rows["db_records"]] == ["it is no plain file"]


def test_logpull_keeps_what_it_keeps_for_seven_days():
    (row,) = settings_of({"result": {"flag": True}})
    assert (row["kind"], row["retention"], row["enabled"]) == ("log_retention", 7 * DAY, True)
    assert settings_of({"result": {"flag": False}})[0]["enabled"] is False


def test_a_list_of_campaign_monitor_is_the_list_manager():
    rows = settings_of({"ListID": "a", "Title": "News", "ConfirmedOptIn": True})
    assert ("list_manager", "campaign-monitor") in {(row["kind"], row["name"]) for row in rows}
