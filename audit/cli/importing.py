"""Makes a bundle of capture files that exist: what ``audit import`` does."""

from __future__ import annotations

import contextlib
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import audit
from audit.bundle.folder import digest_file, files_in
from audit.bundle.identity import Identity, read_identity
from audit.bundle.journal import JournalLine, now, read_journal
from audit.bundle.layout import JOURNAL, PACKETS
from audit.bundle.manifest import Client, Manifest, Network
from audit.bundle.pcapng import PcapngWriter, add_secrets_first
from audit.cli.place import existing_file
from audit.cli.server_records import load_sources, record_sources
from audit.errors import AuditError, CaptureError, UsageError
from audit.yamlfile.sources import SourcesFile

_PASS: Final[dict[bool, Any]] = {True: {"pass": "intercepted"}, False: {"pass": "passive"}}
"""A capture with flows counts as an intercepted pass, else as a passive one (design §4)."""
_STEP: Final = 1 << 20
_TEXT_LINE: Final = re.compile(rb"(?m)^\s*[^#\s]")
_KEY_LINE: Final = re.compile(rb"(?m)^\s*[A-Z][A-Z0-9_]+ [0-9A-Fa-f]{16,} [0-9A-Fa-f]{32,}\s*$")
"""NSS key log: label, client random (or part of a pre-master secret), secret."""


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
    sources: Path | None = None
    """``sources.yaml`` of server records."""
    client_addresses: tuple[str, ...] = ()
    mixed: bool = False
    install: str = "unknown"
    """Id of the client's install, to compare installs by."""


def import_captures(plan: ImportPlan) -> Manifest:
    """Write the bundle and return its manifest.

    Everything that can be refused is refused before anything is written, and a bundle that cannot
    be finished does not stay. Raises :class:`UsageError` for files that do not go together or a
    folder that is taken, and :class:`CaptureError` for a file that cannot be read.
    """
    places = _places(plan)
    identity = read_identity(existing_file(plan.identity)) if plan.identity else None
    keys = existing_file(plan.tls_keys).read_bytes() if plan.tls_keys else b""
    _check(plan, places)
    sources = load_sources(plan.sources) if plan.sources else None
    if plan.tls_keys:
        require_keys(keys, plan.tls_keys)
    with _fresh(plan.folder):
        return _write(plan, places, identity, keys, sources)


def _write(
    plan: ImportPlan,
    places: dict[str, Path],
    identity: Identity | None,
    keys: bytes,
    sources: SourcesFile | None,
) -> Manifest:
    manifest = _manifest(plan, places, now(), identity)
    manifest.write(plan.folder)
    truncated: list[str] = []
    for name, path in places.items():
        if name == PACKETS:
            truncated += _packets(path, plan.folder / PACKETS, keys)
        else:
            shutil.copyfile(path, plan.folder / name)
    if identity:
        identity.write(plan.folder)
    if plan.journal:
        shutil.copy(plan.journal, plan.folder / JOURNAL)  # one that is private stays so
    if sources is not None and plan.sources is not None:
        record_sources(sources, plan.sources, plan.folder, manifest, identity or Identity())
    digests = {name: digest_file(plan.folder / name) for name in files_in(plan.folder)}
    done = manifest.model_copy(
        update={
            "status": "complete",
            "ended_at": now(),
            "truncated": tuple(truncated),
            "files": digests,
        }
    )
    done.write(plan.folder)
    return done


def _places(plan: ImportPlan) -> dict[str, Path]:
    """Return name in the bundle -> file; what is no packet capture is read through once."""
    from audit.evidence.imports import sort_out
    from audit.readers.inputkind import ReadOptions

    found = sort_out(plan.files) if plan.files else []
    for path, kind in found:
        if kind.place != PACKETS:
            kind.read(path, ReadOptions(capture="import", file=path.name))
    return {kind.place: path for path, kind in found}


def _check(plan: ImportPlan, places: dict[str, Path]) -> None:
    from audit.readers.endpoint import is_address

    if plan.tls_keys and PACKETS not in places:
        raise UsageError("a key log opens packets, and no packet capture is given")
    if plan.vouched_by and not plan.journal:
        raise UsageError("--vouched-by needs the --journal that somebody vouches for")
    if plan.journal:
        read_given_journal(plan.journal)
    for address in plan.client_addresses:
        if not is_address(address):
            raise UsageError(f"--client is no IP address: {address!r}")


