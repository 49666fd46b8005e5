"""Results of every kind, for the outputs: plain, attacked, waived, compared, attested, empty."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from audit.model.outcome import Outcome
from audit.model.reading import read_result
from audit.model.result import Gate, Result
from audit.report.formats import FORMATS
from tests.conftest import ROOT

from . import results
from .hostile import EVERYTHING, hostile

MORE_ATTACKS = (
    "]]><x/>&xxe;<!ENTITY x SYSTEM 'file:///etc/passwd'>",
    "%0A::error file=/etc/passwd::x%0D ::add-mask::y ##[error]z",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png) <http://evil.example>",
    "@everyone #1 www.evil.example `code` | cell | ``` \\",
    "=cmd|' /C calc'!A0\n+1\n-1\n@SUM(A1)\n\t=1",
    "{0} {1} {{x}}",
    "../../../etc/passwd C:\\windows file:///etc",
    "\u2066\u202e\ufeff\U000e0001\ufffe\uffff",
    "lone \ud800 and \udfff, and \x00 \x0b \x1b[2J \x85 \u2028",
)


def waived() -> Result:
    """Of the three findings one is waived, one's waiver has expired, one is open."""
    result = results.session_python()
    verdicts = []
    for verdict in result.verdicts:
        if not verdict.findings:
            verdicts.append(verdict)
            continue
        states = [{"W-1": "in force"}, {"W-2": "expired", "W-9": "not yet in force"}]
        findings = [
            finding.model_copy(
                update={"waivers": states[place] if len(verdict.findings) > 1 else {}}
            )
            for place, finding in enumerate(verdict.findings)
        ]
        verdicts.append(verdict.model_copy(update={"findings": findings}))
    waivers = [
        {
            "id": name,
            "check": "session.app.identity-beside-address",
            "state": state,
            "covers": 1,
            "reason": "mended in 1.15",
            "owner": "net-team",
            "approved_by": "privacy-lead",
            "created": "2025-01-01",
            "expires": "2027-01-15",
            "issue": None,
        }
        for name, state in (("W-1", "in force"), ("W-2", "expired"), ("W-9", "not yet in force"))
    ]
    gate = result.gate.model_copy(update={"waivers": waivers})
    return result.model_copy(update={"verdicts": verdicts, "gate": gate})


def compared() -> Result:
    """Against an earlier result: one finding is old, one was mended, one was not seen."""
    result = results.session_python()
    verdicts = []
    for verdict in result.verdicts:
        findings = [
            finding.model_copy(
                update={"baseline": "new" if place else "unchanged", "recordings": (1, 2)}
            )
            for place, finding in enumerate(verdict.findings)
        ]
        verdicts.append(verdict.model_copy(update={"findings": findings}))
    absent = [
        {
            "check": "session.app.contents-on-the-wire",
            "severity": "critical",
            "fingerprint": results.sha(name),
            "message": f"body sent to {name}.example",
            "fixed": doubt is None,
            "doubt": doubt,
        }
        for name, doubt in (("mended", None), ("unseen", "it was not exercised"))
    ]
    before = {verdict.check: "pass" for verdict in verdicts[:6]}
    baseline = {"as_of": "2026-03-01T00:00:00Z", "absent": absent, "outcomes": before}
    return result.model_copy(update={"verdicts": verdicts, "baseline": baseline})


def attested() -> Result:
    """Somebody gives their word for what could not be observed; nothing fails, and exit 0 is asked."""
    result = results.session_python()
    word = {
        "kind": "attestation",
        "statement": "nothing is logged",
        "by": "The operator",
        "role": "operator",
        "signed": "2026-01-01",
        "valid_until": "2027-01-01",
        "expired": False,
        "evidence": [],
    }
    verdicts = [
        verdict.model_copy(update={"disposition": word})
        if verdict.outcome is Outcome.NOT_OBSERVABLE
        else verdict
        for verdict in result.verdicts
        if verdict.outcome is not Outcome.FAIL
    ]
    gate = Gate(exit_code=4, reasons=["unproven"], exit_zero=True)
    return result.model_copy(update={"verdicts": verdicts, "gate": gate})


def surrogates() -> Result:
    """Values that neither UTF-8 nor XML can hold, put in past the model's own reading."""
    attack = " ".join(MORE_ATTACKS)
    result = hostile(results.session_python(), attack.replace("\ud800", "").replace("\udfff", ""))
    verdicts = []
    for verdict in result.verdicts:
        findings = [
            finding.model_copy(
                update={
                    "message": attack,
                    "columns": {attack: attack, "recipient": attack},
                    "terms": {attack: attack},
                    "evidence": [
                        one.model_copy(
                            update={"excerpt": attack, "file": attack, "locator": attack}
                        )
                        for one in finding.evidence
                    ],
                }
            )
            for finding in verdict.findings
        ]
        verdicts.append(verdict.model_copy(update={"findings": findings, "title": attack}))
    return result.model_copy(update={"verdicts": verdicts, "as_of": attack})


_MADE: dict[str, Callable[[], Result]] = {
    "broken": results.session_python,
    "sample": lambda: read_result(ROOT / "reports" / "sample"),
    "misbehaving": lambda: results.misbehaving(3),
    "waived": waived,
    "compared": compared,
    "attested": attested,
    "empty": lambda: results.make_result([], captures=[], clauses=[]),
    "hostile": lambda: hostile(results.session_python()),
    "hostile-waived": lambda: hostile(waived()),
    "hostile-compared": lambda: hostile(compared(), EVERYTHING + " ".join(MORE_ATTACKS[:-1])),
    "surrogates": surrogates,
}
VARIANTS: dict[str, Callable[[], Result]] = {name: cache(make) for name, make in _MADE.items()}
"""Name -> the result, made once: results are frozen."""


@cache
def rendered(output: str, name: str) -> bytes:
    """An output of a variant, rendered once."""
    return FORMATS[output].render(VARIANTS[name]())
