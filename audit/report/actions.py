"""What the client was made to do, and the commands that show the packets around each action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.bundle.layout import PACKETS
from audit.model import result as model
from audit.report import view
from audit.report.anchors import Anchors
from audit.report.texts import say
from audit.report.verdicts import column_label
from audit.report.wording import cell, epoch, moment

_SHOWN_ELSEWHERE = frozenset({"capture", "name", "ts"})
_FACTS = ("driver", "corroborated_by", "ok", "phase", "note")


def action_views(
    result: model.Result, anchors: Anchors
) -> tuple[tuple[str, tuple[view.Deed, ...]], ...]:
    """Return recording -> its actions in order; their anchors are added.

    The journal is stamped when an action is told of, which is before it for some drivers and
    behind it for others: its packets are those between the lines before and behind its own.
    """
    packets = {capture.id for capture in result.captures if PACKETS in capture.digests}
    by_capture: dict[str, list[Mapping[str, Any]]] = {}
    for row in result.coverage.actions:
        by_capture.setdefault(str(row.get("capture") or ""), []).append(row)
    return tuple(
        (
            capture,
            tuple(
                view.Deed(
                    number=number,
                    anchor=anchors.add("action", action_key(capture, number)),
                    name=str(row.get("name") or ""),
                    facts=_facts(row),
                    commands=_commands(rows, number - 1) if capture in packets else (),
                )
                for number, row in enumerate(rows, start=1)
            ),
        )
        for capture, rows in by_capture.items()
    )


def action_key(capture: str, number: int) -> str:
    """Return the name under which an action's anchor is kept: its 1-based place in its capture."""
    return f"{capture}-{number}"


def _facts(row: Mapping[str, Any]) -> view.Pairs:
    told = {
        **row,
        "corroborated_by": row.get("corroborated_by") or say("coverage.not_corroborated"),
    }
    names = [name for name in _FACTS if told.get(name) not in (None, "")]
    names += sorted(
        name for name in set(told) - set(_FACTS) - _SHOWN_ELSEWHERE if told[name] not in (None, "")
    )
    when = [(column_label("ts"), moment(row["ts"], precise=True))] if row.get("ts") else []
    return (*when, *((column_label(name), cell(told[name])) for name in names))


def _commands(rows: list[Mapping[str, Any]], place: int) -> tuple[view.Command, ...]:
    stamps = [epoch(row.get("ts")) for row in rows]
    here = stamps[place]
    if here is None:
        return ()
    known = [stamp for stamp in stamps if stamp is not None]
    before = max((stamp for stamp in known if stamp < here), default=None)
    behind = min((stamp for stamp in known if stamp > here), default=None)
    bounds = []
    if before is not None:
        bounds.append(f"frame.time_epoch >= {before}")
    if behind is not None:
        bounds.append(f"frame.time_epoch <= {behind}")
    text = f"tshark -r {PACKETS}" + (f" -Y '{' && '.join(bounds)}'" if bounds else "")
    return (view.Command(tool=say("command.wireshark"), text=text),)
