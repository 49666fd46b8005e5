import pytest

from audit.model.outcome import Outcome
from audit.model.result import ClauseRecord
from audit.report.sentence import MARKS, client_of, mark_of, tallies_of, verdict_sentence

from . import results

F, N, P, S = Outcome.FAIL, Outcome.NOT_OBSERVABLE, Outcome.PASS, Outcome.NOT_APPLICABLE
U = Outcome.INCONCLUSIVE


def judged(*outcomes: Outcome | None):
    records = [
        ClauseRecord(id=f"c{i}", quote="q", section="s", outcome=o, checks=[])
        for i, o in enumerate(outcomes)
    ]
    return results.make_result([], clauses=records)


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        (
            [F, F, P, P, U, N, None],
            "session-python 1.0.5 broke 2 of the 6 promises that were judged, kept 2 and left 2 unproven.",
        ),
        ([F, P, P], "session-python 1.0.5 broke 1 of the 3 promises that were judged and kept 2."),
        (
            [F, U],
            "session-python 1.0.5 broke 1 of the 2 promises that were judged and left 1 unproven.",
        ),
        ([F, F], "session-python 1.0.5 broke 2 of the 2 promises that were judged."),
        ([F, None, S], "session-python 1.0.5 broke the one promise that was judged."),
        ([P, P, S], "session-python 1.0.5 kept all 2 promises that were judged."),
        ([P], "session-python 1.0.5 kept the one promise that was judged."),
        (
            [P, U, N],
            "No promise is shown broken, but 2 of the 3 that were judged could not be proven for session-python 1.0.5; one was kept.",
        ),
        (
            [P, P, U],
            "No promise is shown broken, but 1 of the 3 that were judged could not be proven for session-python 1.0.5; 2 were kept.",
        ),
        (
            [U],
            "No promise is shown broken, but 1 of the 1 that were judged could not be proven for session-python 1.0.5.",
        ),
        ([None, S], "Nothing could be judged for session-python 1.0.5."),
    ],
)
def test_verdict_in_one_sentence(outcomes, sentence):
    assert verdict_sentence(judged(*outcomes)) == sentence


def test_tallies_cover_every_sentence_once():
    tallies = tallies_of(judged(F, P, None, None))
    assert [tally.mark for tally in tallies] == list(MARKS)
    assert sum(tally.n for tally in tallies) == 4


def test_every_outcome_has_a_mark():
    assert {mark_of(outcome) for outcome in [*Outcome, None]} == set(MARKS)


def test_client_is_named_by_the_program_that_ran():
    capture = results.make_capture("prog", "1.2", "passive", "x", "y")
    other = results.make_capture("prog", "1.3", "passive", "x", "y")
    assert client_of(results.make_result([], captures=[capture, other])).title == "prog 1.2 and 1.3"
    assert client_of(results.make_result([], captures=[], target={"name": "any"})).title == "any"
    assert (
        client_of(results.make_result([], captures=[], target={"is_official": "yes"})).is_official
        is None
    )


@pytest.mark.parametrize("n", range(4**4))
def test_every_mixture_of_outcomes_has_a_sentence(n: int) -> None:
    counts = [n // 4**place % 4 for place in range(4)]
    mixture = [o for o, times in zip((F, U, N, P), counts, strict=True) for _ in range(times)]
    assert verdict_sentence(judged(*mixture, None)).endswith(".")
