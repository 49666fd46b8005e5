from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checks.load import load_policy
from audit.gate.compare import compare
from audit.gate.decide import decide
from audit.gate.dispositions import Clock
from audit.gate.rules import GateRules, load_rules
from audit.model.outcome import Outcome
from audit.yamlfile.gate import GateFile

from .making import (
    AS_OF,
    ATTESTATION,
    CLOCK,
    SEVERITIES,
    WAIVER,
    make_finding,
    make_result,
    make_verdict,
    write_gate_policy,
)


@pytest.fixture
def rules(policy, tmp_path):
    def make(gate=None, waivers=None, attestations=None) -> GateRules:
        paths = {}
        for name, text in (("gate", gate), ("waivers", waivers), ("attestations", attestations)):
            if text is not None:
                paths[name] = tmp_path / f"{name}.yaml"
                paths[name].write_text(text)
        return load_rules(policy, **paths)

    return make


def code(rules, *verdicts, **more) -> int:
    return decide(verdicts, rules, CLOCK, **more).gate.exit_code


def test_a_gate_that_holds_is_green(rules):
    decision = decide([make_verdict(), make_verdict("critical")], rules(), CLOCK)
    assert (decision.gate.exit_code, decision.gate.reasons) == (0, [])


def test_a_violation_of_the_gates_severity_blocks(rules):
    decision = decide([make_verdict("tracker", Outcome.FAIL, make_finding())], rules(), CLOCK)
    assert decision.gate.exit_code == 1
    assert decision.gate.reasons == ["example.tracker is fail, high: 1 finding"]


def test_lower_severities_are_listed_and_do_not_block(rules):
    low = make_verdict("low", Outcome.FAIL, make_finding(severity="low"))
    assert code(rules(), low) == 0


def test_a_verdict_that_a_gate_requires_may_not_be_a_violation_of_any_severity(rules):
    gate = "schema: audit/gate@1\nrequire: {verdicts: {low: [pass]}}\n"
    low = make_verdict("low", Outcome.FAIL, make_finding(severity="low"))
    assert code(rules(gate), low) == 1


def test_experimental_checks_never_gate(rules):
    bad = make_verdict("tracker", Outcome.FAIL, make_finding(), status="experimental")
    assert code(rules(), bad) == 0


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.NOT_OBSERVABLE])
def test_what_is_required_and_unproven_is_4(rules, outcome):
    decision = decide([make_verdict("tracker", outcome)], rules(), CLOCK)
    assert decision.gate.exit_code == 4
    assert decision.gate.reasons[0].startswith(f"example.tracker is {outcome}, high")


def test_what_does_not_apply_is_not_required(rules):
    assert code(rules(), make_verdict("critical", Outcome.NOT_APPLICABLE)) == 0


def test_an_attestation_stands_in_for_what_cannot_be_observed(rules):
    verdict = make_verdict("tracker", Outcome.NOT_OBSERVABLE)
    decision = decide([verdict], rules(attestations=ATTESTATION), CLOCK)
    assert decision.gate.exit_code == 0
    assert decision.verdicts[0].outcome is Outcome.NOT_OBSERVABLE
    disposition = decision.verdicts[0].disposition
    assert disposition["kind"] == "attestation"
    assert (disposition["by"], disposition["expired"]) == ("Ann", False)


def test_an_attestation_that_lapsed_is_5(rules):
    late = ATTESTATION.replace("2026-06-01", "2026-02-01")
    assert late != ATTESTATION
    verdict = make_verdict("tracker", Outcome.NOT_OBSERVABLE)
    assert code(rules(attestations=late), verdict) == 5


def test_an_attestation_does_not_help_what_was_only_not_exercised(rules):
    verdict = make_verdict("tracker", Outcome.INCONCLUSIVE)
    assert code(rules(attestations=ATTESTATION), verdict) == 4


def test_an_attestation_does_not_help_where_a_pass_is_required(rules):
    attestation = ATTESTATION.replace("example.tracker", "example.critical")
    verdict = make_verdict("critical", Outcome.NOT_OBSERVABLE)
    assert code(rules(attestations=attestation), verdict) == 4


def test_a_waiver_covers_its_findings_and_changes_no_verdict(rules):
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding())
    decision = decide([verdict], rules(waivers=WAIVER), CLOCK)
    assert decision.gate.exit_code == 0
    assert decision.verdicts[0].outcome is Outcome.FAIL
    assert decision.verdicts[0].disposition["covers"] == "1 of 1 findings"


