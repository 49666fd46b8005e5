"""Bare capture files as captures: no recorder, no controls, so they can fail but not pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.bundle.folder import digest_file, joint_digest
from audit.bundle.identity import Identity
from audit.bundle.journal import JournalLine
from audit.bundle.layout import ARCHIVE, FLOWS, PACKETS
from audit.bundle.manifest import Manifest
from audit.errors import CaptureError, UsageError
from audit.evidence.capture import read_evidence
from audit.evidence.context import EvidenceContext
from audit.evidence.sources import Source
from audit.readers.inputkind import InputKind
from audit.readers.inputs import recognise
from audit.tables.evidence import CaptureEvidence

_UNDATED: Final = "1970-01-01T00:00:00.000000Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class BareOptions:
    """What is said of bare files."""

    mixed: bool = False
    """Whether they hold other programs' traffic too."""
    tls_keys: bytes = b""
    """Key log for the packets."""
    journal: tuple[JournalLine, ...] = ()
    journal_cut: tuple[str, ...] = ()
    """What of the journal could not be read, a sentence each."""
    vouched_by: str | None = None
    """Whose word the journal is."""


def import_file(
    path: Path,
    context: EvidenceContext | None = None,
    *,
    mixed: bool = False,
    tls_keys: bytes = b"",
) -> CaptureEvidence:
    """Read a bare file.

    ``mixed`` says that it holds other programs' traffic too; ``tls_keys`` is a key log. Raises
    :class:`CaptureError` for a file that is not there, is of no known kind, or cannot be read.
    """
    return import_files([path], context, BareOptions(mixed=mixed, tls_keys=tls_keys))


def import_files(
    paths: Sequence[Path],
    context: EvidenceContext | None = None,
    options: BareOptions | None = None,
) -> CaptureEvidence:
    """Read the bare files of one recording, its taps reconciled.

    Raises :class:`CaptureError` for a file that cannot be read, and :class:`UsageError` for files
    that do not go together.
    """
    context = context or EvidenceContext()
    source = file_source(paths, options or BareOptions(), context.identity)
    return read_evidence(source, context)


def sort_out(paths: Sequence[Path]) -> list[tuple[Path, InputKind]]:
    """Return the kind of each file of one recording.

    Raises :class:`CaptureError` for a file of no known kind, :class:`UsageError` for two of one
    kind, and for a dump beside an archive: both are the proxy's.
    """
    found: list[tuple[Path, InputKind]] = []
    for path in paths:
        kind = recognise(path)
        for other, known in found:
            if kind.place == known.place or kind.tap == known.tap == "proxy":
                raise UsageError(
                    f"two files of one tap: {other.name} and {path.name}",
                    hint="import each into a capture of its own; 'audit run' judges several "
                    "together",
                )
        found.append((path, kind))
    return found


def file_source(
    paths: Sequence[Path], options: BareOptions, subject: Identity | None = None
) -> Source:
    """Return the capture that the bare files of one recording are.

    Values of the ``subject`` in names of files are blanked, as in every output. Raises
    :class:`CaptureError` and :class:`UsageError`.
    """
    kinds = sort_out(paths)
    try:
        digests = {path.name: digest_file(path) for path in paths}
    except OSError as error:
        raise CaptureError(
            f"the file cannot be read: {error.strerror}", source=str(error.filename)
        ) from None
    by_place = {kind.place: path for path, kind in kinds}
    has_flows = any(kind.tap == "proxy" for _, kind in kinds)
    manifest = Manifest.model_validate(
        {
            "id": capture_id(public_name(paths[0].name, subject)),
            "status": "complete",
            "pass": "intercepted" if has_flows else "passive",
            "vantage": "import",
            "device": "unknown",
            "install": "unknown",
            "started_at": _UNDATED,
            "client": {"name": "unknown"},
            "mixed": options.mixed,
            "vouched_by": options.vouched_by,
            "files": digests,
        }
    )
    shown = {path: public_name(path.name, subject) for path in paths}
    named = {
        path: capture_id(name) if ":" in name or "#" in name else name
        for path, name in shown.items()
    }
    packets, flows, archive = (by_place.get(place) for place in (PACKETS, FLOWS, ARCHIVE))
    return Source(
        manifest=manifest,
        journal=options.journal,
        truncated=options.journal_cut,
        identity=Identity(),
        digest=_digest(digests),
        packets=packets,
        packets_name=named.get(packets, PACKETS) if packets else PACKETS,
        flows=flows,
        flows_name=named.get(flows, FLOWS) if flows else FLOWS,
        archive=archive,
        archive_name=named.get(archive, ARCHIVE) if archive else ARCHIVE,
        lists=tuple((path, named[path]) for path, kind in kinds if kind.tap == "device"),
        tls_keys=options.tls_keys,
    )


def _digest(digests: dict[str, str]) -> str:
    """Return a file's digest; of several, that of their sorted lines, as a bundle has it."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    return joint_digest(digests)


def public_name(name: str, subject: Identity | None) -> str:
    """Return a file's name as outputs may show it: without values of the subject.

    An ending counts apart: with it, an address of e-mail would be another one.
    """
    if subject is None or not subject.identifiers:
        return name
    from audit.identifiers.redaction import Redactor

    redact = Redactor(subject).text
    name = redact(name)
    for dot in (match.start() for match in reversed([*re.finditer(r"\.", name)])):
        blanked = redact(name[:dot])
        if blanked != name[:dot]:
            return blanked + name[dot:]
    return name


def capture_id(name: str) -> str:
    """Return a capture id made of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip("._-")[:100] or "import"
