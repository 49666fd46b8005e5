"""The verdict in one sentence, and who it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from audit.model.outcome import Outcome
from audit.model.result import Result
from audit.report.texts import say
from audit.report.view import Client, Tally
from audit.report.wording import joined

MARKS = (
    Outcome.FAIL.value,
    Outcome.NOT_OBSERVABLE.value,
    Outcome.INCONCLUSIVE.value,
    Outcome.PASS.value,
    Outcome.NOT_APPLICABLE.value,
    "none",
)
"""Every mark, the gravest first; ``none`` where no check speaks."""


def mark_of(outcome: Outcome | None) -> str:
    """Return the mark of an outcome."""
    return outcome.value if outcome else "none"


def client_of(result: Result) -> Client:
    """Return who was audited: the program's own name with its versions, else the target's."""
    names = {str(capture.client.get("name") or "") for capture in result.captures} - {""}
    name = names.pop() if len(names) == 1 else str(result.target.get("name") or "")
    name = name or str(result.target.get("title") or say("page.not_known"))
    fresh = [version for version in versions_of(result) if version not in name]
    beside = sorted({str(c.client.get("companion") or "") for c in result.captures} - {""})
    official = result.target.get("is_official")
    description = str(result.target.get("title") or "")
    return Client(
        title=" ".join([name, *([joined(fresh)] if fresh else []), *beside]),
        description=description if description != name else "",
        is_official=official if isinstance(official, bool) else None,
        remark=str(result.target.get("remark") or ""),
    )


def versions_of(result: Result) -> list[str]:
    """Return the versions of the client that were recorded, sorted."""
    return sorted({str(c.client.get("version") or "") for c in result.captures} - {""})


def tallies_of(result: Result) -> tuple[Tally, ...]:
    """Return the number of clauses of every mark, gravest first, zeros included."""
    counted = Counter(mark_of(clause.outcome) for clause in result.clauses)
    return tuple(Tally(mark=mark, n=counted[mark]) for mark in MARKS)


def verdict_sentence(result: Result) -> str:
    """Return the verdict in one sentence; it counts clauses of the policy, not checks."""
    n = {tally.mark: tally.n for tally in tallies_of(result)}
    client = client_of(result).title
    unproven = n["inconclusive"] + n["not_observable"]
    tested = n["fail"] + unproven + n["pass"]
    if not tested:
        return say("sentence.nothing", client=client)
    if n["fail"]:
        if tested == 1:
            return say("sentence.broke_one", client=client)
        return say(
            "sentence.broke",
            client=client,
            broken=n["fail"],
            tested=tested,
            rest=_rest(n["pass"], unproven),
        )
    if unproven:
        return say(
            "sentence.unproven",
            client=client,
            open=unproven,
            tested=tested,
            kept=_kept(n),
        )
    if tested == 1:
        return say("sentence.clean_one", client=client)
    return say("sentence.clean", client=client, tested=tested)


def _rest(kept: int, unproven: int) -> str:
    parts = []
    if kept:
        parts.append(say("sentence.rest_kept", n=kept))
    if unproven:
        parts.append(say("sentence.rest_open", n=unproven))
    return {0: "", 1: f" and {parts[0]}" if parts else ""}.get(
        len(parts), f", {joined(parts)}" if parts else ""
    )


def _kept(n: Mapping[str, int]) -> str:
    if not n["pass"]:
        return ""
    if n["pass"] == 1:
        return say("sentence.unproven_kept_one")
    return say("sentence.unproven_kept", n=n["pass"])
