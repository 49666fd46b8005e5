"""A result as a badge: how many promises were tested and what came of them, in numbers.

It never says *compliant* or *passing*: a sentence that was not tested, or not proven, counts as
such. No script, no link, no font from elsewhere.
"""

from __future__ import annotations

from typing import Final

from audit.model.result import Result
from audit.report.sentence import client_of, tallies_of
from audit.report.texts import count, say
from audit.report.xml_text import xml

_COLOURS: Final = {"fail": "#b3261e", "open": "#8a5a00", "kept": "#1b6e3c", "none": "#595959"}
"""White text on each has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
_LABEL: Final = "#3c3c3c"
_HEIGHT: Final = 20
_CHAR: Final = 6.6
"""Width of a character of 11 px Verdana on average, generous."""
_PAD: Final = 8


def render_badge(result: Result) -> str:
    """Return the SVG; its text is also its title, for screen readers."""
    text, colour = _said(result)
    label = say("outputs.badge")
    first, second = _width(label), _width(text)
    whole = first + second
    title = xml(f"{client_of(result).title}, {label}: {text} ({result.as_of[:10]})")
    style = 'fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{_HEIGHT}" role="img"'
        f' aria-label="{title}">\n'
        f"  <title>{title}</title>\n"
        f'  <rect width="{first}" height="{_HEIGHT}" fill="{_LABEL}"/>\n'
        f'  <rect x="{first}" width="{second}" height="{_HEIGHT}" fill="{colour}"/>\n'
        f'  <g text-anchor="middle" {style}>\n'
        f'    <text x="{first / 2:g}" y="14">{xml(label)}</text>\n'
        f'    <text x="{first + second / 2:g}" y="14">{xml(text)}</text>\n'
        "  </g>\n</svg>\n"
    )


def _said(result: Result) -> tuple[str, str]:
    n = {tally.mark: tally.n for tally in tallies_of(result)}
    unproven = n["inconclusive"] + n["not_observable"]
    parts = []
    if n["fail"]:
        parts.append(count("outputs.badge_broken", n["fail"]))
    if n["pass"]:
        parts.append(count("outputs.badge_kept", n["pass"]))
    if unproven:
        parts.append(count("outputs.badge_unproven", unproven))
    if n["none"]:
        parts.append(count("outputs.badge_untested", n["none"]))
    if not n["fail"] + n["pass"] + unproven:
        parts.insert(0, say("outputs.badge_nothing"))
    colour = "fail" if n["fail"] else "open" if unproven else "kept" if n["pass"] else "none"
    return ", ".join(parts), _COLOURS[colour]


def _width(text: str) -> int:
    return round(len(text) * _CHAR) + 2 * _PAD
