from audit.model.outcome import Outcome
from audit.model.result import Gate
from audit.report.compose import make_view

from . import results


def test_every_waiver_is_shown_with_its_state_and_what_it_is_about():
    verdict = results.make_verdict("c", "app.identity", Outcome.FAIL, title="A title")
    waivers = [
        {
            "id": "W-1",
            "check": "c",
            "state": "in force",
            "covers": 2,
            "reason": "mended in 1.2",
            "owner": "net",
            "approved_by": "privacy",
            "created": "2026-01-01",
            "expires": "2026-06-01",
            "where": {"recipient": "a.example"},
        },
        {"id": "W-2", "check": "gone", "state": "not yet in force", "covers": 0},
    ]
    made = results.make_result([verdict], gate=Gate(exit_code=0, reasons=[], waivers=waivers))
    first, second = make_view(made).waivers
    assert (first.title, first.state, first.is_lapsed) == ("Waiver W-1", "in force", False)
    assert first.facts == (
        ("Covers", "2 findings"),
        ("Reason", "mended in 1.2"),
        ("Owner", "net"),
        ("Approved by", "privacy"),
        ("Since", "2026-01-01 00:00:00 UTC"),
        ("Until", "2026-06-01 00:00:00 UTC"),
        ("For findings where", "recipient: a.example"),
    )
    assert [check.title for check in first.checks] == ["A title"]
    assert (second.state, second.is_lapsed, second.checks) == ("not yet in force", True, ())


def test_a_result_without_the_list_shows_the_waivers_that_are_used():
    laid = {"kind": "waiver", "ids": ["W-1"], "expired": ["W-1"], "reasons": ["later"]}
    verdict = results.make_verdict("c", "app.identity", Outcome.FAIL, disposition=laid)
    (waiver,) = make_view(results.make_result([verdict])).waivers
    assert (waiver.title, waiver.is_lapsed) == ("Waiver W-1", True)
    assert ("Reason", "later") in waiver.facts


def test_one_statement_for_several_checks_is_shown_once():
    laid = {
        "kind": "attestation",
        "statement": "We keep no log.",
        "by": "Operator",
        "role": "operator",
        "signed": "2026-01-01T00:00:00Z",
        "valid_until": "2026-07-01T00:00:00Z",
        "expired": False,
        "evidence": [],
    }
    verdicts = [
        results.make_verdict(name, "app.identity", Outcome.NOT_OBSERVABLE, disposition=laid)
        for name in ("a", "b")
    ]
    (shown,) = make_view(results.make_result(verdicts)).attestations
    assert (shown.title, shown.state) == ("Statement by Operator", "in force")
    assert len(shown.checks) == 2
    assert dict(shown.facts)["Statement"] == "We keep no log."
    assert "With" not in dict(shown.facts)


def test_without_any_that_is_said():
    view = make_view(results.make_result([]))
    assert (view.waivers, view.attestations) == ((), ())
