"""Every captured value is an attack, and every output is inert: as text, as JSON, as XML."""

from __future__ import annotations

import re
import unicodedata

import pytest

from audit.report.formats import FORMATS

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
