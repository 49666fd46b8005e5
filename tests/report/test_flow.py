import re

from hypothesis import given
from hypothesis import strategies as st

from audit.report.compose import make_view

from . import results


def flows(rows, verdicts=()):
    coverage = results.make_coverage(recipients=rows)
    return make_view(results.make_result(list(verdicts), coverage=coverage)).flows


def recipient(name, n=100, **fields):
    return {"recipient": name, "role": None, "owner": None, "process": "app", "bytes": n} | fields


def test_servers_of_one_role_are_one_box_and_what_the_recorder_planted_is_left_out(broken):
    wide, narrow = make_view(broken).flows
    labels = [node.label for node in wide.nodes]
    assert "storage node" in labels
    assert labels[0] == "session-python 1.0.5"
    assert narrow.nodes[0].label == "client"
    assert "owner not listed" in labels
    rows = [recipient("a.example"), recipient("b.example", process="control")]
    assert [node.label for node in flows(rows)[0].nodes[1:]] == ["a.example", "owner not listed"]


def test_recipients_of_findings_come_first_and_are_marked(broken):
    wide, _ = make_view(broken).flows
    accused = [node for node in wide.nodes if node.is_accused]
    assert {node.label for node in accused} == {"storage node", "file server"}
    assert wide.nodes[1].is_accused
    ids = {finding.anchor for v in make_view(broken).violations for finding in v.findings}
    assert {node.anchor for node in accused} <= ids
    assert "storage node and file server" in wide.alt


def test_owners_and_other_senders_have_their_boxes():
    rows = [
        recipient("a.example", owner="Ann Ltd"),
        recipient("b.example", owner="Ann Ltd", process="os"),
        recipient("c.example", 0),
    ]
    (wide, _) = flows(rows)
    assert [node.label for node in wide.nodes] == [
        "session-python 1.0.5", "system", "a.example", "b.example", "c.example", "Ann Ltd", "owner not listed",
    ]  # fmt: skip
    assert len(wide.ribbons) == 6


def test_beyond_a_bound_the_others_share_a_box():
    wide, _ = flows([recipient(f"h{n}.example", 1000 - n) for n in range(40)])
    assert "26 other recipients" in [node.label for node in wide.nodes]


def test_no_recipient_no_picture():
    assert flows([]) == ()


@given(st.lists(st.tuples(st.text(), st.integers(0, 10**12), st.text(max_size=3)), max_size=40))
def test_everything_lies_inside_the_picture(drawn):
    rows = [recipient(name, n, owner=owner) for name, n, owner in drawn]
    for flow in flows(rows):
        for node in flow.nodes:
            assert 0 <= node.x < flow.width
            assert node.y > 0
            assert node.y + node.height < flow.height
        for ribbon in flow.ribbons:
            numbers = [float(n) for n in re.findall(r"-?\d+\.\d", ribbon.path)]
            assert min(numbers) >= 0
            assert max(numbers) <= max(flow.width, flow.height)
