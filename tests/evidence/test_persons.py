"""Whom a journal's line acted for, and when nobody knows."""

from __future__ import annotations

import hashlib

from audit.bundle.identity import Identifier, make_identity
from audit.bundle.journal import CONFIRMED, PERSON, SUBSCRIBE, UNSUBSCRIBE, JournalLine
from audit.evidence.journey import event_rows
from audit.evidence.persons import persons_of
from audit.readers.providers import email_hash
from tests.evidence.bundles import manifest

EMAIL = "Ada@Example.org"
IDENTITY = make_identity([Identifier("email", EMAIL)])
ADA, BOB = email_hash(EMAIL), email_hash("bob@example.org")


def line(action: str | None, day: int, person: str = ADA, **more) -> JournalLine:
    facts = {PERSON: person} | more.pop("facts", {})
    return JournalLine(
        ts=f"2026-01-{day:02}T00:00:00Z", driver="recorder", action=action, facts=facts, **more
    )


def persons(*lines: JournalLine) -> dict[int, str]:
    return persons_of(lines, IDENTITY)


def test_a_probes_digest_is_that_of_records():
    assert hashlib.sha256(b"ada@example.org").hexdigest() == ADA
    found = persons(
        line(SUBSCRIBE, 1), line("web.visit", 2), line(UNSUBSCRIBE, 3), line(SUBSCRIBE, 4, BOB)
    )
    assert found == {1: ADA, 3: ADA, 4: BOB}


def test_a_browsers_digest_of_what_was_typed_becomes_that_of_records():
    typed = hashlib.sha256(EMAIL.encode()).hexdigest()
    browser = JournalLine(
        ts="2026-01-01T00:00:00Z", driver="script", action=SUBSCRIBE, facts={"text_sha256": typed}
    )
    assert persons(browser) == {1: ADA}
    assert persons_of([browser], make_identity([])) == {}


def test_who_came_back_has_not_left():
    assert persons(line(SUBSCRIBE, 1), line(UNSUBSCRIBE, 2), line(SUBSCRIBE, 3)) == {1: ADA, 3: ADA}


def test_who_confirmed_shows_nothing_about_lists_that_ask_for_none():
    confirmed = line(None, 2, facts={CONFIRMED: "yes"})
    assert persons(
        line(SUBSCRIBE, 1), confirmed, line(UNSUBSCRIBE, 3), line(SUBSCRIBE, 4, BOB)
    ) == {3: ADA, 4: BOB}


def test_what_is_no_digest_is_nobodys():
    assert persons(line(SUBSCRIBE, 1, "ada@example.org"), line(SUBSCRIBE, 1, "")) == {}


def test_an_events_row_holds_it_and_an_import_is_proven_by_a_word_alone():
    lines = [line(SUBSCRIBE, 1), line(UNSUBSCRIBE, 2)]
    for more, proof in (({"vouched_by": "B. Auditor"}, "vouched by B. Auditor"), ({}, None)):
        rows = event_rows(lines, IDENTITY, manifest(vantage="import", **more))
        assert [row["subject_hash"] for row in rows] == [ADA, ADA]
        assert {row["corroborated_by"] for row in rows} == {proof}
    recorded = event_rows(lines, IDENTITY, manifest())
    assert {row["corroborated_by"] for row in recorded} == {None}
