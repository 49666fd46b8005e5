"""Bare capture files as captures: no recorder, no controls, so they can fail but not pass."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from audit.bundle.folder import digest_file
from audit.bundle.identity import Identity
from audit.bundle.manifest import Manifest
from audit.errors import CaptureError
from audit.evidence.capture import read_evidence
from audit.evidence.context import EvidenceContext
from audit.evidence.sources import Source
from audit.tables.evidence import CaptureEvidence

PACKET_SUFFIXES: Final = (".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz")
FLOW_SUFFIXES: Final = (".mitm",)
ARCHIVE_SUFFIXES: Final = (".har",)
_UNDATED: Final = "1970-01-01T00:00:00.000000Z"


def is_capture_file(path: Path) -> bool:
    """Whether the name is that of a file which :func:`import_file` reads."""
    return path.name.lower().endswith(PACKET_SUFFIXES + FLOW_SUFFIXES + ARCHIVE_SUFFIXES)


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
    source = file_source(path, mixed=mixed, tls_keys=tls_keys)
    return read_evidence(source, context or EvidenceContext())


def file_source(path: Path, *, mixed: bool = False, tls_keys: bytes = b"") -> Source:
    """Return the capture that a bare file is; raises :class:`CaptureError`."""
    name = path.name.lower()
    if not is_capture_file(path):
        raise CaptureError(
            "this is no kind of capture file that is known here",
            source=path.name,
            hint="give a bundle's folder, or a .pcap, .pcapng, .har or .mitm file",
        )
    try:
        digest = digest_file(path)
    except OSError as error:
        raise CaptureError(f"the file cannot be read: {error.strerror}", source=path.name) from None
    is_packets = name.endswith(PACKET_SUFFIXES)
    manifest = Manifest.model_validate(
        {
            "id": _id(path.name),
            "status": "complete",
            "pass": "passive" if is_packets else "intercepted",
            "vantage": "import",
            "device": "unknown",
            "install": "unknown",
            "started_at": _UNDATED,
            "client": {"name": "unknown"},
            "mixed": mixed,
            "files": {path.name: digest},
        }
    )
    return Source(
        manifest=manifest,
        identity=Identity(),
        digest=digest,
        packets=path if is_packets else None,
        packets_name=path.name,
        flows=path if name.endswith(FLOW_SUFFIXES) else None,
        archive=path if name.endswith(ARCHIVE_SUFFIXES) else None,
        flows_name=path.name,
        archive_name=path.name,
        tls_keys=tls_keys,
    )


def _id(name: str) -> str:
    """Return a capture id made of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip("._-")[:100] or "import"
