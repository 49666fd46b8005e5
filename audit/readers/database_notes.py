"""What is to be said of a table that was read: what is not known of it, and what it leans on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.readers.database_rows import TableRows
from audit.readers.database_table import TableReader
from audit.yamlfile.sources import SourceEntry


@dataclass(frozen=True, slots=True)
class TableNotes:
    """Sentences about one table."""

    reader: TableReader
    entry: SourceEntry
    is_named: bool = False
    """Whether the source names it."""

    def unsure(self, problem: str | None) -> Iterator[str]:
        """Yield why something is not known of its rows; each blocks a pass."""
        reader, roles = self.reader, self.reader.roles
        for name in roles.missing:
            yield f"the source names its column '{name}', and it is not there"
        if not reader.count:
            if self.is_named and problem is None:
                yield "the source names this table, and it is empty: it shows nothing"
            return
        when = roles.time or roles.changed
        if when is None:
            yield f"no column says when its {reader.count} rows were collected"
        elif reader.undated:
            yield f"{reader.undated} of its rows have no time in '{when}' that can be read"
        if roles.time is None and roles.changed is not None:
            yield f"'{roles.changed}' says when rows were changed last: they may be older"
        if reader.future:
            yield f"{reader.future} of its rows are dated in the future: a wrong clock"
        if reader.unknown_states:
            yield f"{reader.unknown_states} states in '{roles.status}' are no words"
        if reader.no_mails:
            yield (
                f"{reader.no_mails} values of '{roles.email}', which the source names for e-mail "
                "addresses, are neither one that can be read nor a digest"
            )
        if reader.overfull:
            yield "its columns hold more kinds of values than are told apart"
        if reader.rows.left and not self._since():
            yield "nothing says since when people who left are in that state"

    def _since(self) -> bool:
        return any(since is not None for _, since in self.reader.rows.left.values())

    def limits(self) -> Iterator[str]:
        """Yield what a reader of the report should know."""
        reader, roles = self.reader, self.reader.roles
        if not reader.count:
            yield "it is empty"
            return
        if roles.time is not None:
            yield f"its rows are dated by '{roles.time}'"
        if reader.times.assumed_zone:
            yield f"times without a zone are taken as {self.entry.time_zone}"
        for name, count in sorted(reader.sealed.items()):
            yield f"{count} values of '{name}' look random: what is in them is unknown"
        if not reader.table.key:
            yield "it has no primary key: its rows are numbered as the database gave them"

    def truncated(self, problem: str | None) -> Iterator[str]:
        """Yield what was cut; each blocks a pass."""
        reader = self.reader
        if problem is not None:
            yield f"only {reader.count} rows were read"
        if reader.rows.lost:
            yield f"{reader.rows.lost} rows differ in so many ways that they were not kept apart"
        if reader.rows.folded:
            yield (
                f"{reader.rows.folded} rows with an e-mail address are not told one by one: "
                "nobody's absence shows"
            )
        if reader.cut:
            yield f"{reader.cut} packed values were read in part"


def left_elsewhere(tables: Sequence[TableRows], copies: set[str]) -> None:
    """Put people who left by one table into that state in the others that do not tell.

    A table with a state of its own is believed, but for a copy: that tells an older state.
    """
    left: dict[str, tuple[str, str | None]] = {}
    for table in tables:
        left |= table.left
    for table in tables:
        is_copy = table.base.get("table") in copies
        for row in table.people:
            known = left.get(str(row["email_hash"]))
            if known and (row["status"] is None or (is_copy and row["status"] == "subscribed")):
                row["status"], row["status_since"] = known
