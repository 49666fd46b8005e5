"""Every kind of capture file that can be imported, and how a file is told to be one.

A new kind is a module with its :class:`InputKind` and a line in :data:`INPUTS`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from audit.bundle.layout import ARCHIVE, FLOWS, PACKETS
from audit.errors import CaptureError
from audit.readers.inputkind import InputKind, ReadOptions
from audit.readers.inspection import INSPECTION, is_inspection
from audit.readers.pcapdroid_csv import PCAPDROID_CSV
from audit.readers.privacy_report import PRIVACY_REPORT, is_privacy_report
from audit.readers.textlines import first_bytes
from audit.readers.trackercontrol import TRACKERCONTROL
from audit.tables.extract import Extract

HEAD: Final = 1 << 16
"""Bytes by which a file is told."""
_PCAPNG: Final = b"\n\r\r\n"
_PCAP: Final = re.compile(rb"(\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\x4d\x3c\xb2\xa1|\xa1\xb2\x3c\x4d)")
"""Microseconds and nanoseconds, both byte orders (draft-ietf-opsawg-pcap)."""
_NETSTRING: Final = re.compile(rb"\d{1,12}:\d{1,12}:")
"""A dictionary in mitmproxy's tnetstrings begins with the length of its first key."""
_ZIP: Final = b"PK\x03\x04"
_LOG: Final = re.compile(rb'"(log|entries)"\s*:')


def _read_packets(path: Path, options: ReadOptions) -> Extract:
    from audit.readers.packets import PacketOptions, read_packets

    return read_packets(
        path,
        PacketOptions(
            capture=options.capture,
            client=options.client,
            secrets=options.secrets,
            file=options.file,
        ),
    )


def _read_flows(path: Path, options: ReadOptions) -> Extract:
    from audit.readers.mitm import FlowOptions, read_flows

    return read_flows(path, FlowOptions(capture=options.capture, file=options.file))


def _read_archive(path: Path, options: ReadOptions) -> Extract:
    from audit.readers.har import HarOptions, read_har

    return read_har(path, HarOptions(capture=options.capture, file=options.file))


def _is_packets(head: bytes) -> bool:
    return head.startswith(_PCAPNG) or bool(_PCAP.match(head))


def _is_flows(head: bytes) -> bool:
    return bool(_NETSTRING.match(head))


def _is_archive(head: bytes) -> bool:
    if head.startswith(_ZIP):
        return b".har" in head  # name of a member; often the last one, far behind
    return (
        head.lstrip().startswith(b"{")
        and bool(_LOG.search(head))
        and not is_privacy_report(head)
        and not is_inspection(head)
    )


PACKET_FILE: Final = InputKind(
    name="packet capture (pcap, pcapng, gzipped or not)",
    tap="packets",
    place=PACKETS,
    suffixes=(".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz"),
    knows=_is_packets,
    read=_read_packets,
)
FLOW_FILE: Final = InputKind(
    name="mitmproxy dump",
    tap="proxy",
    place=FLOWS,
    suffixes=(".mitm", ".flow", ".flows"),
    knows=_is_flows,
    read=_read_flows,
)
ARCHIVE_FILE: Final = InputKind(
    name="HTTP archive (HAR)",
    tap="proxy",
    place=ARCHIVE,
    suffixes=(".har", ".zhar", ".har.gz", "har.zip"),
    knows=_is_archive,
    read=_read_archive,
)
INPUTS: Final = (
    PACKET_FILE, FLOW_FILE, ARCHIVE_FILE, PRIVACY_REPORT, PCAPDROID_CSV, TRACKERCONTROL, INSPECTION,
)  # fmt: skip
"""In the order in which they are tried."""


def recognise(path: Path) -> InputKind:
    """Return what kind of file it is: by its first bytes, else by the ending of its name.

    Raises :class:`CaptureError` for a file that is not there, is no plain file, or is of no kind
    that is known here.
    """
    if path.is_dir():
        raise CaptureError(
            "this is a folder, not a capture file", source=str(path), hint="name the files in it"
        )
    if not path.exists():
        is_pattern = any(character in path.name for character in "*?[")
        raise CaptureError(
            "no file matches this pattern" if is_pattern else "there is no such file",
            source=str(path),
        )
    if not path.is_file():
        raise CaptureError("this is no plain file", source=str(path))
    try:
        head = first_bytes(path, HEAD)
    except OSError as error:
        raise CaptureError(f"the file cannot be read: {error.strerror}", source=str(path)) from None
    by_content = [kind for kind in INPUTS if kind.knows(head)]
    name = path.name.lower()
    by_name = [kind for kind in INPUTS if name.endswith(kind.suffixes)]
    both = [kind for kind in by_content if kind in by_name]
    for found in (both, by_content, by_name):
        if found:
            return found[0]
    raise CaptureError(
        "the file is empty" if not head else "this is no kind of capture file that is known here",
        source=path.name,
        hint="tried: " + ", ".join(kind.name for kind in INPUTS),
    )


def is_input(path: Path) -> bool:
    """Whether :func:`recognise` knows the file."""
    try:
        recognise(path)
    except CaptureError:
        return False
    return True
