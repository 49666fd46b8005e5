from audit.report.anchors import Anchors
from audit.report.document import ELLIPSIS, passages

from . import results


def read(result):
    """Each section as text, judged sentences in angle brackets, paragraphs by a bar."""
    return {
        passage.title: " | ".join(
            "".join(f"<{run.text}>" if run.anchor else run.text for run in paragraph).strip()
            for paragraph in passage.paragraphs
        )
        for passage in passages(result, Anchors())
    }


def document(text, *quotes):
    """A result over a policy of (section, quote) pairs."""
    one = results.make_result([])
    clauses = [
        one.clauses[0].model_copy(update={"id": f"c{n}", "section": section, "quote": quote})
        for n, (section, quote) in enumerate(quotes)
    ]
    policy = one.policy.model_copy(update={"text": text})
    return one.model_copy(update={"clauses": clauses, "policy": policy})


def test_sentences_stand_in_the_running_text_under_their_headings():
    text = "Menu Help\nWe keep nothing, and we\nsell nothing. That is all. Cookies We set none. Contact"
    made = document(
        text, ("Short", "We keep nothing"), ("Short", "we sell nothing."), ("Cookies", "set none.")
    )
    assert read(made) == {
        "Short": "<We keep nothing>, and <we sell nothing.> That is all.",
        "Cookies": "We <set none.>",
    }


def test_paragraphs_of_the_text_are_kept():
    made = document("A one.\n\nB two.\n \nC three.", ("S", "A one."), ("S", "C three."))
    assert read(made) == {"S": "<A one.> | B two. | <C three.>"}


def test_a_quote_that_is_not_in_its_place_stands_alone():
    made = document("One. Two.", ("S", "Two."), ("S", "One."), ("T", "Three."))
    assert read(made) == {"S": "<Two.> <One.>", "T": "<Three.>"}
    assert read(document("", ("S", "One."), ("S", "Two."))) == {"S": "<One.> <Two.>"}


def test_long_stretches_without_a_quote_are_cut_and_it_shows():
    made = document(f"First. {'words and ' * 900}Last.", ("S", "First."), ("S", "Last."))
    shown = read(made)["S"]
    assert len(shown) < 1_200
    assert ELLIPSIS in shown
    assert shown.endswith("<Last.>")


def test_every_clause_of_the_shipped_policy_is_found_in_its_text(broken):
    runs = [run for p in passages(broken, Anchors()) for part in p.paragraphs for run in part]
    assert [run.text for run in runs if run.anchor] == [c.quote for c in broken.clauses]
    shown = " ".join("".join(run.text for run in runs).split())
    assert "That’s our policy in a nutshell." in shown
    assert "run by the which serves you the list of servers in the network." in shown
