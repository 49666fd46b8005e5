"""Every code of lint with its meaning, its reason and the way to mend it (``codes.csv``)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One kind of mistake."""

    code: str
    title: str
    why: str
    """What would go wrong with it."""
    mend: str
    """What to do."""

    @property
    def may_be_allowed(self) -> bool:
        """Whether a comment may allow it: the policy loads in spite of it."""
        return self.code[0] == "W" or self.code in _LOADS

    def explain(self) -> str:
        """Return its page of ``audit policy lint --explain``."""
        kind = "warning" if self.code.startswith("W") else "error"
        lines = [
            f"{self.code} ({kind}): {self.title}",
            "",
            f"Why: {self.why}",
            f"Mend: {self.mend}",
        ]
        if self.may_be_allowed:
            lines.append(f"Allow, with a reason, on its line: # audit: allow {self.code} REASON")
        return "\n".join(lines)


_LOADS: Final = frozenset({"E201", "E203", "E206", "E208", "E301"})
"""Errors with which a policy still loads."""


def _read() -> dict[str, Code]:
    text = (files("audit.authoring") / "codes.csv").read_text(encoding="utf-8")
    return {row["code"]: Code(**row) for row in csv.DictReader(text.splitlines())}


CODES: Final = _read()
"""Code -> what it means, in order."""
