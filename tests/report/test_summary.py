import unicodedata

from audit.report.summary import summarise

from . import results
from .hostile import hostile


def test_lines_say_what_was_broken_not_proven_kept_and_where_to_look():
    assert summarise(
        results.messenger(), look_at="reports/demo/sessionpy-messenger/index.html"
    ) == [
        "sessionpy-messenger 0.1.0 broke 1 of the 8 promises that were judged, kept 6 and left 1 unproven.",
        "broken          app.device-identifiers",
        "                python-requests/2.32.5 sent to 203.0.113.16 (packets.pcapng#61:request.body/onion.2@0-88)",
        "not proven      seed.blind",
        "kept            app.identity, app.contacts, app.contents, app.no-collection, app.account, seed.list-only",
        "no check yet    18 sentences of the policy",
        "gate            blocks: required checks are unproven, or coverage fell, exit code 4",
        "look at         reports/demo/sessionpy-messenger/index.html",
    ]


def test_the_worst_finding_is_the_one_shown(broken):
    assert any("account_id sent to 203.0.113.12" in line for line in summarise(broken))


def test_hostile_values_cannot_drive_the_terminal(broken):
    lines = summarise(hostile(broken), look_at="a\x1b[2Jb\nc")
    assert all(len(line) <= 300 for line in lines)
    assert not [
        c
        for line in lines
        for c in line
        if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    ]
    assert lines[-1].endswith("a[2Jb c")
