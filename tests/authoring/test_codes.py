"""Every code has a page, and every page a code."""

from __future__ import annotations

import re
from pathlib import Path

import audit
from audit.authoring.codes import CODES

_SOURCES = Path(audit.__file__).parent


def test_the_catalogue_holds_exactly_the_codes_that_can_be_raised():
    raised = {
        code
        for path in _SOURCES.rglob("*.py")
        for code in re.findall(r"""["']([EW]\d{3})["']""", path.read_text(encoding="utf-8"))
    }
    assert raised == set(CODES)


def test_every_code_is_explained_in_sentences():
    for code in CODES.values():
        assert code.title[0].islower() or code.title[0] == "'", code.code
        assert code.why.endswith("."), code.code
        assert code.mend.endswith("."), code.code
        assert code.code in code.explain()
