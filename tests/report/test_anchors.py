import re

from hypothesis import given
from hypothesis import strategies as st

from audit.report.anchors import Anchors, anchor


@given(st.lists(st.tuples(st.sampled_from(["clause", "check"]), st.text())))
def test_anchors_are_unique_stable_and_safe(names):
    anchors = Anchors()
    made = {key: anchors.add(*key) for key in names}
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", name) for name in made.values())
    assert all(anchors.add(*key) == anchors.find(*key) == name for key, name in made.items())


def test_anchor_of_an_ordinary_name_can_be_foretold():
    assert (
        Anchors().add("clause", "app.contacts")
        == anchor("clause", "app.contacts")
        == "clause-app.contacts"
    )


def test_unknown_thing_has_no_anchor():
    assert Anchors().find("clause", "x") is None
