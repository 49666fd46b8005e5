from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.gate.decide import decide
from audit.gate.rules import GateRules, load_rules
from audit.model.outcome import Outcome
from audit.yamlfile.gate import GateFile

from .making import AS_OF, ATTESTATION, SEVERITIES, WAIVER, make_finding, make_verdict


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
    return decide(verdicts, rules, AS_OF, **more).gate.exit_code


def test_a_gate_that_holds_is_green(rules):
    decision = decide([make_verdict(), make_verdict("critical")], rules(), AS_OF)
    assert (decision.gate.exit_code, decision.gate.reasons) == (0, [])


def test_a_violation_of_the_gates_severity_blocks(rules):
    decision = decide([make_verdict("tracker", Outcome.FAIL, make_finding())], rules(), AS_OF)
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
    decision = decide([make_verdict("tracker", outcome)], rules(), AS_OF)
    assert decision.gate.exit_code == 4
    assert decision.gate.reasons[0].startswith(f"example.tracker is {outcome}, high")


def test_what_does_not_apply_is_not_required(rules):
    assert code(rules(), make_verdict("critical", Outcome.NOT_APPLICABLE)) == 0


def test_an_attestation_stands_in_for_what_cannot_be_observed(rules):
    verdict = make_verdict("tracker", Outcome.NOT_OBSERVABLE)
    decision = decide([verdict], rules(attestations=ATTESTATION), AS_OF)
    assert decision.gate.exit_code == 0
    assert decision.verdicts[0].outcome is Outcome.NOT_OBSERVABLE
    disposition = decision.verdicts[0].disposition
    assert disposition["kind"] == "attestation"
    assert (disposition["by"], disposition["expired"]) == ("Ann", False)


def test_an_attestation_that_lapsed_is_5(rules):
    late = ATTESTATION.replace("2026-06-01", "2026-02-01")
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
    decision = decide([verdict], rules(waivers=WAIVER), AS_OF)
    assert decision.gate.exit_code == 0
    assert decision.verdicts[0].outcome is Outcome.FAIL
    assert decision.verdicts[0].disposition["covers"] == "1 of 1 findings"


def test_a_finding_that_no_waiver_covers_still_blocks(rules):
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding(), make_finding(agent="wget"))
    decision = decide([verdict], rules(waivers=WAIVER), AS_OF)
    assert decision.gate.exit_code == 1
    assert decision.verdicts[0].disposition["covers"] == "1 of 2 findings"


@pytest.mark.parametrize("old", ["2026-04-01", "2026-02-01"])
def test_a_waiver_out_of_its_time_is_5(rules, old):
    new = {"2026-04-01": "2026-02-15", "2026-02-01": "2026-03-15"}[old]
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding())
    decision = decide([verdict], rules(waivers=WAIVER.replace(old, new)), AS_OF)
    assert decision.gate.exit_code == 5
    assert decision.gate.reasons == ["example.tracker: 1 finding covered only by expired W-1"]


def test_a_waiver_that_covers_nothing_is_said(rules):
    decision = decide([make_verdict()], rules(waivers=WAIVER), AS_OF)
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
