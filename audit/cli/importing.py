"""Makes a bundle of capture files that exist: what ``audit import`` does."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import audit
from audit.bundle.folder import digest_file, files_in
from audit.bundle.identity import read_identity
from audit.bundle.journal import now, read_journal
from audit.bundle.layout import ARCHIVE, FLOWS, JOURNAL, PACKETS
from audit.bundle.manifest import Client, Manifest, Network
from audit.bundle.pcapng import PcapngWriter, secrets_block
from audit.errors import CaptureError, UsageError

PLACES: Final = {
    ".pcapng": PACKETS,
    ".pcap": PACKETS,
    ".pcapng.gz": PACKETS,
    ".pcap.gz": PACKETS,
    ".mitm": FLOWS,
    ".har": ARCHIVE,
}
"""Ending of a file -> its name in the bundle."""


_PASS: Final[dict[bool, Any]] = {True: {"pass": "intercepted"}, False: {"pass": "passive"}}
"""A capture with flows counts as an intercepted pass, else as a passive one (design §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What to import, and what is said of it."""

    files: tuple[Path, ...]
    folder: Path
    policy: str | None = None
    target: str | None = None
    platform: str | None = None
    client_name: str = "unknown"
    identity: Path | None = None
    journal: Path | None = None
    vouched_by: str | None = None
    tls_keys: Path | None = None
    client_addresses: tuple[str, ...] = ()
    mixed: bool = False


def import_captures(plan: ImportPlan) -> Manifest:
    """Write the bundle and return its manifest.

    Raises :class:`UsageError` for files that do not go together or a folder that is taken, and
    :class:`CaptureError` for a file that cannot be read.
    """
    places = _places(plan.files)
    if plan.folder.exists() and any(plan.folder.iterdir()):
        raise UsageError("this folder holds something already", source=str(plan.folder))
    plan.folder.mkdir(parents=True, exist_ok=True)
    started = now()
    manifest = _manifest(plan, places, started)
    manifest.write(plan.folder)
    keys = plan.tls_keys.read_bytes() if plan.tls_keys else b""
    for name, path in places.items():
        if name == PACKETS:
            _packets(path, plan.folder / PACKETS, keys)
        else:
            shutil.copyfile(path, plan.folder / name)
    if plan.identity:
        read_identity(_existing(plan.identity)).write(plan.folder)
    if plan.journal:
        read_journal(_existing(plan.journal))
        shutil.copyfile(plan.journal, plan.folder / JOURNAL)
    digests = {name: digest_file(plan.folder / name) for name in files_in(plan.folder)}
    done = manifest.model_copy(update={"status": "complete", "ended_at": now(), "files": digests})
    done.write(plan.folder)
    return done


def _places(files: tuple[Path, ...]) -> dict[str, Path]:
    places: dict[str, Path] = {}
    for path in files:
        endings = [ending for ending in PLACES if path.name.lower().endswith(ending)]
        if not endings:
            raise UsageError(
                "no reader knows this kind of file",
                source=path.name,
                hint="known endings: " + " ".join(PLACES),
            )
        name = PLACES[max(endings, key=len)]
        if name in places or {name, *places} >= {FLOWS, ARCHIVE}:
            raise UsageError(
                f"two files of one tap: {places.get(name, path).name} and {path.name}",
                hint="import each into a capture of its own; 'audit run' judges several together",
            )
        places[name] = _existing(path)
    return places


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise CaptureError("there is no such file", source=str(path))
    return path


def _manifest(plan: ImportPlan, places: dict[str, Path], started: str) -> Manifest:
    flows = bool(places.keys() & {FLOWS, ARCHIVE})
    return Manifest(
        id=plan.folder.name,
        status="recording",
        policy=plan.policy,
        target=plan.target,
        platform=plan.platform,
        **_PASS[flows],
        vantage="import",
        device="unknown",
        install="unknown",
        started_at=started,
        client=Client(name=plan.client_name),
        network=Network(client=plan.client_addresses),
        tools={"audit": audit.__version__, "python": platform.python_version()},
        vouched_by=plan.vouched_by,
        mixed=plan.mixed,
        clock="as in the imported files",
    )


def _packets(source: Path, path: Path, keys: bytes) -> None:
    """Write the canonical ``packets.pcapng``, packet numbers kept, TLS secrets in it."""
    from audit.readers.capfile import CaptureFile

    with source.open("rb") as file:
        is_pcapng = file.read(4) == b"\n\r\r\n"
    if is_pcapng:
        CaptureFile(source)
        shutil.copyfile(source, path)
        if keys:
            with path.open("ab") as out:
                out.write(secrets_block(keys))
        return
    capture = CaptureFile(source)
    writer = PcapngWriter(path, application=f"audit {audit.__version__}", system=platform.system())
    known = 0
    for chunk in capture.chunks():
        for link in capture.interfaces[known:]:
            writer.add_interface(link.name or f"interface-{known}", link.link)
            known += 1
        for start, length, wire, ts, iface in zip(
            chunk.start, chunk.length, chunk.wire, chunk.ts, chunk.iface, strict=True
        ):
            data = chunk.data[start : start + length].tobytes()
            writer.add_packet(int(iface), max(int(ts), 0), data, int(wire), outbound=True)
        writer.flush()
    if keys:
        writer.add_secrets(keys)
    writer.close()
    if getattr(capture, "truncated", None):
        raise CaptureError(capture.truncated[0], source=source.name)
