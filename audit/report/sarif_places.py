"""Evidence as SARIF artifacts and locations.

A byte range of evidence counts inside a *part* of a record (the body of a request, one direction
of a TCP stream), not in the file that holds the record. So a part is a nested artifact of its file
(§3.24.3), named ``RECORDS/PART``, and the region counts in it, as the range does. The name has no
slash before it: §3.24.2 asks for one, later drafts forbid it, and validators take it for a fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.model.result import CaptureRef, Evidence
from audit.report.commands import PACKET_FILES
from audit.report.json import without_nothing
from audit.report.sarif_log import message, uri_path
from audit.report.verdicts import reference_of
from audit.tables.reference import Reference

_Key = tuple[str, str, tuple[int, ...], str]


class Artifacts:
    """The files of the bundles and the parts of them that evidence names, in order of use."""

    def __init__(self, captures: Sequence[CaptureRef]) -> None:
        self._digests = {
            (capture.id, file): digest
            for capture in captures
            for file, digest in capture.digests.items()
        }
        self.all: list[dict[str, Any]] = []
        """The ``artifacts`` of the run."""
        self._index: dict[_Key, int] = {}
        for capture, file in self._digests:
            self._file(capture, file)

    def location(self, evidence: Evidence) -> dict[str, Any]:
        """Return the SARIF location of a piece of evidence."""
        reference = reference_of(evidence.locator) or Reference(file=evidence.file or "-")
        physical: dict[str, Any] = {"artifactLocation": self._place(evidence.capture, reference)}
        if reference.start is not None and reference.end is not None:
            length = max(0, reference.end - reference.start)
            physical["region"] = {"byteOffset": reference.start, "byteLength": length}
        return {
            "physicalLocation": physical,
            "message": message(evidence.reasoning),
            "properties": _properties(evidence, reference),
        }

    def _place(self, capture: str, reference: Reference) -> dict[str, Any]:
        whole = self._file(capture, reference.file)
        if not reference.records and not reference.part:
            return {**self.all[whole]["location"], "index": whole}
        key = (capture, reference.file, reference.records, reference.part or "")
        if key not in self._index:
            path = "/".join(filter(None, (",".join(map(str, reference.records)), reference.part)))
            self._index[key] = len(self.all)
            self.all.append({"location": {"uri": uri_path(path)}, "parentIndex": whole})
        index = self._index[key]
        return {**self.all[index]["location"], "index": index}

    def _file(self, capture: str, file: str) -> int:
        key = (capture, file, (), "")
        if key not in self._index:
            self._index[key] = len(self.all)
            digest = self._digests.get((capture, file))
            location = {"uri": uri_path(file), "uriBaseId": capture}
            hashes = {"sha-256": digest} if digest else None
            self.all.append(
                without_nothing(
                    {"location": location, "roles": ["analysisTarget"], "hashes": hashes}
                )
            )
        return self._index[key]


def _properties(evidence: Evidence, reference: Reference) -> dict[str, Any]:
    """Return what an opponent needs beside the byte range, as a property bag.

    ``packets`` are numbers as Wireshark counts, ``records`` those of any other file.
    """
    is_packets = evidence.file.endswith(PACKET_FILES)
    return without_nothing(
        {
            "capture": evidence.capture,
            "file": evidence.file,
            "packets" if is_packets else "records": list(reference.records),
            "part": reference.part,
            "locator": evidence.locator,
            "also": evidence.also,
            "conversation": evidence.conversation,
            "ts": evidence.ts,
            "excerpt": evidence.excerpt,
        }
    )
