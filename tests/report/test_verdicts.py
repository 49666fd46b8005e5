from hypothesis import given
from hypothesis import strategies as st

from audit.report.compose import make_view
from audit.report.verdicts import by_severity, pieces, recipient_of

from . import results


def finding_of(**fields):
    made = results.make_finding(**fields)
    verdict = results.make_verdict("c", "app.identity", results.Outcome.FAIL, findings=[made])
    return make_view(results.make_result([verdict])).violations[0].findings[0]


def test_numbers_follow_chapter_verdict_and_finding(broken):
    view = make_view(broken)
    assert [finding.number for finding in view.violations[0].findings] == ["3.1.1", "3.1.2"]
    assert [v.number for v in (*view.inconclusive, *view.not_observable)] == ["4.1", "4.2"]
    assert [v.number for v in (*view.passes, *view.out_of_scope)] == [
        f"10.{i}" for i in range(1, len(view.passes) + 2)
    ]


def test_worst_severity_comes_first_and_an_unknown_one_last():
    verdicts = [
        results.make_verdict(s, "c", results.Outcome.FAIL, severity=s)
        for s in ("low", "odd", "critical", "high")
    ]
    assert [v.check for v in by_severity(verdicts)] == ["critical", "high", "low", "odd"]


def test_recipient_is_named_once():
    finding = finding_of(columns={"name": "metrics.example", "qtype": "A", "peer_role": "tracker"})
    assert (finding.recipient, finding.role, finding.columns) == (
        "metrics.example",
        "tracker",
        (("Type", "A"),),
    )
    assert recipient_of({"kind": "x", "host": None}) == (None, None)


def test_locator_that_cannot_be_read_is_shown_and_gives_no_command():
    evidence = results.make_evidence(locator="#nonsense@", record="4", part=None)
    (shown,) = finding_of(evidence=[evidence]).evidence
    assert (shown.place, shown.locator, shown.commands) == ("flows.mitm, flow 4", "#nonsense@", ())


def test_layer_of_an_onion_is_said_beside_the_outer_part():
    evidence = results.make_evidence(
        part="request.body/onion.2", locator="flows.mitm#3:request.body/onion.2@0-88"
    )
    (shown,) = finding_of(evidence=[evidence]).evidence
    assert shown.place == "flows.mitm, flow 3, body of the request, bytes 0 to 87"
    assert (
        shown.remark
        == "opened onion layer 2 of that request; the command shows the request around it"
    )
    assert shown.commands


@given(st.text() | st.from_regex(r"([a-z]*\[[a-z]+:[0-9a-f]{6}\] ?)*", fullmatch=True))
def test_pieces_of_an_excerpt_are_the_excerpt(text):
    assert "".join(piece.text for piece in pieces(text)) == text


def test_pseudonyms_are_told_apart():
    assert [(p.text, p.is_pseudonym) for p in pieces('a "[email:0a1b2c]"')] == [
        ('a "', False),
        ("[email:0a1b2c]", True),
        ('"', False),
    ]


def test_what_baseline_recordings_and_waivers_say_stands_beside_the_finding():
    finding = finding_of(baseline="new", recordings=(1, 3), waivers={"W-1": "in force"})
    assert finding.notes == (
        ("Against the baseline", "new: the earlier result did not have it"),
        ("Shows in", "1 of 3 recordings: it comes and goes"),
        ("Waiver", "W-1, in force"),
    )
    assert finding_of(recordings=(2, 2)).notes == (("Shows in", "all 2 recordings"),)
    assert finding_of().notes == ()


def test_words_of_the_vocabularies_are_said_in_plain_words():
    finding = finding_of(
        message="phone sent to a.example in header phone-id as packed-address (and 2 more)",
        columns={"kind": "phone", "form": "base64", "recipient": "a.example"},
    )
    assert finding.message == (
        "Phone number sent to a.example in header phone-id, as a binary address (and 2 more)"
    )
    assert finding.columns == (
        ("Identifier", "phone number (phone)"),
        ("Encoded as", "as Base64 (base64)"),
    )


def test_evidence_does_not_repeat_its_finding():
    evidence = [
        results.make_evidence(reasoning="m sent; there may be no such request"),
        results.make_evidence(reasoning="n sent; there may be no such request"),
    ]
    finding = finding_of(
        message="m sent (and 1 more of the same role)",
        expected="there may be no such request",
        columns={},
        evidence=evidence,
    )
    assert [one.reasoning for one in finding.evidence] == [None, "N sent"]


def test_decoders_on_the_way_are_told_but_not_the_plain_form():
    evidence = [
        results.make_evidence(chain=["gzip", "json", "plain"]),
        results.make_evidence(chain=["plain"]),
    ]
    assert [one.chain for one in finding_of(evidence=evidence).evidence] == ["gzip › json", None]


def test_many_findings_are_folded_by_recipient_largest_group_first():
    verdict = make_view(results.misbehaving(100)).violations[0]
    assert len(verdict.findings) == 12
    sizes = [len(group.findings) for group in verdict.more]
    assert sizes == sorted(sizes, reverse=True)
    assert 12 + sum(sizes) == verdict.n_findings == 100
    assert all(f.recipient == group.title for group in verdict.more for f in group.findings)
