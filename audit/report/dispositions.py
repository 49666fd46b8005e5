"""Waivers and statements that lie over verdicts, each once, with the checks that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from audit.model import result as model
from audit.report import view
from audit.report.anchors import Anchors
from audit.report.texts import count, meaning, say
from audit.report.wording import cell, moment

_LAPSED = frozenset({"expired", "not yet in force"})
_MOMENTS = frozenset({"created", "expires", "signed", "valid_until"})
_SHOWN_ELSEWHERE = frozenset({"id", "check", "kind", "state", "expired"})


def waiver_views(
    result: model.Result, links: Mapping[str, view.CheckLink]
) -> tuple[view.Disposition, ...]:
    """Return every waiver that was given, used or not; of older results those that are used."""
    given = result.gate.waivers or list(_used(result))
    return tuple(
        view.Disposition(
            title=say("disposition.waiver", id=waiver.get("id")),
            state=str(waiver.get("state") or say("page.not_known")),
            is_lapsed=str(waiver.get("state")) in _LAPSED,
            facts=facts_of(waiver),
            checks=tuple(links[check] for check in _checks(waiver) if check in links),
        )
        for waiver in given
    )


def attestation_views(
    result: model.Result, links: Mapping[str, view.CheckLink]
) -> tuple[view.Disposition, ...]:
    """Return what somebody vouches for, a statement once with all the checks that it answers."""
    statements: dict[str, tuple[Mapping[str, Any], list[view.CheckLink]]] = {}
    for verdict in result.verdicts:
        laid = attestation_of(verdict)
        if laid:
            statements.setdefault(repr(sorted(laid.items(), key=str)), (laid, []))[1].append(
                links[verdict.check]
            )
    return tuple(
        view.Disposition(
            title=say("disposition.attestation", by=laid.get("by")),
            state=say("disposition.lapsed") if laid.get("expired") else say("disposition.in_force"),
            is_lapsed=bool(laid.get("expired")),
            facts=facts_of(laid),
            checks=tuple(checks),
        )
        for laid, checks in statements.values()
    )


def attestation_of(verdict: model.VerdictRecord) -> Mapping[str, Any]:
    """Return somebody's word for what a check could not see; empty where there is none."""
    laid = verdict.disposition or {}
    return laid if laid.get("kind") == "attestation" else {}


def links_of(result: model.Result, anchors: Anchors) -> dict[str, view.CheckLink]:
    """Return the link of every check that was judged."""
    return {
        verdict.check: view.CheckLink(
            title=verdict.title,
            mark=verdict.outcome.value,
            status=verdict.status,
            anchor=anchors.add("check", verdict.check),
        )
        for verdict in result.verdicts
    }


def facts_of(laid: Mapping[str, Any]) -> view.Pairs:
    """Return what a disposition says, in words; empty entries are left out."""
    return tuple(
        (meaning("disposition", key).replace("_", " "), _value(key, value))
        for key, value in laid.items()
        if key not in _SHOWN_ELSEWHERE and value not in (None, "", [], {})
    )


def _value(key: str, value: object) -> str:
    if key in _MOMENTS:
        moments = value if isinstance(value, list) else [value]
        return ", ".join(moment(str(one)) for one in moments)
    if key == "covers" and isinstance(value, int):
        return count("disposition.findings", value)
    return cell(value)


def _checks(waiver: Mapping[str, Any]) -> list[str]:
    named = waiver.get("check")
    return [str(one) for one in named] if isinstance(named, list) else [str(named)]


def _used(result: model.Result) -> Iterator[dict[str, Any]]:
    for verdict in result.verdicts:
        laid = verdict.disposition or {}
        if laid.get("kind") == "waiver":
            state = "expired" if laid.get("expired") else "in force"
            ids = ", ".join(map(str, laid.get("ids") or ()))
            rest = {key: value for key, value in laid.items() if key not in {"kind", "ids"}}
            yield {"id": ids, "check": verdict.check, "state": state, **rest}
