"""What is wrong with a YAML file: a place, a sentence, a hint; all of a file at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from audit.errors import PolicyError

Level = Literal["error", "warning"]
_MANY = 16
"""More allowed words than this are not listed beside a better hint."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong in one place."""

    source: str
    """File as the user named it."""
    line: int
    """1-based; lines end at LF or CR LF."""
    column: int
    """1-based, in characters."""
    code: str
    """``E0xx`` syntax and shape, ``E1xx`` names and types, ``E2xx`` honesty, ``E3xx`` examples;
    ``W…`` where a verdict is not at stake."""
    message: str
    """One sentence without a final stop."""
    excerpt: str = ""
    """The line itself."""
    length: int = 1
    """How many characters to underline."""
    hint: str | None = None
    allowed: tuple[str, ...] = ()
    """Words that may stand there."""

    @property
    def level(self) -> Level:
        """Whether it stops the file from being used."""
        return "warning" if self.code.startswith("W") else "error"

    @property
    def place(self) -> str:
        """``file:line:column``."""
        return f"{self.source}:{self.line}:{self.column}"

    def remarks(self) -> list[str]:
        """Return the hint and the allowed words, as sentences."""
        remarks = [self.hint] if self.hint else []
        if self.allowed and not (self.hint and len(self.allowed) > _MANY):
            remarks.append("allowed: " + " ".join(self.allowed))
        return remarks

    def render(self) -> str:
        """Return the sentence with the line it is about underlined."""
        lines = [f"{self.place}  {self.code} {self.message}"]
        remarks = self.remarks()
        if self.excerpt.strip():
            shown, column = _window(self.excerpt, self.column)
            length = max(1, min(self.length, len(shown) - column + 1))
            lines.append(f"{self.line:>5} | {shown}")
            mark = " " * (column - 1) + "^" * length
            lines.append(f"      | {mark} {'  '.join(remarks)}".rstrip())
        elif remarks:
            lines.append(f"      {'  '.join(remarks)}")
        return "\n".join(lines)


def _window(line: str, column: int, width: int = 160) -> tuple[str, int]:
    """Cut a long line around ``column``; control characters become visible."""
    safe = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
    if len(safe) <= width:
        return safe, column
    start = max(0, min(column - 1 - width // 3, len(safe) - width))
    cut = safe[start : start + width]
    return (f"…{cut}", column - start + 1) if start else (cut, column)


class PolicyFileError(PolicyError):
    """One or several YAML files are wrong; knows every problem (exit code 2)."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        first = self.problems[0]
        super().__init__(first.message, source=first.place, hint="  ".join(first.remarks()) or None)

    def __str__(self) -> str:
        return "\n".join(problem.render() for problem in self.problems)


def closest(word: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed word that was probably meant."""
    words = list(allowed)
    found = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if found:
        return found[0]
    folded = {item.lower(): item for item in words}
    return folded.get(word.lower())


def did_you_mean(word: str, allowed: Sequence[str]) -> str | None:
    """Return the hint ``did you mean 'x'?`` where a word is near enough."""
    near = closest(word, allowed)
    return f"did you mean '{near}'?" if near else None
