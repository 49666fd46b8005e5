"""The flow of data: from who sent it over who got it to whose server that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from audit.model import result as model
from audit.report import pictures
from audit.report.matrix import accusations_of
from audit.report.sentence import client_of
from audit.report.texts import count, meaning, say
from audit.report.verdicts import Context
from audit.report.wording import joined, shortened, size

_MOST = 14
"""Recipients with a box of their own; the others share one."""
_GAP = 26.0
"""Between two boxes of a column: room for two lines of text."""
_TOP = 30.0
_LEAST, _SPAN = 4.0, 110.0
"""Height of a box that got nothing, and of all boxes of a column together beyond that."""


@dataclass(frozen=True, slots=True)
class _Layout:
    width: int
    columns: tuple[float, float, float]
    """Left edges of the boxes."""
    rooms: tuple[float, float]
    """Room right of the boxes for their labels, which ribbons leave out."""
    box: float
    letters: tuple[int, int, int]
    """How long a label may be, by column."""
    has_names: bool
    """Whether the sender is called by name, not just the client."""


_WIDE = _Layout(860, (0.0, 330.0, 660.0), (172.0, 200.0), 10.0, (27, 30, 28), has_names=True)
_NARROW = _Layout(340, (0.0, 74.0, 232.0), (42.0, 124.0), 6.0, (7, 19, 16), has_names=False)


@dataclass(slots=True)
class _Tally:
    bytes: int = 0
    servers: set[str] = field(default_factory=set)
    by_sender: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    owners: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, other: _Tally) -> None:
        self.bytes += other.bytes
        self.servers |= other.servers
        for sender, n in other.by_sender.items():
            self.by_sender[sender] += n
        for owner, n in other.owners.items():
            self.owners[owner] += n


def flow_views(result: model.Result, context: Context) -> tuple[pictures.Flow, ...]:
    """Return the picture for wide and for narrow pages; empty where no recipient is known.

    Servers of one role are one box, as in findings. What the recorder planted itself is left out.
    Anchors of findings must have been added to the context.
    """
    tallies = _tallies(result)
    if not tallies:
        return ()
    accused = _accused(result, context)
    shown = _shown(tallies, accused)
    client = client_of(result).title
    return tuple(_drawn(shown, accused, client, layout) for layout in (_WIDE, _NARROW))


def _tallies(result: model.Result) -> dict[str, _Tally]:
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    for row in result.coverage.recipients:
        process, n = str(row.get("process") or "unknown"), row.get("bytes")
        if process == "control":
            continue
        recipient = str(row.get("recipient"))
        tally = tallies[str(row.get("role") or recipient)]
        amount = n if isinstance(n, int) and n > 0 else 0
        tally.bytes += amount
        tally.servers.add(recipient)
        tally.by_sender[process] += amount
        tally.owners[str(row.get("owner") or "")] += amount
    return tallies


def _accused(result: model.Result, context: Context) -> dict[str, str]:
    """Return recipient or role -> the first finding that it is named in."""
    accused: dict[str, str] = {}
    for _, recipient, anchor in accusations_of(result, context):
        accused.setdefault(recipient, anchor)
        accused.setdefault(context.roles.get(recipient, recipient), anchor)
    return accused


def _shown(tallies: Mapping[str, _Tally], accused: Mapping[str, str]) -> list[tuple[str, _Tally]]:
    """Return the accused first, then those with most bytes; beyond a bound they share a box."""
    order = sorted(
        tallies.items(), key=lambda pair: (pair[0] not in accused, -pair[1].bytes, pair[0])
    )
    if len(order) <= _MOST + 1:
        return order
    rest = _Tally()
    for _, tally in order[_MOST:]:
        rest.add(tally)
    return [*order[:_MOST], ("", rest)]


def _heights(amounts: Iterable[int]) -> list[float]:
    """Return heights by the root of each amount, so that small ones can still be seen."""
    roots = [sqrt(n) for n in amounts]
    whole = sum(roots) or 1.0
    return [_LEAST + _SPAN * root / whole for root in roots]


class _Column:
    """Boxes above one another; ribbons take their sides piece by piece."""

    def __init__(self, amounts: Mapping[str, int]) -> None:
        self.amounts = amounts
        self.heights = dict(zip(amounts, _heights(amounts.values()), strict=True))
        self.length = sum(self.heights.values()) + _GAP * len(amounts)
        self.tops: dict[str, float] = {}
        self._taken: dict[tuple[str, str], float] = defaultdict(float)

    def order(self, name: str) -> int:
        """Return the place of a box from the top."""
        return list(self.amounts).index(name)

    def centre(self, height: float) -> None:
        """Place the boxes in the middle of a height."""
        at = _TOP + (height - self.length) / 2 + _GAP / 2
        for name, own in self.heights.items():
            self.tops[name] = at
            at += own + _GAP

    def slice(
        self, name: str, side: str, part: int, whole: int | None = None
    ) -> tuple[float, float]:
        """Take the next stretch of a side, for a part of the box's whole amount."""
        whole = self.amounts[name] if whole is None else whole
        start = self.tops[name] + self._taken[name, side]
        self._taken[name, side] += self.heights[name] * (part / whole if whole else 0.0)
        return start, self.tops[name] + self._taken[name, side]


