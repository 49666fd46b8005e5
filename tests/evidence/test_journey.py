import hashlib

import pytest

from audit.bundle.identity import Identifier, make_identity
from audit.evidence.journey import Phases, corroboration, event_rows, performed_actions
from audit.evidence.visited import WebProof
from tests.evidence import bundles
from tests.evidence.bundles import ACCOUNT, line, manifest

TEXT = hashlib.sha256(b"canary").hexdigest()
FILE = hashlib.sha256(b"file").hexdigest()
IDENTITY = make_identity([Identifier("account_id", ACCOUNT), Identifier("message", "canary")])
OTHER = "05" + "cd" * 32


def proof(action: str, facts: dict[str, str], *peers, driver: str = "script", **more) -> str | None:
    acted = line(action, driver, facts=facts, corroborated_by="peer")
    return corroboration(acted, [acted, *peers], IDENTITY, manifest(**more))


def peer(action: str, **facts: str):
    return line(action, "peer", facts=facts)


@pytest.mark.parametrize(
    ("action", "facts", "confirming"),
    [
        ("account.create", {"account": ACCOUNT}, peer("app.message.receive", account=ACCOUNT)),
        (
            "app.message.send",
            {"text_sha256": TEXT},
            peer("app.message.receive", account=ACCOUNT, text_sha256=TEXT),
        ),
        (
            "app.attachment.send",
            {"file_sha256": FILE},
            peer("app.attachment.receive", account=ACCOUNT, file_sha256=FILE),
        ),
        ("app.message.receive", {"text_sha256": TEXT}, peer("app.message.send", text_sha256=TEXT)),
    ],
)
def test_the_peer_confirms_what_it_names(action, facts, confirming):
    assert proof(action, facts, confirming) == "peer"
    assert proof(action, facts) is None
    wrong = {key: "0" * len(value) for key, value in confirming.facts.items()}
    assert proof(action, facts, line(confirming.action, "peer", facts=wrong)) is None
    assert proof(action, facts, line(confirming.action, "script", facts=confirming.facts)) is None
    assert (
        proof(action, facts, line(confirming.action, "peer", facts=confirming.facts, ok=False))
        is None
    )


@pytest.mark.parametrize(
    ("action", "facts", "confirming"),
    [
        (
            "app.message.send",
            {"text_sha256": TEXT},
            peer("app.message.receive", account=OTHER, text_sha256=TEXT),
        ),
        (
            "app.message.send",
            {"text_sha256": FILE},
            peer("app.message.receive", account=ACCOUNT, text_sha256=FILE),
        ),
        ("app.message.send", {}, peer("app.message.receive", account=ACCOUNT)),
        ("app.attachment.send", {}, peer("app.attachment.receive", account=ACCOUNT)),
        (
            "app.attachment.send",
            {"file_sha256": FILE},
            peer("app.attachment.receive", account=OTHER, file_sha256=FILE),
        ),
        ("app.message.receive", {}, peer("app.message.send")),
        ("account.create", {"account": OTHER}, peer("account.create", account=OTHER)),
        ("account.create", {"account": ACCOUNT}, peer("account.create", account=ACCOUNT)),
        ("account.create", {"account": ACCOUNT}, peer("app.message.send", account=ACCOUNT)),
        ("account.create", {"account": ACCOUNT}, line(None, "peer", facts={"account": ACCOUNT})),
        ("app.group.create", {"account": ACCOUNT}, peer("app.group.create", account=ACCOUNT)),
    ],
)
def test_the_peer_does_not_confirm_what_it_does_not_name(action, facts, confirming):
    assert proof(action, facts, confirming) is None


def test_the_recorder_proves_what_it_does_itself_and_no_more():
    assert proof("app.first-launch", {}, driver="recorder") == "recorder"
    assert proof("account.create", {}, driver="recorder") is None
    assert proof("app.first-launch", {}, driver="script") is None


def test_a_persons_word_is_told_as_such():
    assert proof("app.group.create", {}, driver="manual") == "manual"


def test_an_imported_journal_proves_nothing_but_on_somebodys_word():
    confirming = peer("app.message.receive", account=ACCOUNT)
    for driver in ("recorder", "script", "manual"):
        assert (
            proof(
                "account.create", {"account": ACCOUNT}, confirming, driver=driver, vantage="import"
            )
            is None
        )
    assert (
        proof("account.create", {}, vantage="import", vouched_by="A. Person")
        == "vouched by A. Person"
    )


def test_events_hold_the_peers_lines_and_the_actions_do_not():
    journal = [
        line("app.first-launch", "recorder"),
        line(None, "recorder"),
        peer("account.create", account=OTHER),
    ]
    rows = event_rows(journal, IDENTITY, manifest())
    assert [(row["name"], row["driver"], row["ref"]) for row in rows] == [
        ("app.first-launch", "recorder", "journal.jsonl#1"),
        ("account.create", "peer", "journal.jsonl#3"),
    ]
    assert [action.name for action in performed_actions(rows)] == ["app.first-launch"]


def test_the_recorders_own_claim_of_corroboration_is_not_read():
    rows = event_rows([line("account.create", corroborated_by="peer")], IDENTITY, manifest())
    assert rows[0]["corroborated_by"] is None


def at(phases: Phases, second: float) -> str | None:
    return phases.at(f"2023-11-14T22:13:{20 + second:09.6f}Z")


def test_phases_follow_the_journal_by_time():
    phases = Phases(
        [
            line("app.install.clean", "recorder", 1, phase="install"),
            line("app.first-launch", "recorder", 2, phase="first-launch"),
            line("account.create", "peer", 3, phase="account-create"),
            line("account.create", "script", 5, phase="account-create"),
            line("app.message.send", "script", 6),
            line("app.remove", "recorder", 8, phase="steady"),
        ]
    )
    found = [at(phases, second) for second in (0, 1.5, 2.5, 4, 5.5, 7, 9)]
    assert found == [
        "install",
        "install",
        "account-create",
        "account-create",
        "steady",
        "steady",
        "removed",
    ]


def test_without_an_account_the_first_launch_goes_on():
    phases = Phases([line("app.first-launch", "recorder", 2, phase="first-launch")])
    assert [at(phases, second) for second in (1, 3)] == ["install", "first-launch"]


def test_without_a_journal_or_a_date_there_is_no_phase():
    assert Phases([]).at("2023-11-14T22:13:20Z") is None
    assert Phases([line("app.idle", "recorder")]).at(None) is None


def test_lines_out_of_order_are_put_in_order():
    late, early = (
        line("app.idle", "recorder", 5, phase="steady"),
        line("app.install.clean", "recorder", 1, phase="install"),
    )
    assert at(Phases([late, early]), 2) == "install"
    assert bundles.STARTED < "2024"


def test_rows_are_asked_where_a_visitor_was_and_prove_nothing_of_an_import() -> None:
    asked = []

    def collect() -> WebProof:
        asked.append(1)
        return WebProof(answered=((refused.ts, "refuse"),))

    refused = line("web.consent.refuse", "script")
    event_rows([line("app.message.send", "script")], IDENTITY, manifest(), collect)
    (row,) = event_rows([refused], IDENTITY, manifest(vantage="import"), collect)
    assert (asked, row["corroborated_by"]) == ([], None)
    (row,) = event_rows([refused], IDENTITY, manifest(), collect)
    assert (asked, row["corroborated_by"]) == ([1], "rows")
