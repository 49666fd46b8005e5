"""What ``audit diff`` says: text, Markdown and JSON of one comparison, each a pure function."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from audit.gate.compare import Compared, Comparison, Difference
from audit.gate.settle import absent_data, changes_data, losses_data
from audit.model.outcome import Outcome
from audit.model.result import Result
from audit.report.visible import for_terminal
from audit.report.wording import shortened
from audit.yamlfile.units import parse_time

SCHEMA: Final = "audit/diff@1"
MOST_LISTED: Final = 200
"""Lines of one list in text and Markdown; what is left out is counted. JSON holds every finding."""
_MAX_CHARS: Final = 300
_ORDER: Final = (
    Outcome.PASS,
    Outcome.FAIL,
    Outcome.INCONCLUSIVE,
    Outcome.NOT_OBSERVABLE,
    Outcome.NOT_APPLICABLE,
)
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>#|~@:&]|(?<=www)\.)", re.IGNORECASE)
"""What Markdown of GitHub and GitLab acts on inside a line, links and mentions included."""


def render_data(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as plain data, schema ``audit/diff@1``."""
    return {
        "schema": SCHEMA,
        "exit_code": comparison.exit_code,
        "same_client": comparison.is_of_one_client,
        "old": _side(comparison.old),
        "new": _side(comparison.new),
        "differences": changes_data(comparison.differences),
        "findings": {
            "new": [_present(one) for one in comparison.added],
            "fixed": [absent_data(one) for one in comparison.fixed],
            "not_seen": [absent_data(one) for one in comparison.not_seen],
            "unchanged": [_present(one) for one in comparison.kept],
        },
        "transitions": {
            before: {after: comparison.matrix[before][after] for after in _ORDER}
            for before in _ORDER
        },
        "coverage_loss": losses_data(comparison),
        "removed_checks": [
            {"check": one.check, "why": one.why} for one in comparison.removed_checks
        ],
        "added_checks": list(comparison.added_checks),
        "policy_drift": changes_data(comparison.drift),
        "changed_checks": changes_data(comparison.changed_checks),
        "waivers": {
            "expired": [one.get("id") for one in _waivers(comparison.new, "expired")],
            "unused": [
                one.get("id") for one in comparison.new.gate.waivers if not one.get("covers")
            ],
        },
    }


def _side(result: Result) -> dict[str, Any]:
    return {
        "as_of": result.as_of,
        "policy": result.policy.id,
        "target": result.target.get("name"),
        "captures": [one.id for one in result.captures],
        "exit_code": result.gate.exit_code,
    }


def _present(one: Compared) -> dict[str, Any]:
    return {
        "check": one.verdict.check,
        "severity": one.finding.severity,
        "status": one.verdict.status,
        "fingerprint": one.finding.fingerprint,
        "message": one.finding.message,
        "flaky": flaky(one),
    }


def flaky(one: Compared) -> str | None:
    """Return ``flaky 1/3`` for a finding that shows in one of three recordings of a release."""
    seen = one.finding.recordings
    return f"flaky {seen[0]}/{seen[1]}" if seen is not None and seen[0] < seen[1] else None


def _waivers(result: Result, state: str) -> list[dict[str, Any]]:
    return [one for one in result.gate.waivers if one.get("state") == state]


def render_json(comparison: Comparison) -> str:
    """Return JSON for machines: sorted keys, two spaces, ASCII."""
    return json.dumps(render_data(comparison), indent=2, sort_keys=True, ensure_ascii=True)


def render_text(comparison: Comparison) -> list[str]:
    """Return lines that are safe for any terminal, each at most 300 characters."""
    lines = [
        f"old  {_named(comparison.old)}",
        f"new  {_named(comparison.new)}",
    ]
    for title, items in sections(comparison):
        lines += ["", title, *(f"  {item}" for item in items)]
    lines += ["", "verdicts (rows: old, columns: new)", *_matrix_lines(comparison)]
    return [shortened(line, _MAX_CHARS) for line in lines]


def _named(result: Result) -> str:
    target = for_terminal(str(result.target.get("name")))
    names = ", ".join(for_terminal(one.id) for one in result.captures)
    judged = f"judged as of {for_terminal(result.as_of)}, gate {result.gate.exit_code}"
    return f"{target}, {judged}: {names}"