@dataclass(frozen=True, slots=True)
class _Picture:
    """The three columns, placed."""

    shown: Sequence[tuple[str, _Tally]]
    accused: Mapping[str, str]
    layout: _Layout
    left: _Column
    middle: _Column
    right: _Column

    def ribbons(self) -> Iterator[pictures.Ribbon]:
        for name, tally in self.shown:
            whole, is_accused = tally.bytes, name in self.accused
            for sender in sorted(tally.by_sender, key=self.left.order):
                n = tally.by_sender[sender]
                ends = self.left.slice(sender, "", n), self.middle.slice(name, "left", n, whole)
                yield _ribbon(self.layout, 0, *ends, is_accused=is_accused)
            for owner in sorted(tally.owners, key=self.right.order):
                n = tally.owners[owner]
                ends = self.middle.slice(name, "right", n, whole), self.right.slice(owner, "", n)
                yield _ribbon(self.layout, 1, *ends, is_accused=is_accused)

    def nodes(self, sender: Mapping[str, str]) -> Iterator[pictures.Node]:
        for name in self.left.amounts:
            yield self._node(0, self.left, name, sender[name], "", None)
        for name, tally in self.shown:
            label, note = _label(name, tally), _note(name, tally)
            yield self._node(1, self.middle, name, label, note, self.accused.get(name))
        for name, n in self.right.amounts.items():
            yield self._node(2, self.right, name, name or say("flow.no_owner"), size(n), None)

    def _node(
        self, place: int, column: _Column, name: str, label: str, note: str, anchor: str | None
    ) -> pictures.Node:
        return pictures.Node(
            x=self.layout.columns[place],
            y=round(column.tops[name], 1),
            height=round(column.heights[name], 1),
            label=shortened(label, self.layout.letters[place]),
            note=note,
            is_accused=anchor is not None,
            anchor=anchor,
        )


def _drawn(
    shown: Sequence[tuple[str, _Tally]],
    accused: Mapping[str, str],
    client: str,
    layout: _Layout,
) -> pictures.Flow:
    whole = _Tally()
    for _, tally in shown:
        whole.add(tally)
    senders, owners = whole.by_sender, whole.owners
    left = _Column({one: senders[one] for one in sorted(senders, key=lambda s: (s != "app", s))})
    middle = _Column({name: tally.bytes for name, tally in shown})
    ordered = sorted(owners, key=lambda owner: (not owner, -owners[owner], owner))
    right = _Column({owner: owners[owner] for owner in ordered})
    height = max(column.length for column in (left, middle, right))
    for column in (left, middle, right):
        column.centre(height)
    picture = _Picture(shown, accused, layout, left, middle, right)
    called = {one: meaning("process", one) for one in senders}
    if layout.has_names:
        called["app"] = client
    guilty = [_label(name, tally) for name, tally in shown if name in accused]
    return pictures.Flow(
        width=layout.width,
        height=round(_TOP + height),
        box=layout.box,
        columns=tuple(
            (x, say(f"flow.{key}"))
            for x, key in zip(layout.columns, ("from", "to", "owner"), strict=True)
        ),
        nodes=tuple(picture.nodes(called)),
        ribbons=tuple(picture.ribbons()),
        alt=say(
            "flow.alt",
            sender=joined(called[one] for one in left.amounts),
            n=len(shown),
            accused=joined(guilty) if guilty else say("flow.nobody"),
        ),
    )


def _ribbon(
    layout: _Layout,
    place: int,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    is_accused: bool,
) -> pictures.Ribbon:
    x0 = layout.columns[place] + layout.box + layout.rooms[place]
    x1 = layout.columns[place + 1]
    bend = (x0 + x1) / 2
    (a, b), (c, d) = start, end
    b, d = max(b, a + 1), max(d, c + 1)
    path = (
        f"M{x0:.1f} {a:.1f}C{bend:.1f} {a:.1f} {bend:.1f} {c:.1f} {x1:.1f} {c:.1f}"
        f"V{d:.1f}C{bend:.1f} {d:.1f} {bend:.1f} {b:.1f} {x0:.1f} {b:.1f}z"
    )
    return pictures.Ribbon(path=path, is_accused=is_accused)


def _label(name: str, tally: _Tally) -> str:
    if not name:
        return count("flow.others", len(tally.servers))
    return name.replace("_", " ")


def _note(name: str, tally: _Tally) -> str:
    if name and (len(tally.servers) > 1 or name not in tally.servers):
        return f"{count('matrix.servers', len(tally.servers))}, {size(tally.bytes)}"
    return size(tally.bytes)
