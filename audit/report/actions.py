"""What the client was made to do, and the commands that show the packets around each action."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
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
        (capture, tuple(_deeds(capture, rows, anchors, has_packets=capture in packets)))
        for capture, rows in by_capture.items()
    )


def _deeds(
    capture: str, rows: Sequence[Mapping[str, Any]], anchors: Anchors, *, has_packets: bool
) -> Iterator[view.Deed]:
    stamps = sorted(filter(None, (epoch(row.get("ts")) for row in rows)))
    for number, row in enumerate(rows, start=1):
        yield view.Deed(
            number=number,
            anchor=anchors.add("action", action_key(capture, number)),
            name=str(row.get("name") or ""),
            facts=_facts(row),
            commands=_commands(row, stamps) if has_packets else (),
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


def _commands(row: Mapping[str, Any], stamps: Sequence[str]) -> tuple[view.Command, ...]:
    """Return the command for the packets around an action; ``stamps`` are all of them, sorted."""
    here = epoch(row.get("ts"))
    if here is None:
        return ()
    before, behind = bisect_left(stamps, here), bisect_right(stamps, here)
    bounds = []
    if before:
        bounds.append(f"frame.time_epoch >= {stamps[before - 1]}")
    if behind < len(stamps):
        bounds.append(f"frame.time_epoch <= {stamps[behind]}")
    text = f"tshark -r {PACKETS}" + (f" -Y '{' && '.join(bounds)}'" if bounds else "")
    return (view.Command(tool=say("command.wireshark"), text=text),)
