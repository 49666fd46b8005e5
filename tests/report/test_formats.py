"""The registry: every output has its own name and file, and is a pure function of the result."""

import hashlib
import os
import re
import subprocess
import sys

import pytest

from audit.errors import UsageError
from audit.model.outcome import Outcome
from audit.report.formats import DEFAULT, FORMATS, PolicyPlace, chosen_formats
from tests.conftest import ROOT

from . import results
from .variants import rendered


def test_names_and_files_are_unique():
    assert len({one.file for one in FORMATS.values()}) == len(FORMATS)
    assert set(DEFAULT) <= set(FORMATS)
    for name, one in FORMATS.items():
        assert one.name == name
        assert one.summary


def test_the_documentation_names_every_output_in_order():
    text = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| `([A-Za-z.-]+)` \| ", text, re.MULTILINE)
    assert rows == [(one.name, one.file) for one in FORMATS.values()]


@pytest.mark.parametrize(
    "name", sorted(FORMATS.keys() - {"pdf"})
)  # test_pdf.py: it needs a browser
def test_every_output_renders(name, broken):
    assert FORMATS[name].render(broken)


def test_outputs_are_chosen_once_in_order():
    assert [one.name for one in chosen_formats([" json", "html", "", "json"])] == ["json", "html"]


@pytest.mark.parametrize("names", [["pdfx"], [], [""]])
def test_what_is_no_format_is_refused(names):
    with pytest.raises(UsageError, match="format"):
        chosen_formats(names)


def test_a_place_joins_paths():
    assert PolicyPlace(folder="").path("checks/a.yaml") == "checks/a.yaml"
    assert PolicyPlace(folder="a/b").path("checks/a.yaml") == "a/b/checks/a.yaml"


def test_a_check_stands_at_its_line_or_at_the_policy():
    place = PolicyPlace(folder="a")
    known = results.make_verdict("a.b", "x", Outcome.FAIL, file="checks/a.yaml", line=7)
    unknown = results.make_verdict("a.b", "x", Outcome.FAIL, file=None, line=None)
    assert place.line_of(known) == ("a/checks/a.yaml", 7)
    assert place.line_of(unknown) == ("a/policy.yaml", 1)


_DIGESTS = """
import hashlib
from audit.report.formats import FORMATS
from tests.report.variants import VARIANTS
for name in ("broken", "waived", "hostile"):
    for one in FORMATS.values():
        if one.name == "pdf":  # what a browser prints is compared in test_pdf.py
            continue
        print(name, one.name, hashlib.sha256(one.render(VARIANTS[name]())).hexdigest())
"""


def test_another_process_and_hash_seed_give_the_same_bytes():
    """What a run gives depends on the result alone."""
    there = subprocess.run(
        [sys.executable, "-c", _DIGESTS],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout.splitlines()
    here = [
        f"{name} {one} {hashlib.sha256(rendered(one, name)).hexdigest()}"
        for name in ("broken", "waived", "hostile")
        for one in FORMATS
        if one != "pdf"
    ]
    assert there == here