def read_given_journal(path: Path) -> tuple[list[JournalLine], list[str]]:
    """Return the lines of a journal that somebody names, and what was cut.

    Raises :class:`UsageError` for a file without one whole line.
    """
    lines, cut = read_journal(existing_file(path))
    if not lines:
        raise UsageError(
            "this journal has no line",
            source=str(path),
            hint="one JSON object a line, with ts, driver and action",
        )
    return lines, cut


def require_keys(data: bytes, path: Path) -> None:
    """Raise :class:`UsageError` for a file that is no key log; an empty one is one."""
    if _TEXT_LINE.search(data) and not _KEY_LINE.search(data):
        raise UsageError(
            "this is no key log: it holds no key",
            source=str(path),
            hint="lines such as 'CLIENT_RANDOM <64 hex> <96 hex>', as SSLKEYLOGFILE gives them",
        )


@contextlib.contextmanager
def _fresh(folder: Path) -> Iterator[None]:
    """Make the folder; take it away again where the bundle cannot be finished."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("this folder holds something already", source=str(folder))
    was_there = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except (AuditError, OSError) as problem:
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if not was_there and folder.is_dir():
            folder.rmdir()
        if isinstance(problem, OSError):
            raise CaptureError(
                f"the bundle cannot be written: {problem.strerror}", source=str(folder)
            ) from None
        raise


def _manifest(
    plan: ImportPlan, places: dict[str, Path], started: str, subject: Identity | None
) -> Manifest:
    from audit.evidence.imports import capture_id, public_name
    from audit.readers.inputs import INPUTS

    flows = any(kind.place in places for kind in INPUTS if kind.tap == "proxy")
    return Manifest(
        id=capture_id(public_name(plan.folder.resolve().name, subject)),
        status="recording",
        policy=plan.policy,
        target=plan.target,
        platform=plan.platform,
        **_PASS[flows],
        vantage="import",
        device="unknown",
        install=plan.install,
        started_at=started,
        client=Client(name=plan.client_name),
        network=Network(client=plan.client_addresses),
        tools={"audit": audit.__version__, "python": platform.python_version()},
        vouched_by=plan.vouched_by,
        mixed=plan.mixed,
        clock="as in the imported files",
    )


def _packets(source: Path, path: Path, keys: bytes) -> list[str]:
    """Write the canonical ``packets.pcapng``, packet numbers kept, TLS secrets in it.

    A pcapng file stays as it is, byte for byte, but for the secrets. Returns what of the file could
    not be taken over, a sentence each.
    """
    from audit.readers.capfile import CaptureFile

    with CaptureFile(source) as capture:
        if capture.read(0, 4) == _PCAPNG:
            _copy(capture, path)
            if keys:
                add_secrets_first(path, keys)
        else:
            _convert(capture, path, keys)
        return [f"{source.name}: {said}" for said in capture.truncated]


_PCAPNG: Final = b"\n\r\r\n"


def _copy(capture: Any, path: Path) -> None:
    """Write the file's bytes, inflated; nothing of it is read, so nothing is told of it."""
    with path.open("wb") as target:
        for start in range(0, capture.size, _STEP):
            target.write(capture.read(start, _STEP))


def _convert(capture: Any, path: Path, keys: bytes) -> None:
    writer = PcapngWriter(path, application=f"audit {audit.__version__}", system=platform.system())
    try:
        if keys:
            writer.add_secrets(keys)
        known = 0
        for chunk in capture.chunks():
            for link in capture.interfaces[known:]:
                writer.add_interface(link.name or f"interface-{known}", link.link)
                known += 1
            for start, length, wire, ts, iface in zip(
                chunk.start, chunk.length, chunk.wire, chunk.ts, chunk.iface, strict=True
            ):
                data = chunk.data[start : start + length].tobytes()
                writer.add_packet(int(iface), max(int(ts), 0), data, int(wire), outbound=None)
            writer.flush()
    finally:
        writer.close()
