"""Every captured value is an attack, and every output is inert: as text, as JSON, as XML."""

from __future__ import annotations

import re
import unicodedata

import pytest

from audit.model.result import Result
from audit.report.formats import FORMATS

from . import results
from .variants import VARIANTS, rendered

HOSTILE = [name for name in VARIANTS if name.startswith("hostile") or name == "surrogates"]
OUTPUTS = [one for one in FORMATS.values() if one.name not in {"json", "html", "pdf"}]
"""``result.json`` holds values as they are, escaped as JSON; the page has tests of its own."""


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("output", OUTPUTS, ids=lambda one: one.name)
def test_no_output_holds_a_hidden_character(output, name):
    """Terminal escapes, bidirectional controls, NUL, surrogates: named, never present."""
    text = rendered(output.name, name).decode("utf-8")  # strict: no lone surrogate
    hidden = {
        f"U+{ord(char):04X}"
        for char in set(text)
        if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in "\n\t\r"
    }
    assert hidden == set()
    assert not re.search(r"\r(?!\n)", text)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("output", OUTPUTS, ids=lambda one: one.name)
def test_attacks_are_really_in_the_output(output, name):
    """The other tests would pass on an output that dropped what was captured."""
    data = rendered(output.name, name)
    assert b"[U+202E]" in data or b"alert" in data or len(data) < 4_000


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "output", [one for one in OUTPUTS if one.name != "github"], ids=lambda one: one.name
)
def test_no_line_is_a_command_of_a_pipeline(output, name):
    """GitHub and Azure read commands at the start of a line of what a step prints."""
    text = rendered(output.name, name).decode("utf-8")
    lines = [line for line in text.splitlines() if re.match(r"\s*(::|##\[)", line)]
    assert lines == []


@pytest.mark.parametrize("wrong", [7, 1e308, True, "x", {"x": 1}, [7], [[7]], [{}], None])
@pytest.mark.parametrize(
    "output",
    [one for one in FORMATS.values() if one.name not in {"json", "pdf"}],
    ids=lambda one: one.name,
)
def test_records_of_another_shape_are_rendered_all_the_same(output, wrong):
    """The schema leaves some records open, so anybody may hand over a result that fills them so."""
    tree = results.session_python().model_dump(mode="json", by_alias=True)
    tree["captures"][0]["client"]["command"] = wrong
    tree["coverage"]["actions"].append({"capture": "x", "name": "x", "ts": wrong})
    tree["coverage"]["timeline"].append({"recipient": "x", "spans": wrong})
    tree["coverage"]["timeline"].append({"recipient": "y", "spans": [wrong, [wrong, wrong]]})
    tree["reported"].append({"check": "x", "rows": wrong})
    tree["gate"]["waivers"].append({"state": wrong})
    tree["baseline"] = {"absent": wrong, "coverage_loss": wrong, "removed_checks": wrong}
    assert output.render(Result.model_validate(tree))
