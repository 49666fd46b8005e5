from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.gate.compare import compare
from audit.model.outcome import Outcome
from audit.model.result import ClauseRecord, Reason

from .making import SEVERITIES, make_finding, make_result, make_verdict

FAIL = Outcome.FAIL


def clause(quote: str, name="trackers") -> ClauseRecord:
    return ClauseRecord(id=name, quote=quote, section="One", outcome=None, checks=[])


def compared(old, new, **changes):
    return compare(make_result(*old), make_result(*new, **changes))


def fingerprints(side) -> list[str]:
    return [one.finding.columns["user_agent"] for one in side]


def test_findings_are_new_fixed_and_unchanged_by_fingerprint():
    old = make_verdict("tracker", FAIL, make_finding(agent="a"), make_finding(agent="b"))
    new = make_verdict("tracker", FAIL, make_finding(agent="b"), make_finding(agent="c"))
    found = compared([old], [new])
    assert fingerprints(found.added) == ["c"]
    assert fingerprints(found.kept) == ["b"]
    assert [(one.finding.columns["user_agent"], one.doubt) for one in found.absent] == [("a", None)]
    assert found.exit_code == 1


def test_the_same_fingerprint_of_another_check_is_another_finding():
    found = compared(
        [make_verdict("high", FAIL, make_finding())],
        [make_verdict("tracker", FAIL, make_finding())],
    )
    assert len(found.added) == len(found.absent) == 1


@pytest.mark.parametrize(
    ("new", "doubt"),
    [
        ([], "its check is gone"),
        ([make_verdict("tracker", Outcome.INCONCLUSIVE)], "inconclusive now"),
        ([make_verdict("tracker", Outcome.NOT_APPLICABLE)], "not_applicable now"),
        ([make_verdict("tracker", reading="Some are.")], "changed"),
        ([make_verdict("tracker", exercised=[])], "app.idle was not exercised"),
        ([make_verdict("tracker", exercised=["app.idle: on the word of a person"])], None),
    ],
)
def test_what_is_absent_is_fixed_only_where_it_was_looked_for_again(new, doubt):
    old = make_verdict("tracker", FAIL, make_finding(), exercised=["app.idle: recorder"])
    (absent,) = compared([old], new).absent
    assert absent.doubt is None if doubt is None else doubt in absent.doubt


def test_a_flaky_finding_that_is_absent_is_not_proven_fixed():
    finding = make_finding().model_copy(update={"recordings": (1, 3)})
    (absent,) = compared([make_verdict("tracker", FAIL, finding)], [make_verdict("tracker")]).absent
    assert absent.doubt == "it was flaky, in 1 of 3 recordings"


def test_the_matrix_counts_checks_of_both():
    old = [make_verdict("tracker"), make_verdict("low"), make_verdict("high")]
    new = [
        make_verdict("tracker", Outcome.INCONCLUSIVE, reasons=[Reason(text="idle was not done")]),
        make_verdict("low"),
    ]
    found = compared(old, new)
    assert found.matrix[Outcome.PASS][Outcome.INCONCLUSIVE] == 1
    assert found.matrix[Outcome.PASS][Outcome.PASS] == 1
    assert sum(sum(row.values()) for row in found.matrix.values()) == 2
    assert [len(row) for row in found.matrix.values()] == [5] * 5
    assert [loss.text for loss in found.losses] == ["pass -> inconclusive: idle was not done"]
    assert [one.check for one in found.removed_checks] == ["example.high"]
    assert found.exit_code == 4


def test_added_checks_drift_and_changed_checks_are_named():
    old = make_result(make_verdict("low", version="1.0.0"), clauses=[clause("We never talk.")])
    new = make_result(
        make_verdict("low", version="1.1.0", severity="info", leaned_on=["the target sets x"]),
        make_verdict("high"),
        clauses=[clause("We seldom talk."), clause("More.", "other")],
        policy=make_result().policy.model_copy(update={"sha256": "2" * 64}),
    )
    found = compare(old, new)
    assert found.added_checks == ("example.high",)
    assert [one.what for one in found.drift] == ["other", "trackers"]
    assert [one.what for one in found.changed_checks] == [
        "version of example.low",
        "severity of example.low",
        "example.low leans on",
    ]
    assert [one.what for one in found.differences] == ["policy text"]
    assert found.exit_code == 0
    assert found.is_of_one_client


def test_results_of_two_clients_are_said_to_be_that():
    assert not compared([], [], target={"name": "other"}).is_of_one_client


def test_nothing_is_fixed_between_two_clients():
    old = [make_verdict("tracker", FAIL, make_finding())]
    found = compared(old, [make_verdict("tracker")], target={"name": "other"})
    assert found.fixed == ()
    assert [one.doubt for one in found.not_seen] == ["it is of another client or policy"]


def test_experimental_findings_are_listed_and_do_not_count():
    new = make_verdict("tracker", FAIL, make_finding(), status="experimental")
    found = compared([], [new])
    assert len(found.added) == 1
    assert found.exit_code == 0


def test_a_list_of_findings_under_a_pass_is_no_violation():
    forged = make_verdict("tracker", Outcome.PASS, make_finding())
    found = compared([forged], [make_verdict("tracker", FAIL, make_finding())])
    assert len(found.added) == 1


results = st.lists(
    st.builds(
        lambda name, outcome, agents: make_verdict(
            name, outcome, *(make_finding(agent=agent) for agent in agents if outcome == "fail")
        ),
        st.sampled_from(list(SEVERITIES)),
        st.sampled_from(list(Outcome)),
        st.sets(st.sampled_from("abc"), min_size=1),
    ),
    max_size=4,
    unique_by=lambda verdict: verdict.check,
)


@given(results)
def test_a_result_compared_with_itself_differs_in_nothing(verdicts):
    found = compared(verdicts, verdicts)
    assert not (found.added)
    assert not (found.absent)
    assert not (found.losses)
    assert not (found.removed_checks)
    assert not (found.differences)
    assert not (found.drift)
    assert not (found.changed_checks)
    assert not (found.added_checks)
    assert found.exit_code == 0
    assert all(one.is_known for one in found.kept)


@given(results, results)
def test_every_finding_stands_on_one_side_and_the_way_back_is_the_reverse(old, new):
    there, back = compared(old, new), compared(new, old)
    assert len(there.added) + len(there.kept) == sum(len(one.findings) for one in new)
    assert len(there.absent) + len(there.kept) == sum(len(one.findings) for one in old)
    assert fingerprints(there.added) == fingerprints(back.absent)
    assert all(
        there.matrix[one][other] == back.matrix[other][one] for one in Outcome for other in Outcome
    )


@given(results, results)
def test_nothing_is_called_fixed_while_its_check_is_undecided(old, new):
    outcomes = {one.check: one.outcome for one in new}
    for absent in compared(old, new).absent:
        if absent.doubt is None:
            assert outcomes[absent.verdict.check] in {Outcome.PASS, Outcome.FAIL}


def test_a_pass_that_newly_leans_on_something_or_reads_less_is_told_but_counts_are_not():
    old = make_verdict("low", limits=["3 of 9 messages are opaque"])
    new = make_verdict("low", limits=["4 of 7 messages are opaque", "no onion request was seen"])
    assert [one.after for one in compared([old], [new]).changed_checks] == [
        "no onion request was seen"
    ]
