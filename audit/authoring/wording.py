"""What failing examples say, kept in a file: a changed sentence of a finding is seen in review.

``messages.txt`` beside ``policy.yaml`` is written by ``audit policy test --update`` and compared
by ``audit policy test`` where it is there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from audit.authoring.examples import ExampleResult
from audit.errors import PolicyError
from audit.yamlfile.loader import display_name
from audit.yamlfile.problem import Problem

FILE: Final = "messages.txt"
_HEAD: Final = "# What failing examples say, kept by 'audit policy test --update'; read its diff."


def wording_of(results: Sequence[ExampleResult]) -> str:
    """Return the file's text: the messages of each failing example, in the order of the checks."""
    lines = [_HEAD]
    for check, examples in groupby(results, key=lambda result: result.check):
        failing = [one for one in examples if one.verdict.findings]
        if failing:
            lines += ["", check]
        for one in failing:
            lines.append(f"  {one.name}")
            lines += sorted(f"    {' '.join(f.message.split())}" for f in one.verdict.findings)
    return "\n".join(lines) + "\n"


def write_wording(folder: Path, results: Sequence[ExampleResult]) -> Path:
    """Write the file; raises :class:`PolicyError` where that cannot be done."""
    path = folder / FILE
    try:
        path.write_text(wording_of(results), encoding="utf-8")
    except OSError as error:
        raise PolicyError(
            f"the messages cannot be written: {error.strerror or error}", source=display_name(path)
        ) from None
    return path


def changed_wording(folder: Path, results: Sequence[ExampleResult]) -> Iterator[Problem]:
    """Yield a problem a stretch of lines that the file says otherwise; none without a file."""
    path = folder / FILE
    if not path.is_file():
        return
    try:
        kept = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(
            f"the messages cannot be read: {error}", source=display_name(path)
        ) from None
    now = wording_of(results).splitlines()
    for tag, start, end, other, last in difflib.SequenceMatcher(
        a=kept, b=now, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            continue
        said = " / ".join(line.strip() for line in now[other:last]) or "nothing"
        yield Problem(
            source=display_name(path),
            line=min(start + 1, max(1, len(kept))),
            column=1,
            code="E304",
            message=f"the examples now say: {said}",
            excerpt=kept[start] if start < end else "",
            hint="if that is meant, run 'audit policy test --update'",
        )