def test_a_finding_that_no_waiver_covers_still_blocks(rules):
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding(), make_finding(agent="wget"))
    decision = decide([verdict], rules(waivers=WAIVER), CLOCK)
    assert decision.gate.exit_code == 1
    assert decision.verdicts[0].disposition["covers"] == "1 of 2 findings"
    assert [one.waivers for one in decision.verdicts[0].findings] == [{"W-1": "in force"}, {}]


def test_an_expired_waiver_is_5(rules):
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding())
    decision = decide([verdict], rules(waivers=WAIVER.replace("2026-04-01", "2026-02-15")), CLOCK)
    assert decision.gate.exit_code == 5
    assert decision.gate.reasons == ["example.tracker: 1 finding covered only by expired W-1"]
    assert decision.gate.waivers[0]["state"] == "expired"
    assert decision.verdicts[0].findings[0].waivers == {"W-1": "expired"}


def test_a_waiver_that_is_not_yet_in_force_excuses_nothing(rules):
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding())
    decision = decide([verdict], rules(waivers=WAIVER.replace("2026-02-01", "2026-03-15")), CLOCK)
    assert decision.gate.exit_code == 1
    assert decision.gate.reasons[-1] == "waiver W-1 is not in force before 2026-03-15"


def test_a_clock_set_back_does_not_revive_what_had_lapsed_before_the_recording(rules):
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding())
    clock = Clock(as_of=AS_OF, recorded=datetime(2026, 5, 1, tzinfo=UTC))
    assert decide([verdict], rules(waivers=WAIVER), clock).gate.exit_code == 5
    unseen = make_verdict("tracker", Outcome.NOT_OBSERVABLE)
    clock = Clock(as_of=AS_OF, recorded=datetime(2026, 7, 1, tzinfo=UTC))
    assert decide([unseen], rules(attestations=ATTESTATION), clock).gate.exit_code == 5


def test_a_finding_that_an_expired_and_a_valid_waiver_cover_is_covered(rules):
    entry = WAIVER.split("waivers:\n")[1].replace("W-1", "W-2")
    both = WAIVER.replace("2026-04-01", "2026-02-15") + entry
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding())
    assert code(rules(waivers=both), verdict) == 0


def test_a_violation_without_findings_is_a_violation(rules):
    assert code(rules(), make_verdict("tracker", Outcome.FAIL)) == 1


def test_an_attestation_of_somebody_who_was_not_asked_does_not_count(rules):
    text = ATTESTATION.replace("role: operator", "role: visitor")
    decision = decide(
        [make_verdict("tracker", Outcome.NOT_OBSERVABLE)], rules(attestations=text), CLOCK
    )
    assert decision.gate.exit_code == 4
    assert "visitor does, operator is asked" in decision.gate.reasons[0]


def test_an_attestation_lasts_no_longer_than_its_check_allows(rules):
    text = ATTESTATION.replace("2026-01-01", "2024-06-01").replace("2026-06-01", "2030-01-01")
    verdict = make_verdict("tracker", Outcome.NOT_OBSERVABLE)
    decision = decide([verdict], rules(attestations=text), CLOCK)
    assert decision.gate.exit_code == 5
    assert decision.verdicts[0].disposition["valid_until"] == "2025-06-01"
    assert "as its check lets an answer hold 365d" in decision.gate.reasons[0]


def test_a_waiver_that_covers_nothing_is_said(rules):
    decision = decide([make_verdict()], rules(waivers=WAIVER), CLOCK)
    assert (decision.gate.exit_code, decision.gate.reasons) == (0, ["waiver W-1 covers nothing"])


def test_the_highest_cause_wins(rules):
    unproven = make_verdict("critical", Outcome.INCONCLUSIVE)
    lapsed = make_verdict("tracker", Outcome.FAIL, make_finding())
    violated = make_verdict("high", Outcome.FAIL, make_finding())
    late = rules(waivers=WAIVER.replace("2026-04-01", "2026-02-15"))
    assert code(late, unproven) == 4
    assert code(late, unproven, lapsed) == 5
    assert code(late, unproven, lapsed, violated) == 1


