from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from audit.gate.compare import compare
from audit.model.outcome import Outcome
from audit.report.difference import (
    MOST_LISTED,
    gate_lines,
    render_json,
    render_markdown,
    render_text,
)
from tests.gate.making import make_finding, make_result, make_verdict

HOSTILE = (
    "</script><img src=x onerror=alert(1)> [a](javascript:x) ![b](http://x.example/p.png) | `c` **d** "
    "www.x.example @team #12 \x1b[31m \u202eabc ::error::x\n# heading <!-- -->"
)


def comparison(message="t.example"):
    finding = make_finding().model_copy(update={"message": message, "recordings": (1, 3)})
    old = make_verdict("low", Outcome.FAIL, make_finding(agent="gone"))
    new = make_verdict("tracker", Outcome.FAIL, finding)
    return compare(
        make_result(old, make_verdict("high")),
        make_result(make_verdict("low"), new, make_verdict("high", Outcome.INCONCLUSIVE)),
    )


def test_text_names_what_is_new_fixed_flaky_and_proven_less():
    text = "\n".join(render_text(comparison()))
    assert "new (1)\n  example.tracker (high, flaky 1/3): t.example" in text
    assert "fixed (1)\n  example.low" in text
    assert (
        "coverage loss: less is proven than before (1)\n  example.high: pass -> inconclusive"
        in text
    )
    assert "added checks (1)\n  example.tracker" in text


def test_json_holds_the_whole_matrix_and_the_exit_code():
    data = json.loads(render_json(comparison()))
    assert data["schema"] == "audit/diff@1"
    assert data["exit_code"] == 1
    assert data["transitions"]["pass"]["inconclusive"] == 1
    assert {len(row) for row in data["transitions"].values()} == {5}
    assert data["findings"]["new"][0]["flaky"] == "flaky 1/3"
    assert [one["fixed"] for one in data["findings"]["fixed"]] == [True]


def test_nothing_captured_steers_a_terminal_or_is_markup():
    found = comparison(HOSTILE)
    lines = render_text(found)
    assert all(line.isprintable() for line in lines)
    body = render_markdown(found)
    item = next(line for line in body.splitlines() if "onerror" in line)
    for sign in ("<", "[", "`", "|", "*", "@", "#"):
        assert item.count(sign) == item.count("\\" + sign), sign
    assert "www\\.x" in item
    assert "http\\://" in item


@given(st.text())
def test_any_message_stays_on_one_line_of_any_output(message):
    found = comparison(message)
    assert len(render_text(found)) == len(render_text(comparison()))
    assert len(render_markdown(found).splitlines()) == len(
        render_markdown(comparison()).splitlines()
    )
    json.loads(render_json(found))


def test_long_lists_are_cut_and_counted():
    findings = [make_finding(agent=str(number)) for number in range(MOST_LISTED + 5)]
    found = compare(make_result(), make_result(make_verdict("tracker", Outcome.FAIL, *findings)))
    assert "  and 5 more" in render_text(found)
    assert len(json.loads(render_json(found))["findings"]["new"]) == MOST_LISTED + 5


def test_a_terminal_is_told_why_the_gate_blocks_and_that_its_code_is_not_used():
    result = make_result()
    gate = result.gate.model_copy(update={"reasons": ["why"] * 30, "exit_zero": True})
    lines = gate_lines(result.model_copy(update={"gate": gate}))
    assert lines[20] == "  and 10 more"
    assert lines[-1].startswith("--exit-zero")


def test_results_in_the_wrong_order_are_said():
    late = make_result(as_of="2027-01-01T00:00:00Z")
    assert not any("in their order" in line for line in render_text(compare(make_result(), late)))
    assert any("in their order" in line for line in render_text(compare(late, make_result())))
    assert render_text(compare(make_result(as_of="whenever"), late))