def sections(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    """Yield title and lines of each list; what is empty is said for findings alone."""
    if not comparison.is_of_one_client:
        yield "these are results of two clients or policies, not of two releases", []
    if _moment(comparison.old) > _moment(comparison.new):
        yield "the old result was judged after the new one: are they in their order?", []
    yield from _findings(comparison)
    rest: tuple[tuple[str, list[str]], ...] = (
        (
            "coverage loss: less is proven than before",
            [f"{one.check}: {one.text}" for one in comparison.losses],
        ),
        ("removed checks", [f"{one.check}: {one.why}" for one in comparison.removed_checks]),
        ("added checks", list(comparison.added_checks)),
        ("policy drift: the clause says something else", _changed(comparison.drift)),
        ("changed checks", _changed(comparison.changed_checks)),
        ("changed around them", _changed(comparison.differences)),
        (
            "expired waivers",
            [
                f"{one.get('id')}: {one.get('expires')}"
                for one in _waivers(comparison.new, "expired")
            ],
        ),
        (
            "unused waivers",
            [str(one.get("id")) for one in comparison.new.gate.waivers if not one.get("covers")],
        ),
    )
    for title, items in rest:
        if items:
            yield f"{title} ({len(items)})", list(_bounded(items))


def _moment(result: Result) -> datetime:
    try:
        return parse_time(result.as_of)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _findings(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    fixed, doubted = comparison.fixed, comparison.not_seen
    yield f"new ({len(comparison.added)})", list(_bounded(map(_line, comparison.added)))
    yield f"fixed ({len(fixed)})", list(_bounded(map(_line, fixed)))
    yield (
        f"no longer seen, not proven fixed ({len(doubted)})",
        list(_bounded(f"{_line(one)} ({one.doubt})" for one in doubted)),
    )
    yield f"unchanged ({len(comparison.kept)})", list(_bounded(map(_line, comparison.kept)))


def _line(one: Compared) -> str:
    marks = [one.finding.severity, flaky(one) or ""]
    marks += [one.verdict.status] if one.verdict.status != "stable" else []
    said = ", ".join(mark for mark in marks if mark)
    return f"{one.verdict.check} ({said}): {one.finding.message}"


def _changed(changes: Sequence[Difference]) -> list[str]:
    return [
        f"{one.what}: {one.after}"
        if not one.before
        else f"{one.what}: was {_quoted(one.before)}, is {_quoted(one.after)}"
        for one in changes
    ]


def _quoted(text: str) -> str:
    return f"“{text[:120]}”" if text else "nothing"


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    left_out = 0
    for number, line in enumerate(lines):
        if number < MOST_LISTED:
            yield for_terminal(line)
        else:
            left_out += 1
    if left_out:
        yield f"and {left_out} more"


def _matrix_lines(comparison: Comparison) -> Iterator[str]:
    width = max(len(one) for one in _ORDER) + 2
    yield " " * width + "".join(f"{one:>{width}}" for one in _ORDER)
    for before in _ORDER:
        cells = (str(comparison.matrix[before][after] or ".") for after in _ORDER)
        yield f"{before:<{width}}" + "".join(f"{cell:>{width}}" for cell in cells)


def render_markdown(comparison: Comparison) -> str:
    """Return Markdown for a pull request or a step summary; no captured text is markup in it."""
    lines = [
        "### Privacy audit: what changed",
        "",
        f"{_escaped(_named(comparison.old))} → {_escaped(_named(comparison.new))}",
        "",
    ]
    for title, items in sections(comparison):
        lines += [f"**{title}**", "", *(f"- {_escaped(item)}" for item in items), ""]
    lines += [
        "| old ＼ new | " + " | ".join(one.replace("_", " ") for one in _ORDER) + " |",
        "|---|" + "---:|" * len(_ORDER),
    ]
    lines += [
        f"| {before.replace('_', ' ')} | "
        + " | ".join(str(comparison.matrix[before][after] or "") for after in _ORDER)
        + " |"
        for before in _ORDER
    ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", for_terminal(text)[:_MAX_CHARS])


def gate_lines(result: Result) -> list[str]:
    """Return what a terminal is told of the gate beside the summary: why, and the baseline."""
    lines = [f"  {for_terminal(text)}"[:_MAX_CHARS] for text in result.gate.reasons[:20]]
    if len(result.gate.reasons) > 20:
        lines.append(f"  and {len(result.gate.reasons) - 20} more")
    if result.baseline is not None:
        counts = ", ".join(
            f"{result.baseline[name]} {word}"
            for name, word in (
                ("new", "new"),
                ("unchanged", "unchanged"),
                ("fixed", "fixed"),
                ("not_seen", "no longer seen and not proven fixed"),
            )
        )
        lines.append(f"{'baseline':<15} {counts}")
    if result.gate.exit_zero:
        lines.append("--exit-zero: exit code 0 was asked for, whatever the gate says")
    return lines
