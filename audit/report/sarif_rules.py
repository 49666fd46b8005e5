"""Checks as SARIF rules; clauses, articles and vocabularies as SARIF taxonomies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from audit.model.result import Result, VerdictRecord
from audit.report.json import without_nothing
from audit.report.markdown_text import escape, quoted
from audit.report.sarif_log import level_of, message
from audit.report.texts import say

_ARTICLE: Final = re.compile(r"(?P<work>[A-Za-z][\w.-]*) (?P<place>Art\. .+)")
_NUMBERED: Final = re.compile(r"(?P<work>[A-Z][A-Za-z0-9]*)-.+")
_SECURITY: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.0"}
"""``security-severity``, read by GitHub: above 9.0 critical, 7.0 high, 4.0 medium, 0.1 low."""
_MAX_TAGS: Final = 20
"""Tags of one rule that GitHub takes."""


class Taxonomies:
    """Every clause, article and term that rules or results name, one taxonomy a work."""

    def __init__(self, result: Result) -> None:
        self._taxa: dict[str, dict[str, dict[str, Any]]] = {}
        self._clauses = f"{result.policy.id} clauses"
        self._titles = {self._clauses: result.policy.title}
        for clause in result.clauses:
            taxon = {"fullDescription": message(clause.quote)}
            self._add(self._clauses, clause.id, taxon | {"name": clause.section})
        for verdict in result.verdicts:
            for reference in verdict.references:
                self._add(work_of(reference), reference, {})
            for finding in verdict.findings:
                for vocabulary, term in finding.terms.items():
                    self._add(vocabulary, term, {})

    def _add(self, work: str, name: str, more: dict[str, Any]) -> None:
        self._taxa.setdefault(work, {}).setdefault(name, {"id": name} | without_nothing(more))

    def rendered(self) -> list[dict[str, Any]]:
        """Return the ``taxonomies`` of the run."""
        return [
            without_nothing(
                {
                    "name": work,
                    "fullName": self._titles.get(work),
                    "isComprehensive": work == self._clauses,
                    "taxa": list(taxa.values()),
                }
            )
            for work, taxa in self._taxa.items()
        ]

    def of_verdict(self, verdict: VerdictRecord) -> list[dict[str, Any]]:
        """Return references to the clause and the articles that a check bears on."""
        named = [(work_of(reference), reference) for reference in verdict.references]
        return self._references([(self._clauses, verdict.clause), *named])

    def of_terms(self, terms: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
        """Return references to terms of outside vocabularies."""
        return self._references(terms)

    def _references(self, named: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
        works = list(self._taxa)
        return [
            {
                "id": name,
                "index": list(self._taxa[work]).index(name),
                "toolComponent": {"name": work, "index": works.index(work)},
            }
            for work, name in dict.fromkeys(named)
            if name in self._taxa.get(work, {})
        ]


def work_of(reference: str) -> str:
    """Return the work that a reference is of: ``GDPR`` of ``GDPR Art. 25``."""
    match = _ARTICLE.fullmatch(reference) or _NUMBERED.fullmatch(reference)
    return match["work"] if match else "references"


def rules_of(verdicts: Sequence[VerdictRecord], taxonomies: Taxonomies) -> list[dict[str, Any]]:
    """Return one rule a check, in the order given."""
    return [rule_of(verdict) | _related(verdict, taxonomies) for verdict in verdicts]


def rule_of(verdict: VerdictRecord) -> dict[str, Any]:
    """Return a check as a rule, its help with quote and reading."""
    tags = ["privacy", verdict.clause, *verdict.references]
    is_stable = verdict.status == "stable"
    return {
        "id": verdict.check,
        "shortDescription": message(verdict.title),
        "fullDescription": message(verdict.reading),
        "help": {"text": message(_help(verdict))["text"], "markdown": _markdown(verdict)},
        "defaultConfiguration": {"level": level_of(verdict.severity, verdict.status)},
        "properties": without_nothing(
            {
                "tags": list(dict.fromkeys(tags))[:_MAX_TAGS],
                "severity": verdict.severity,
                "security-severity": _SECURITY.get(verdict.severity) if is_stable else None,
                "precision": "very-high" if is_stable else "medium",
                "status": verdict.status,
                "version": verdict.version,
                "clause": verdict.clause,
                "quote": verdict.quote,
                "file": verdict.file,
                "line": verdict.line,
            }
        ),
    }


def _related(verdict: VerdictRecord, taxonomies: Taxonomies) -> dict[str, Any]:
    related = [
        {"target": target, "kinds": ["relevant"]} for target in taxonomies.of_verdict(verdict)
    ]
    return {"relationships": related} if related else {}


def _sections(verdict: VerdictRecord) -> list[tuple[str, str]]:
    named = [
        (say("outputs.quote"), verdict.quote),
        (say("outputs.reading"), verdict.reading),
        (say("finding.remediation"), verdict.remediation or ""),
        (say("outputs.procedure"), verdict.procedure or ""),
        (say("finding.references"), ", ".join(verdict.references)),
    ]
    return [(title, text) for title, text in named if text]


def _help(verdict: VerdictRecord) -> str:
    return "\n\n".join(f"{title}: {text}" for title, text in _sections(verdict))


def _markdown(verdict: VerdictRecord) -> str:
    others = [f"**{title}**: {escape(text)}" for title, text in _sections(verdict)[1:]]
    return "\n\n".join([quoted(verdict.quote), *others])
