"""A result as commands for GitHub Actions: ``::error file=…,line=…,title=…::MESSAGE``.

A step that prints them shows annotations: ``audit report RESULT --format github --out -``. GitHub
keeps ten of a level a step, so the worst ten stand and the rest is counted in a last notice; all of
them are in the summary. Texts are escaped as the runner's own toolkit does, so no captured value
can begin a command or end a property.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audit.model.result import Finding, Result, VerdictRecord
from audit.report.formats import PolicyPlace
from audit.report.sarif import text_of, text_without_finding
from audit.report.sarif_log import level_of
from audit.report.sentence import verdict_sentence
from audit.report.suppressions import is_waived
from audit.report.texts import count
from audit.report.verdicts import violations_of
from audit.report.visible import visible
from audit.report.wording import shortened

MAX_ANNOTATIONS: Final = 10
"""Annotations of one level that GitHub keeps of a step."""
MAX_TEXT: Final = 2_000
_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def render_annotations(result: Result, place: PolicyPlace) -> str:
    """Return one command a line: the worst violations that no waiver covers, then a notice."""
    found = [pair for pair in violations_of(result) if not is_waived(pair[1])]
    lines = [_command_of(verdict, finding, place) for verdict, finding in found[:MAX_ANNOTATIONS]]
    rest = len(found) - MAX_ANNOTATIONS
    told = verdict_sentence(result)
    if rest > 0:
        told += " " + count("outputs.more", rest)
    lines.append(command("notice", {"title": result.policy.title}, told))
    return "\n".join(lines) + "\n"


def _command_of(verdict: VerdictRecord, finding: Finding | None, place: PolicyPlace) -> str:
    severity = finding.severity if finding else verdict.severity
    text = text_of(finding) if finding else text_without_finding(verdict)
    file, line = place.line_of(verdict)
    properties = {"file": file, "line": str(line), "title": f"{severity}: {verdict.title}"}
    return command(_COMMANDS[level_of(severity, verdict.status)], properties, text)


def command(name: str, properties: Mapping[str, str], text: str) -> str:
    """Return one workflow command; a text is cut at :data:`MAX_TEXT` characters."""
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {told}::{_data(shortened(text, MAX_TEXT))}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(shortened(text, MAX_TEXT)).replace(":", "%3A").replace(",", "%2C")
