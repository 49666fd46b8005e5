"""The trend across releases of one client: rows, text and one picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Final

from audit.gate.compare import compare
from audit.report.history import Kept
from audit.report.sentence import client_of, mark_of
from audit.report.texts import say
from audit.report.visible import for_terminal

_MARKS: Final = ("fail", "not_observable", "inconclusive", "pass")
_BAR: Final = 26
_GAP: Final = 14
_HEIGHT: Final = 160
_TOP: Final = 34
_LEFT: Final = 34
_STYLE: Final = """\
text{font:11px ui-sans-serif,"Noto Sans",Arial,sans-serif;fill:#1c1e21}
.paper{fill:#fdfcfa}.fail{fill:#9b1c1c}.not_observable{fill:#8e9bd0}.inconclusive{fill:#d9a441}
.pass{fill:#4d9a74}.line{stroke:#55585e;stroke-width:1}
@media (prefers-color-scheme:dark){text{fill:#e6e4df}.paper{fill:#16181b}.line{stroke:#a9abaf}}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release in the trend."""

    moment: str
    client: str
    exit_code: int
    clauses: dict[str, int]
    """Mark -> clauses of the policy that have it."""
    findings: int
    new: int | None
    """Findings that the release before had not; ``None``: there was none before."""
    fixed: int | None
    """Findings of the release before that are proven mended."""
    coverage_loss: int | None
    """Checks that prove less than the release before."""


def releases(kept: Iterable[Kept]) -> list[Release]:
    """Return the releases in their order, each compared with the one before it."""
    found: list[Release] = []
    before = None
    for one in kept:
        result = one.result
        comparison = None if before is None else compare(before, result)
        marks = Counter(mark_of(clause.outcome) for clause in result.clauses)
        found.append(
            Release(
                moment=one.moment,
                client=for_terminal(client_of(result).title)[:60],
                exit_code=result.gate.exit_code,
                clauses={mark: marks[mark] for mark in _MARKS},
                findings=sum(len(verdict.findings) for verdict in result.verdicts),
                new=None if comparison is None else len(comparison.added),
                fixed=None if comparison is None else len(comparison.fixed),
                coverage_loss=None if comparison is None else len(comparison.losses),
            )
        )
        before = result
    return found


def trend_data(found: Sequence[Release]) -> list[dict[str, Any]]:
    """Return the trend as plain data."""
    return [asdict(one) for one in found]


def trend_lines(found: Sequence[Release]) -> list[str]:
    """Return one line a release, under a line of headings."""
    heads = (
        "recorded",
        "client",
        "gate",
        "kept",
        "broken",
        "unproven",
        "findings",
        "new",
        "fixed",
        "lost",
    )
    rows = [heads, *(_cells(one) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _cells(one: Release) -> tuple[str, ...]:
    unproven = one.clauses["inconclusive"] + one.clauses["not_observable"]
    numbers = (one.exit_code, one.clauses["pass"], one.clauses["fail"], unproven, one.findings)
    changes = (one.new, one.fixed, one.coverage_loss)
    return (
        one.moment,
        one.client,
        *map(str, numbers),
        *("-" if number is None else str(number) for number in changes),
    )


def trend_svg(found: Sequence[Release], title: str) -> str:
    """Return a picture: a bar a release, its clauses by outcome; the exit code stands above it.

    It holds no script and loads nothing; what it shows stands in its description as text.
    """
    width = max(_LEFT + len(found) * (_BAR + _GAP) + _GAP, 420)
    height = _TOP + _HEIGHT + 66
    most = max((sum(one.clauses.values()) for one in found), default=1) or 1
    size = f'width="{width}" height="{height}"'
    view = f'viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} {size} role="img">',
        f"<title>{_text(title)}</title>",
        f"<desc>{_text(' '.join(map(_said, found)))}</desc>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" {size}/>',
        f'<text x="{_GAP}" y="16">{_text(title)}</text>',
    ]
    for number, one in enumerate(found):
        parts += _bar(one, _LEFT + number * (_BAR + _GAP), most)
    base = _TOP + _HEIGHT
    parts.append(f'<path class="line" d="M{_LEFT - 6} {base}H{width - _GAP}"/>')
    parts += _legend(base + 36)
    parts.append(f'<text x="{_GAP}" y="{base + 56}">above each bar: the gate\'s exit code</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(one: Release, x: int, most: int) -> list[str]:
    parts = [f"<g><title>{_text(_said(one))}</title>"]
    y = float(_TOP + _HEIGHT)
    for mark in reversed(_MARKS):
        size = _HEIGHT * one.clauses[mark] / most
        if size:
            y -= size
            parts.append(
                f'<rect class="{mark}" x="{x}" y="{y:.1f}" width="{_BAR}" height="{size:.1f}"/>'
            )
    middle = x + _BAR / 2
    parts.append(f'<text x="{middle}" y="{y - 5:.1f}" text-anchor="middle">{one.exit_code}</text>')
    day, below = _text(one.moment[5:10]), _TOP + _HEIGHT + 14
    parts.append(f'<text x="{middle}" y="{below}" text-anchor="middle">{day}</text></g>')
    return parts


def _legend(y: int) -> list[str]:
    parts = []
    for number, mark in enumerate(reversed(_MARKS)):
        x = _GAP + number * 100
        parts.append(f'<rect class="{mark}" x="{x}" y="{y - 9}" width="10" height="10"/>')
        parts.append(f'<text x="{x + 15}" y="{y}">{_word(mark)}</text>')
    return parts


def _said(one: Release) -> str:
    counts = ", ".join(f"{one.clauses[mark]} {_word(mark)}" for mark in reversed(_MARKS))
    return f"{one.client}, recorded {one.moment}: {counts}; exit code {one.exit_code}."


def _word(mark: str) -> str:
    return say(f"outcome_lower.{mark}")


def _text(text: str) -> str:
    return escape(for_terminal(text))
