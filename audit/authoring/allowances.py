"""``# audit: allow CODE reason``: the one inline switch of lint; a verdict never sees it.

It stands at the end of the line that it means, or alone on the line above; before the first key it
means the whole file. Mistakes that keep a policy from loading cannot be allowed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from audit.authoring.codes import CODES
from audit.yamlfile.located import Located, Span
from audit.yamlfile.problem import Problem, did_you_mean

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#[ ]*audit:[ ]*allow\b[ ]*(\S*)[ ]*(.*)$", re.MULTILINE)
_NO_KEY: Final = re.compile(r"\s*(#.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One comment."""

    code: str
    reason: str
    line: int | None
    """Line that it means; ``None``: the whole file."""
    problem: Problem
    """Its place, for messages about it."""

    def covers(self, code: str, line: int) -> bool:
        """Whether it allows this code on this line."""
        return self.code == code and self.line in {None, line}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A problem that a comment allows, and why."""

    problem: Problem
    reason: str


def allowances_of(located: Located) -> Iterator[Allowance | Problem]:
    """Yield the allowances of a file, and a problem for each that says too little."""
    source = located.source
    spans = (place.value for place in located.places.values())
    scalars = sorted(
        (span for span in spans if span.end > span.start + 1), key=lambda span: span.start
    )
    starts = [span.start for span in scalars]
    lines = source.text.split("\n")
    for match in _COMMENT.finditer(source.text):
        before = bisect_right(starts, match.start()) - 1
        if before >= 0 and scalars[before].end > match.start():
            continue  # inside a text
        code, reason = match[1], match[2].strip()
        span = Span(match.start(), match.end())
        fault = _fault(code, reason)
        if fault is not None:
            yield source.problem(span, "E310", fault[0], hint=fault[1])
            continue
        number, column = source.line_and_column(match.start())
        line: int | None = number
        if not lines[number - 1][: column - 1].strip():
            line = _following(lines, number)
            if all(_NO_KEY.fullmatch(text) for text in lines[: number - 1]):
                line = None
        unused = source.problem(span, "W310", f"nothing here needs '{code}' to be allowed")
        yield Allowance(code=code, reason=reason, line=line, problem=unused)


def _following(lines: list[str], number: int) -> int:
    """Return the next line that holds more than a comment."""
    for following in range(number + 1, len(lines) + 1):
        if not _NO_KEY.fullmatch(lines[following - 1]):
            return following
    return number


def _fault(code: str, reason: str) -> tuple[str, str | None] | None:
    known = CODES.get(code)
    if known is None:
        return f"there is no code '{code}'", did_you_mean(code, tuple(CODES))
    if not known.may_be_allowed:
        return f"'{code}' cannot be allowed: the policy does not load with it", None
    if not reason:
        return "an allowance says why", f"write '# audit: allow {code} the reason'"
    return None


def sift(
    problems: Iterable[Problem], files: Iterable[Located], *, unused: frozenset[str] = frozenset()
) -> tuple[list[Problem], list[Allowed]]:
    """Part problems into those that stand and those that a comment allows.

    Comments that allow nothing are problems themselves, but for codes in ``unused``, which were not
    looked for.
    """
    found = {located.name: list(allowances_of(located)) for located in files}
    standing = [item for items in found.values() for item in items if isinstance(item, Problem)]
    allowed: list[Allowed] = []
    used: set[Allowance] = set()
    for problem in problems:
        fitting = [
            item
            for item in found.get(problem.source, ())
            if isinstance(item, Allowance) and item.covers(problem.code, problem.line)
        ]
        used |= set(fitting)
        if fitting:
            allowed.append(Allowed(problem=problem, reason=fitting[0].reason))
        else:
            standing.append(problem)
    standing += [
        item.problem
        for items in found.values()
        for item in items
        if isinstance(item, Allowance) and item not in used and item.code not in unused
    ]
    return sorted(set(standing)), allowed
