"""A check in prose: what must be seen and done, what violates it, what leaves it unproven."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from audit.authoring.coverage import not_yet
from audit.authoring.phrases import Phrases
from audit.checks.policy import LoadedCheck, Policy
from audit.yamlfile.check import CheckFile, Exercise, Observe
from audit.yamlfile.expectation import Every, Expectation, NoJoin, NoneOf, Some, Uniform

Block = tuple[str, list[str]]
"""A heading (``''``: none) and its lines."""

_ALWAYS: Final = (
    "a tap that did not show its control, lost packets or was cut, a value that a comparison needs "
    "and that is absent, traffic of nobody knows whom that would violate it, a list with no entry, "
    "a recording without a journal"
)
_CAPABILITIES: Final = {
    "transport.opened": "the bytes of the client's conversations, in clear, by keys or by a proxy",
    "onion.opened": "what lies inside the onion, by the keys of its nodes",
    "packets.all_interfaces": "the packets of every interface",
    "process.attribution": "which process each conversation belongs to",
    "dns.seen": "name look-ups",
    "tls.metadata": "TLS handshakes",
    "identifiers.planted": "known values of the test subject, to be searched for",
    "app.files": "files of the client before and after",
    "app.settings": "the client's settings",
    "app.screens": "fields on the client's screens",
    "app.package": "the client's package",
    "browser.storage": "cookies and storage of the browser",
    "browser.scripts": "scripts of the page",
    "server.logs": "log files of the server",
    "server.records": "records of the server",
    "server.config": "settings of the server",
}


def explain(policy: Policy, name: str) -> Iterator[Block] | None:
    """Yield the explanation of a check, or of every check of a clause; ``None`` for neither."""
    clause = policy.clauses.get(name)
    checks = [
        check
        for check in policy.checks
        if name in {check.file.id, check.file.clause.id if clause else ""}
    ]
    if not checks and clause is None:
        return None
    return _explained(policy, name, checks)


def _explained(policy: Policy, name: str, checks: list[LoadedCheck]) -> Iterator[Block]:
    clause = policy.clauses.get(name)
    if clause is not None:
        yield f"clause {name} ({clause.kind}), under '{clause.section}'", [f"“{clause.quote}”"]
        if not checks:
            yield "", ["No check tests this sentence yet."]
    for check in checks:
        yield from explain_check(policy, check)


def explain_check(policy: Policy, check: LoadedCheck) -> Iterator[Block]:
    """Yield the blocks of one check."""
    file = check.file
    words = Phrases(policy.variables())
    status = "" if file.status == "stable" else f", {file.status}: it never gates"
    yield f"{file.id} ({file.severity}{status})", [file.title]
    quote = [f"“{file.clause.quote}” (clause {file.clause.id})"]
    if file.clause.discloses:
        quote.append(f"and says openly: “{file.clause.discloses}”")
    yield "The policy says", quote
    yield "It is read as", [file.clause.reading]
    if file.scope is not None:
        yield "It is judged on", [", ".join(file.scope.platforms)]
    yield (
        "What must be seen (or it is not observable)",
        [_seen(item, words) for item in file.observe],
    )
    later = not_yet(policy).get(file.id)
    if later is not None:
        yield "What nothing supplies yet", [later]
    yield (
        "What must be done (or it is inconclusive)",
        [_done(item, words) for item in file.exercise],
    )
    yield "What violates it", [_violates(item, words, file) for item in file.expect]
    yield "What leaves it unproven", list(_unproven(file, words))
    if file.report:
        yield (
            "What is shown and not scored",
            [f"{item.title}: {words.rows(item.from_, item.where)}" for item in file.report],
        )
    yield from _beside(file)


def _seen(item: Observe, words: Phrases) -> str:
    text = f"{item.capability}: {_CAPABILITIES[item.capability]}"
    if item.where:
        text += f", of those where {words.condition(item.where)}"
    if item.min_ratio is not None:
        text += f"; the share must be at least {words.value(item.min_ratio)}"
    if item.min is not None:
        text += f"; at least {words.value(item.min)} kinds that the check searches for"
    if item.source is not None:
        text += f"; source {item.source}"
    return text


def _done(item: Exercise, words: Phrases) -> str:
    if item.actions is not None:
        names = item.actions if isinstance(item.actions, str) else ", ".join(item.actions)
        text = words.value(names) if isinstance(item.actions, str) else names
        text = text.replace("(one of ", "(")
        aged = f", at least {words.value(item.age_gte)} ago" if item.age_gte is not None else ""
        return f"{item.id}: {text}{aged}, each confirmed by somebody other than the client"
    rows = words.rows(item.from_ or "", item.where)
    if item.distinct is not None:
        rows = f"different values of {item.distinct} in {rows}"
    least = item.min if item.min is not None else (None if item.max is not None else 1)
    bounds = [f"at least {words.value(least)}"] if least is not None else []
    bounds += [f"at most {words.value(item.max)}"] if item.max is not None else []
    return f"{item.id}: {' and '.join(bounds)} {rows}"


def _violates(item: Expectation, words: Phrases, file: CheckFile) -> str:
    severity = f" ({item.severity})" if item.severity and item.severity != file.severity else ""
    return f"{item.id}{severity}: {_violation(item, words)}"


def _violation(item: Expectation, words: Phrases) -> str:
    if isinstance(item, NoneOf):
        both: dict[str, Any] = {**(item.where or {}), "all": [item.match]}
        return f"any of the {words.rows(item.from_, both)}"
    if isinstance(item, Every):
        rows = words.rows(item.from_, item.where)
        return f"any of the {rows}, unless {words.condition(item.match)}"
    if isinstance(item, Some):
        both = {**(item.where or {}), **({"all": [item.match]} if item.match else {})}
        return f"fewer than {words.value(item.min)} {words.rows(item.from_, both)}"
    if isinstance(item, Uniform):
        rows = words.rows(item.from_, item.where)
        group = ", ".join(item.group_by)
        return f"two different values of {item.field} with the same {group} in {rows}"
    return _join(item, words)


def _join(item: NoJoin, words: Phrases) -> str:
    left = words.rows(item.left.from_, item.left.where)
    right = words.rows(item.right.from_, item.right.where)
    return f"any of the {right} whose {item.right.key} is the {item.left.key} of one of the {left}"


def _unproven(file: CheckFile, words: Phrases) -> Iterator[str]:
    for item in file.unsure:
        yield f"{words.rows(item.from_, item.where)}: {item.because}"
    if file.opaque == "limit":
        yield "content that nothing can read is printed as a limit, and a pass stands"
    else:
        yield "content that the check reads and nothing can read"
    yield f"always: {_ALWAYS}"


def _beside(file: CheckFile) -> Iterator[Block]:
    if file.attest is not None:
        needs = f" Needed: {', '.join(file.attest.needs)}." if file.attest.needs else ""
        text = f"{' or '.join(file.attest.by)}: {file.attest.question}{needs}"
        text += f" Valid for {file.attest.valid_for}; it never becomes a pass."
        yield "Who can attest where it is not observable", [text]
    if file.procedure:
        yield "How somebody could test it", [file.procedure]
    if file.remediation:
        yield "How a violation is mended", [file.remediation]
    if file.references:
        yield "See also", list(file.references)
    yield "Examples in the check", [f"{item.verdict}: {item.name}" for item in file.tests]
