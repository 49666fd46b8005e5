"""Who sent it: the app, the operating system, the recorder's control, or nobody knows.

In a sandbox everything is the app's. In an import the capture may name programs (packages, bundle
ids, processes, user ids): then a row is the app's where its program is one that the target names,
``os`` where the user id is the system's, and ``unknown`` otherwise, with a basis where another
program is named. A row of which nothing says whose it is: the import declares it the app's, unless
it is ``--mixed`` or the capture names other programs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from audit.bundle.manifest import Manifest
from audit.evidence.kernel import KERNEL_KINDS
from audit.tables.frames import Row

Tables = Mapping[str, Sequence[Row]]
_IMPERSONAL: Final = frozenset({"os", "control"})
"""Processes that know no value of the subject but those of the machine."""
_UNTOUCHED: Final = frozenset({"events", "controls", "captures"})
_COMM: Final = 16
"""Characters that Darwin keeps of a program's name (``MAXCOMLEN``, bsd/sys/param.h)."""
_LABEL: Final = 19
"""Bytes that PCAPdroid's trailer keeps of an app's name."""
_USER_RANGE: Final = 100_000
"""User ids of one user of an Android device (``AID_USER_OFFSET``)."""
_FIRST_APP: Final = 10_000
"""Least user id of an installed app (``AID_APP_START``, android_filesystem_config.h)."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program as a capture names it."""

    name: str | None
    uid: int | None
    basis: str

    @property
    def is_system(self) -> bool:
        """Whether the user id is one that Android keeps for itself."""
        return self.uid is not None and self.uid % _USER_RANGE < _FIRST_APP

    @property
    def title(self) -> str:
        return self.name or f"user id {self.uid}"

    def is_one_of(self, programs: frozenset[str]) -> bool:
        """Whether a target names it; its extensions and services count as the app."""
        if self.name is None:
            return False
        name = self.name.partition(":")[0]
        if self.name in programs or name in programs:
            return True
        if self.basis == "bundle-id":
            return any(name.startswith(f"{program}.") for program in programs)
        cut = (_COMM,) if self.basis == "socket-table" else (_LABEL, _LABEL + 1)
        return self.basis != "package" and any(
            name == program.encode()[:length].decode("utf-8", "ignore")
            for program in programs
            for length in cut
        )


@dataclass(slots=True, kw_only=True)
class Attribution:
    """What is known of the programs of one capture, for the rows and for the report."""

    rest: tuple[str, str | None]
    """Process and basis of a row of which nothing says whose it is."""
    programs: frozenset[str] = frozenset()
    """Names of the app."""
    known: dict[object, Program] = field(default_factory=dict)
    """Conversation -> its program."""
    only: str | None = None
    """The one program that the capture names, where the target names none."""
    limits: list[str] = field(default_factory=list)

    def of(self, program: Program) -> tuple[str, str | None]:
        """Return process and basis of what a program sent."""
        if program.is_one_of(self.programs):
            return "app", program.basis
        if program.is_system:
            return "os", "uid"
        if not self.programs and program.title == self.only:
            return self.rest
        return "unknown", program.basis if self.programs else None


def program_of(row: Row) -> Program | None:
    """Return the program that a row names; ``None``: none."""
    if row.get("dataset") == "access":
        named = json.loads(str(row.get("fields") or "{}")).get("program")
        return Program(name=str(named), uid=None, basis="bundle-id") if named else None
    name, uid = row.get("process_name"), row.get("uid")
    if name is None and uid is None:
        return None
    basis = row.get("process_basis") or _basis(name, uid)
    return Program(
        name=None if name is None else str(name),
        uid=uid if isinstance(uid, int) else None,
        basis=str(basis),
    )


def _basis(name: object, uid: object) -> str:
    """Return how packets name a program: by PCAPdroid's uid and package, or by Apple's kernel."""
    if uid is None:
        return "socket-table"
    return "package" if name is not None and "." in str(name) else "uid"


def is_others(row: Row) -> bool:
    """Whether a row is of a program that is known not to be the app."""
    return row.get("process") == "unknown" and row.get("process_basis") is not None


def attribute(
    tables: Tables,
    manifest: Manifest,
    controls: frozenset[str],
    kernel: frozenset[object] = frozenset(),
    programs: frozenset[str] = frozenset(),
    onward: frozenset[object] = frozenset(),
) -> Attribution:
    """Fill in ``process`` and ``process_basis`` of every row; return what it rests on.

    ``kernel`` are the conversations of the kernel (:mod:`audit.evidence.kernel`), ``onward`` those
    in which the recording proxy passed flows on. ``controls`` are the ``ref`` texts of the requests
    that carried a one-time token: they and what belongs to their exchange are the recorder's own;
    nothing else is, whoever it was sent to. ``programs`` are the names of the app.
    """
    found = _attribution(tables, manifest, programs)
    own = _control_conversations(tables, controls)
    for table, rows in tables.items():
        if table in _UNTOUCHED:
            continue
        for row in rows:
            is_browser = row.get("process") == "browser"
            row["process"], row["process_basis"] = _process(row, found)
            if row.get("conversation") in kernel:
                row["process"] = "os"
            elif _is_control(table, row, controls, own):
                row["process"] = "control"
            elif row.get("conversation") in onward:
                row["process"], row["process_basis"] = "unknown", "declared"
            elif is_browser and row["process"] == "app":
                row["process"] = "browser"
    if onward:
        found.limits.append(
            f"{len(onward)} conversations are the recording proxy's own, which passed flows on: "
            "they were not judged a second time"
        )
    found.limits += _count_others(tables)
    return found


