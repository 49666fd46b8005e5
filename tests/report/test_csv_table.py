"""CSV: whole by the standard library's reader, and no cell is a formula."""

from __future__ import annotations

import csv
import io

import pytest

from audit.report.csv_table import COLUMNS, render_csv

from . import results
from .variants import MORE_ATTACKS, VARIANTS, waived


def rows_of(result) -> list[dict[str, str]]:
    text = render_csv(result)
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_line_a_finding_and_a_line_a_check_without_any(name):
    result = VARIANTS[name]()
    rows = rows_of(result)
    assert len(rows) == sum(max(1, len(verdict.findings)) for verdict in result.verdicts)
    for row in rows:
        assert set(row) == set(COLUMNS)
        for value in row.values():
            assert not value.lstrip(" \n").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_finding_is_told_with_its_place(broken):
    row = rows_of(broken)[0]
    finding = broken.verdicts[0].findings[0]
    assert row["text"] == finding.message
    assert row["recipient"] == "storage_node"
    assert (row["file"], row["records"], row["part"]) == ("flows.mitm", "3", "request.body")
    assert (row["start"], row["end"]) == ("120", "186")
    assert row["fingerprint"] == finding.fingerprint
    assert rows_of(waived())[0]["waivers"] == "W-1 in force"


@pytest.mark.parametrize("attack", [*MORE_ATTACKS, " =1+1", "\n@x", "\uff1d1", 'a "b", c'])
def test_a_formula_is_a_text(attack):
    finding = results.make_finding(message=attack.replace("\ud800", "").replace("\udfff", ""))
    result = results.make_result([results.make_verdict("a.b", "x", "fail", findings=[finding])])
    text = rows_of(result)[0]["text"]
    assert text.lstrip(" \n")[:1] not in set("=+-@\uff1d\uff0b\uff0d\uff20\t")


def test_lines_end_as_the_rfc_says(broken):
    text = render_csv(broken)
    assert text.endswith("\r\n")
    assert text.count("\r\n") == len(broken.verdicts) + 1 + 1  # one check has two findings
