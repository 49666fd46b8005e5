"""The report as one HTML file: no network, no script needed, everything escaped."""

from __future__ import annotations

from audit.model.result import Result
from audit.report.compose import CHAPTERS, make_view
from audit.report.templating import environment


def render_html(result: Result) -> str:
    """Return the whole page; equal for equal results."""
    template = environment().get_template("report.html.j2")
    return template.render(report=make_view(result), chapters=CHAPTERS)
