"""Where the bytes behind a row lie: the text of the ``ref`` column.

A reference reads ``FILE#RECORDS:PART@START-END``, for example
``flows.mitm#3:request.body@120-186`` or ``packets.pcapng#17,18:tcp.sent@0-512``.
``RECORDS`` are 1-based (packets as Wireshark numbers them), ``PART`` names a piece of the
record (see ``docs/reference/references.md``), ``START-END`` is a half-open byte range inside
that part. Everything after the file is optional.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

_TEXT = re.compile(
    r"(?P<file>[^#]+)(?:#(?P<records>\d+(?:,\d+)*))?(?::(?P<part>[^@]+))?"
    r"(?:@(?P<start>\d+)-(?P<end>\d+))?\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Reference:
    """A pointer to captured bytes.

    There are some to every message: it is made by hand, in half the time.
    """

    file: str
    """Path inside the bundle, with forward slashes."""
    records: tuple[int, ...] = ()
    """1-based numbers of the records; empty where the file has no records."""
    part: str | None = None
    """Piece of the record that the range counts in; ``None``: the record itself."""
    start: int | None = None
    """First byte of the range inside the part; ``None``: the whole part."""
    end: int | None = None
    """One past the last byte of the range."""

    def __init__(
        self,
        *,
        file: str,
        records: tuple[int, ...] = (),
        part: str | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> None:
        _set_file(self, file)
        _set_records(self, records)
        _set_part(self, part)
        _set_start(self, start)
        _set_end(self, end)

    def __str__(self) -> str:
        text = self.file
        if len(self.records) == 1:
            text += f"#{self.records[0]}"
        elif self.records:
            text += "#" + ",".join(map(str, self.records))
        if self.part:
            text += f":{self.part}"
        if self.start is not None and self.end is not None:
            text += f"@{self.start}-{self.end}"
        return text

    def at(self, start: int, end: int, *, part: str | None = None) -> Reference:
        """Return the same pointer narrowed to a byte range (and, if given, to a part)."""
        return Reference(
            file=self.file, records=self.records, part=part or self.part, start=start, end=end
        )

    def of(self, part: str) -> Reference:
        """Return a pointer to a whole part of the same records."""
        return Reference(file=self.file, records=self.records, part=part)


_set_file, _set_records, _set_part, _set_start, _set_end = (
    Reference.__dict__[field.name].__set__ for field in fields(Reference)
)


def quoted_name(name: str) -> str:
    """Return a name without what parts a reference: ``#``, ``:`` and ``@`` percent-encoded."""
    return name.replace("#", "%23").replace(":", "%3A").replace("@", "%40")


def parse_reference(text: str) -> Reference:
    """Read the text of a ``ref`` column; raises ``ValueError`` for anything else."""
    match = _TEXT.match(text)
    if not match:
        raise ValueError(f"not a reference: {text!r}")
    records = match["records"]
    return Reference(
        file=match["file"],
        records=tuple(map(int, records.split(","))) if records else (),
        part=match["part"],
        start=int(match["start"]) if match["start"] else None,
        end=int(match["end"]) if match["end"] else None,
    )