def test_too_little_exercised_is_4(rules):
    gate = "schema: audit/gate@1\nrequire: {min_exercised: 0.9}\n"
    assert code(rules(gate), make_verdict(), exercised=0.5) == 4
    assert code(rules(gate), make_verdict(), exercised=1.0) == 0
    assert code(rules(gate), make_verdict(), exercised=None) == 0


NEW_ONLY = "schema: audit/gate@1\nfail_on: {severity: low}\ncompare: {new_only: true}\n"


def against(rules, old, *verdicts) -> tuple[int, list[str]]:
    gate = decide(
        verdicts, rules, CLOCK, None, compare(make_result(*old), make_result(*verdicts))
    ).gate
    return gate.exit_code, gate.reasons


def test_new_only_lists_what_the_baseline_had_and_blocks_what_is_new(rules):
    old = make_verdict("tracker", Outcome.FAIL, make_finding())
    more = make_verdict("tracker", Outcome.FAIL, make_finding(), make_finding(agent="wget"))
    found = against(rules(NEW_ONLY), [old], old)
    assert found == (0, ["example.tracker: 1 finding in the baseline already"])
    assert against(rules(NEW_ONLY), [old], more)[0] == 1
    assert against(rules(NEW_ONLY.replace("true", "false")), [old], old)[0] == 1
    assert code(rules(NEW_ONLY), old) == 1


def test_new_only_does_not_speak_for_what_is_required(rules):
    gate = NEW_ONLY + "require: {verdicts: {critical: [pass]}}\n"
    old = make_verdict("critical", Outcome.FAIL, make_finding(severity="critical"))
    exit_code, reasons = against(rules(gate), [old], old)
    assert exit_code == 1
    assert "a verdict is required" in reasons[-1]


@pytest.mark.parametrize(
    "change",
    [
        {"quote": "We never talk."},
        {"reading": "Hardly any is contacted."},
        {"version": "0.9.0"},
        {"clause": "other"},
        {"severity": "low"},
        {"status": "experimental"},
        {"disposition": {"kind": "waiver"}},
        {"outcome": Outcome.PASS},
        {"findings": [make_finding(severity="low")]},
        {"findings": []},
        {"check": "example.high"},
    ],
)
def test_a_baseline_of_another_promise_or_under_a_waiver_excuses_nothing(rules, change):
    new = make_verdict("tracker", Outcome.FAIL, make_finding(), version="1.0.0")
    old = new.model_copy(update=change)
    assert against(rules(NEW_ONLY), [new], new)[0] == 0
    assert against(rules(NEW_ONLY), [old], new)[0] == 1


def test_an_expired_waiver_is_not_saved_by_a_baseline(rules):
    finding = make_verdict("tracker", Outcome.FAIL, make_finding())
    late = rules(NEW_ONLY, waivers=WAIVER.replace("2026-04-01", "2026-02-15"))
    assert against(late, [finding], finding)[0] == 5


@pytest.mark.parametrize(
    ("before", "after", "exit_code"),
    [
        (Outcome.PASS, Outcome.INCONCLUSIVE, 4),
        (Outcome.PASS, Outcome.NOT_OBSERVABLE, 4),
        (Outcome.PASS, Outcome.NOT_APPLICABLE, 4),
        (Outcome.FAIL, Outcome.INCONCLUSIVE, 4),
        (Outcome.INCONCLUSIVE, Outcome.NOT_OBSERVABLE, 4),
        (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, 0),
        (Outcome.NOT_OBSERVABLE, Outcome.PASS, 0),
        (Outcome.PASS, Outcome.PASS, 0),
    ],
)
def test_less_proven_than_before_blocks(rules, before, after, exit_code):
    old, new = make_verdict("low", before), make_verdict("low", after)
    assert against(rules(), [old], new)[0] == exit_code
    warned = "schema: audit/gate@1\ncompare: {coverage_loss: warn}\n"
    found, reasons = against(rules(warned), [old], new)
    assert found == 0
    assert bool(reasons) == (exit_code == 4)


def test_a_pass_with_fewer_actions_is_a_coverage_loss(rules):
    old = make_verdict("low", exercised=["app.idle: recorder", "app.message.send: peer"])
    new = make_verdict("low", exercised=["app.idle: peer"])
    exit_code, reasons = against(rules(), [old], new)
    assert exit_code == 4
    assert reasons == ["coverage loss: example.low: pass -> pass, without app.message.send"]