def _process(row: Row, found: Attribution) -> tuple[str, str | None]:
    if row.get("layer"):
        program = found.known.get(row.get("conversation"))
    else:
        program = program_of(row) or found.known.get(row.get("conversation"))
    return found.rest if program is None else found.of(program)


def _attribution(tables: Tables, manifest: Manifest, programs: frozenset[str]) -> Attribution:
    if manifest.vantage == "netns":
        return Attribution(rest=("app", "netns"))
    rest: tuple[str, str | None] = ("app", "declared")
    if manifest.vantage == "import" and manifest.mixed:
        rest = ("unknown", None)
    found = Attribution(rest=rest, programs=programs)
    if manifest.vantage != "import":
        return found
    named: dict[str, Program] = {}
    for row in _rows(tables):
        program = program_of(row)
        if program is not None:
            named.setdefault(program.title, program)
            if row.get("conversation"):
                found.known[row["conversation"]] = program
    _judge_names(
        found, [one for one in named.values() if not one.is_system or one.is_one_of(programs)]
    )
    return found


def _rows(tables: Tables) -> Iterator[Row]:
    for table in ("conversations", "log_lines"):
        yield from tables.get(table, ())


def _judge_names(found: Attribution, named: list[Program]) -> None:
    """Decide what the programs that a capture names, but the system's, mean for its other rows."""
    others = sorted(one.title for one in named if not one.is_one_of(found.programs))
    shown = ", ".join(others[:_SHOWN]) + (", …" if len(others) > _SHOWN else "")
    if found.programs:
        if others:
            found.rest = ("unknown", None)
        if named and len(others) == len(named):
            app = ", ".join(sorted(found.programs))
            found.limits.append(
                f"the capture names programs ({shown}), and none of them is the app ({app}): "
                "nothing in it could be tied to the app"
            )
    elif len(others) == 1:
        found.only = others[0]
    elif others:
        found.rest = ("unknown", None)
        found.limits.append(
            f"the capture names {len(others)} programs ({shown}) and the target names none: which "
            "is the app is not known; name it in the target's file, app: {package: …}"
        )


def _count_others(tables: Tables) -> list[str]:
    rows = [row for row in tables.get("conversations", ()) if is_others(row)]
    count = sum(1 for row in rows if row.get("process_basis") != "declared")
    found = []
    if count:
        found.append(f"{count} conversations are of other programs: they were not judged")
    asked = sum(
        1
        for row in tables.get("dns_queries", ())
        if row.get("process") == "os" and row.get("process_basis") == "uid"
    )
    if asked:
        found.append(
            f"{asked} name look-ups were made by the system's resolver: for which program is not "
            "known"
        )
    return found


def take_back(tables: Tables, hits: Sequence[Row], found: Attribution) -> None:
    """Give to the app what passed for another's and holds what no other sends by itself.

    Such are values of the subject, found in ``hits``, that are no address and no name of the
    machine, in what passed for the system's or for a control: a token that a journal names may
    be a digest of such a value. Where programs beside the app are named, it is not known whose
    they are.
    """
    misused = {
        (hit.get("process"), hit["conversation"])
        for hit in hits
        if hit.get("conversation") is not None and _is_personal(hit)
    }
    for rows in (*tables.values(), hits):
        for row in rows:
            if (row.get("process"), row.get("conversation")) in misused:
                row["process"], row["process_basis"] = found.rest


def _is_personal(hit: Row) -> bool:
    """Whether neither system nor recorder sends such a value by itself."""
    if hit.get("process") == "control" and hit.get("location") == "path":
        return True
    return hit.get("process") in _IMPERSONAL and hit.get("kind") not in KERNEL_KINDS


def _control_conversations(tables: Tables, controls: frozenset[str]) -> frozenset[object]:
    """Conversations that carried a control and nothing else."""
    own = {
        row["conversation"]
        for row in tables.get("http_requests", ())
        if row.get("ref") in controls and row.get("conversation")
    }
    for row in tables.get("http_requests", ()):
        if row.get("conversation") in own and row.get("ref") not in controls:
            own.discard(row.get("conversation"))
    return frozenset(own)


def _is_control(table: str, row: Row, controls: frozenset[str], own: frozenset[object]) -> bool:
    if table == "http_requests":
        return row.get("ref") in controls
    return row.get("conversation") in own
