from __future__ import annotations

import random

from audit.checks.findings import MOST_EVIDENCE

from .making import CHECK, make_capture, make_policy, verdict

LINE = next(line for line in CHECK.splitlines() if "no-tracker" in line)
HITS = (
    "  - {id: hit, assert: none, from: identifier_hits, match: {kind: email},"
    " identity: [kind, recipient, location], message: '{kind} to {recipient} as {form}'}"
)


def make(folder, expect=HITS):
    return make_policy(folder, CHECK.replace(LINE, expect))


def found(policy, rows):
    return verdict(policy, make_capture(rows={"identifier_hits": rows})).findings


def hit(number: int, **changes):
    return {
        "kind": "email",
        "recipient": "t.example",
        "location": "body $.a",
        "ref": f"flows.mitm#{number}:request.body@1-5",
        "excerpt": f"…[email:aabbcc]{number}…",
    } | changes


def test_rows_of_one_identity_are_one_finding(tmp_path):
    rows = [hit(1), hit(2), hit(3, location="header x-id")]
    findings = found(make(tmp_path), rows)
    assert [(f.columns["location"], f.count) for f in findings] == [
        ("body $.a", 2),
        ("header x-id", 1),
    ]
    assert [f.id for f in findings] == ["example.trackers/hit/1", "example.trackers/hit/2"]
    assert findings[0].evidence[0].excerpt == "…[email:aabbcc]1…"


def test_servers_of_one_role_are_one_finding_that_says_so(tmp_path):
    rows = [hit(n, recipient=f"203.0.113.{n}", peer_role="server") for n in (1, 2, 3)]
    (finding,) = found(make(tmp_path), rows)
    assert finding.columns["recipient"] == "server"
    assert finding.message == "email to 203.0.113.1 as plain (and 2 more of the same role)"
    assert finding.count == 3


def test_every_different_message_has_its_evidence_first(tmp_path):
    rows = [hit(number) for number in range(1, 100)] + [
        hit(900, form="base64"),
        hit(901, form="hex"),
    ]
    (finding,) = found(make(tmp_path), rows)
    assert len(finding.evidence) == MOST_EVIDENCE
    said = {evidence.reasoning.split(";")[0] for evidence in finding.evidence}
    assert said == {f"email to t.example as {form}" for form in ("plain", "base64", "hex")}


def test_evidence_stands_in_the_order_of_the_capture(tmp_path):
    rows = [hit(number) for number in (10, 9, 100, 1)]
    (finding,) = found(make(tmp_path), rows)
    assert [evidence.record for evidence in finding.evidence] == ["1", "9", "10", "100"]


def test_the_order_of_rows_changes_nothing(tmp_path):
    policy = make(tmp_path)
    rows = [
        hit(n, form=form, recipient=f"{r}.example")
        for n, (form, r) in enumerate(
            [(f, r) for f in ("plain", "hex") for r in "abc"] * 3, start=1
        )
    ]
    straight = found(policy, rows)
    for seed in range(5):
        shuffled = rows[:]
        random.Random(seed).shuffle(shuffled)
        assert found(policy, shuffled) == straight


def test_a_reference_that_is_none_is_kept_as_it_is(tmp_path):
    (finding,) = found(make(tmp_path), [hit(1, ref=None)])
    assert (finding.evidence[0].file, finding.evidence[0].locator) == ("", "")


def test_many_violating_rows_make_few_findings_quickly(tmp_path):
    import time

    rows = [hit(number, recipient=f"{number % 7}.example") for number in range(20_000)]
    capture = make_capture(rows={"identifier_hits": rows})
    policy = make(tmp_path)
    start = time.monotonic()
    findings = verdict(policy, capture).findings
    assert time.monotonic() - start < 5
    assert len(findings) == 7
    assert sum(finding.count for finding in findings) == 20_000


def test_a_found_identifier_carries_its_terms_in_outside_vocabularies(tmp_path):
    (finding,) = found(make(tmp_path), [hit(1)])
    assert finding.terms == {"dpv": "pd:EmailAddress", "fideslang": "user.contact.email"}


def test_what_is_no_identifier_carries_none(tmp_path):
    policy = make_policy(tmp_path)
    rows = {"conversations": [{"host": "tracker.example", "recipient": "tracker.example"}]}
    (finding,) = verdict(policy, make_capture(rows=rows)).findings
    assert finding.terms == {}


def test_a_verdict_carries_the_references_of_its_check(tmp_path):
    text = CHECK.replace("exercise:", "references: [GDPR Art. 25]\nexercise:")
    record = verdict(make_policy(tmp_path, text), make_capture())
    assert record.references == ["GDPR Art. 25"]