def test_an_attested_gap_where_the_baseline_saw_is_a_coverage_loss(rules):
    gone = make_verdict("tracker", Outcome.NOT_OBSERVABLE)
    attested = rules(attestations=ATTESTATION)
    assert code(attested, gone) == 0
    assert against(attested, [make_verdict("tracker")], gone)[0] == 4


def test_a_removed_check_blocks(rules):
    exit_code, reasons = against(
        rules(), [make_verdict("low"), make_verdict("high")], make_verdict("high")
    )
    assert exit_code == 4
    assert reasons == ["removed check: example.low: it is gone"]
    demoted = make_verdict("low", status="experimental")
    assert against(rules(), [make_verdict("low")], demoted)[0] == 4
    warned = "schema: audit/gate@1\ncompare: {removed_checks: warn}\n"
    assert against(rules(warned), [make_verdict("low")])[0] == 0


def waived() -> GateRules:
    with tempfile.TemporaryDirectory() as folder:
        policy = write_gate_policy(Path(folder) / "policy")
        path = Path(folder) / "waivers.yaml"
        path.write_text(WAIVER)
        return load_rules(load_policy(policy), waivers=path)


WAIVED = waived()
verdicts = st.lists(
    st.builds(
        lambda name, outcome: make_verdict(
            name, outcome, *([make_finding(severity=SEVERITIES[name])] if outcome == "fail" else [])
        ),
        st.sampled_from(list(SEVERITIES)),
        st.sampled_from(list(Outcome)),
    ),
    max_size=4,
)


@given(verdicts, st.randoms())
def test_the_order_of_verdicts_changes_no_exit_code(found, random):
    gate = GateRules(
        gate=GateFile.model_validate(
            {"schema": "audit/gate@1", "require": {"verdicts": {"high": ["pass"]}}}
        )
    )
    shuffled = found[:]
    random.shuffle(shuffled)
    assert code(gate, *found) == code(gate, *shuffled)


@given(verdicts)
def test_one_more_violation_never_opens_a_gate(found):
    gate = GateRules()
    worse = [*found, make_verdict("high", Outcome.FAIL, make_finding())]
    assert code(gate, *worse) == 1


@given(verdicts, verdicts)
def test_a_baseline_alone_never_makes_a_gate_greener(found, before):
    old, new = ({one.check: one for one in side}.values() for side in (before, found))
    old, new = list(old), list(new)
    gate = GateRules()
    order = (0, 4, 5, 1)
    with_baseline = against(gate, old, *new)[0]
    assert order.index(with_baseline) >= order.index(code(gate, *new))


@given(verdicts, verdicts)
def test_new_only_excuses_nothing_that_the_baseline_had_not(found, before):
    old, new = ({one.check: one for one in side}.values() for side in (before, found))
    old, new = list(old), list(new)
    gate = GateRules(
        gate=GateFile.model_validate(
            {
                "schema": "audit/gate@1",
                "fail_on": {"severity": "info"},
                "compare": {"new_only": True},
            }
        )
    )
    exit_code = against(gate, old, *new)[0]
    failed = {one.check for one in old if one.outcome is Outcome.FAIL}
    if any(one.outcome is Outcome.FAIL and one.check not in failed for one in new):
        assert exit_code == 1


@given(verdicts)
def test_dispositions_change_no_verdict(found):
    decision = decide(found, GateRules(), CLOCK)
    assert [one.outcome for one in decision.verdicts] == [one.outcome for one in found]


@given(st.integers(-40, 120), st.integers(-40, 120) | st.none())
def test_a_waiver_excuses_from_its_first_to_before_its_last_day_and_never_after(judged, recorded):
    """Created on day 0, expired on day 59; ``recorded`` is the end of the recording."""
    created = datetime(2026, 2, 1, tzinfo=UTC)
    clock = Clock(
        as_of=created + timedelta(days=judged),
        recorded=None if recorded is None else created + timedelta(days=recorded),
    )
    latest = judged if recorded is None else max(judged, recorded)
    expected = 5 if latest >= 59 else 0 if judged >= 0 else 1
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding())
    found = decide([verdict], WAIVED, clock)
    assert found.gate.exit_code == expected
    assert found.verdicts[0].outcome is Outcome.FAIL


@given(verdicts)
def test_a_waiver_excuses_only_what_it_covers(found):
    one = make_verdict("tracker", Outcome.FAIL, make_finding(), make_finding("u.invalid"))
    assert code(WAIVED, *found, one) == 1
