"""Every output: its name, its file, and the function that renders it.

An output is one module with one pure function, and one line here. A renderer takes the result
alone, or the result and where its policy lies, and returns text or bytes; equal input gives equal
bytes.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit.checks.shipped import POLICY_FILE
from audit.errors import UsageError

if TYPE_CHECKING:
    from audit.model.result import Result, VerdictRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPlace:
    """Where the YAML of the policy lies in the repository that an output is shown in."""

    folder: str
    """Path from the root of the repository, with forward slashes, without one at either end;
    ``''``: the root itself."""

    def path(self, file: str) -> str:
        """Return the path of a file of the policy, such as ``checks/identity.yaml``."""
        return "/".join(part for part in (self.folder, file) if part)

    def line_of(self, verdict: VerdictRecord) -> tuple[str, int]:
        """Return path and line where a check's promise is put to the test.

        Of a check whose place is not known it is the first line of the policy.
        """
        return self.path(verdict.file or POLICY_FILE), max(1, verdict.line or 1)


@dataclass(frozen=True, slots=True)
class Format:
    """One output."""

    name: str
    """As ``--format`` takes it."""
    file: str
    """Name of the file in the report's folder."""
    renderer: str
    """``module:function``, imported when it is first called."""
    summary: str
    """What it is for, a few words."""
    knows_place: bool = False
    """Whether the function takes a :class:`PolicyPlace` beside the result."""

    def render(self, result: Result, place: PolicyPlace | None = None) -> bytes:
        """Return the file's bytes; without a place the policy lies in ``policies/<id>``."""
        module, _, function = self.renderer.partition(":")
        call = getattr(importlib.import_module(module), function)
        where = place or PolicyPlace(folder=f"policies/{result.policy.id}")
        rendered = call(result, where) if self.knows_place else call(result)
        return rendered if isinstance(rendered, bytes) else bytes(rendered.encode("utf-8"))


FORMATS: Final[dict[str, Format]] = {
    one.name: one
    for one in (
        Format("html", "index.html", "audit.report.html:render_html", "the page for people"),
        Format("pdf", "report.pdf", "audit.report.pdf:render_pdf", "the same, printed by Chromium"),
        Format("json", "result.json", "audit.report.json:render_json", "everything, by schema"),
        Format("sarif", "result.sarif", "audit.report.sarif:render_sarif", "SARIF 2.1.0 in full"),
        Format(
            "sarif-github",
            "result.github.sarif",
            "audit.report.sarif_github:render_sarif_github",
            "violations alone, for code scanning",
            knows_place=True,
        ),
        Format("junit", "junit.xml", "audit.report.junit:render_junit", "a test case a check"),
        Format(
            "github",
            "annotations.txt",
            "audit.report.annotations:render_annotations",
            "commands that annotate, for a step of GitHub Actions to print",
            knows_place=True,
        ),
        Format(
            "summary",
            "summary.md",
            "audit.report.markdown:render_summary",
            "Markdown for the summary of a step, with who got what",
        ),
        Format(
            "markdown",
            "report.md",
            "audit.report.markdown:render_comment",
            "Markdown for a pull request",
        ),
        Format("csv", "findings.csv", "audit.report.csv_table:render_csv", "for a spreadsheet"),
        Format("badge", "badge.svg", "audit.report.badge:render_badge", "counts, for a README"),
        Format(
            "cyclonedx",
            "declarations.cdx.json",
            "audit.report.cyclonedx:render_cyclonedx",
            "CycloneDX 1.6 declarations",
        ),
        Format(
            "in-toto",
            "test-result.intoto.json",
            "audit.report.intoto:render_test_result",
            "in-toto statement, test-result/v0.1",
        ),
        Format(
            "in-toto-audit",
            "privacy-audit.intoto.json",
            "audit.report.intoto:render_privacy_audit",
            "in-toto statement with the five outcomes",
        ),
    )
}
"""Name -> output, in the order of the documentation."""
DEFAULT: Final = ("html", "json")
"""What ``audit run`` writes unless told otherwise."""


def chosen_formats(names: Iterable[str]) -> tuple[Format, ...]:
    """Return the outputs of these names, each once, in the order given.

    Raises :class:`UsageError` for a name that is none, and where there is no name at all.
    """
    asked = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    unknown = next((name for name in asked if name not in FORMATS), None)
    if unknown is not None or not asked:
        what = f"unknown format {unknown!r}" if unknown is not None else "no format is named"
        raise UsageError(what, hint="known: " + ", ".join(FORMATS))
    return tuple(FORMATS[name] for name in asked)
