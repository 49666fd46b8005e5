"""A bundle opened for reading, its digests, and the digest that locates it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.bundle.identity import Identity, read_identity
from audit.bundle.journal import JournalLine, read_journal
from audit.bundle.layout import IDENTITY, JOURNAL, MANIFEST
from audit.bundle.manifest import Manifest, read_manifest
from audit.errors import CaptureError


def digest_file(path: Path) -> str:
    """Return the hex SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_lines(digests: Mapping[str, str]) -> bytes:
    """Return digests by name as lines ``sha256  name``, sorted, as ``sha256sum`` writes them."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def joint_digest(digests: Mapping[str, str]) -> str:
    """Return the digest of several files: that of their :func:`digest_lines`."""
    return hashlib.sha256(digest_lines(digests)).hexdigest()


def files_in(folder: Path) -> list[str]:
    """Return the paths of all files of a bundle but its manifest, sorted, with forward slashes.

    Raises :class:`CaptureError` for a link or anything else that is no plain file: its bytes would
    not be the bundle's own.
    """
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise CaptureError(
                f"{name} is no plain file",
                source=str(folder),
                hint="a bundle holds its own bytes; copy them in and record their digests",
            )
        if path.is_file() and name not in {MANIFEST, MANIFEST + ".part"}:
            found.append(name)
    return sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle on disk."""

    folder: Path
    manifest: Manifest
    journal: tuple[JournalLine, ...]
    identity: Identity
    truncated: tuple[str, ...]
    """Why the bundle is incomplete, a sentence each; empty for a complete one."""
    digest: str
    """sha256 of the sorted ``sha256  path`` lines of its files: locates the capture."""

    def path(self, name: str) -> Path | None:
        """Return the path of a file of the bundle, ``None`` where it is absent."""
        path = self.folder / name
        return path if path.is_file() else None


def verify_digests(folder: Path, manifest: Manifest) -> list[str]:
    """Return what differs from the manifest, a sentence each; empty where all is as recorded."""
    problems = []
    present = set(files_in(folder))
    for name, expected in sorted(manifest.files.items()):
        if name not in present:
            problems.append(f"{name} is missing")
        elif digest_file(folder / name) != expected:
            problems.append(f"{name} was changed after the recording")
    problems += [
        f"{name} is not in the manifest" for name in sorted(present - manifest.files.keys())
    ]
    return problems


def open_bundle(folder: Path) -> Bundle:
    """Open a bundle and check its digests.

    A bundle in state ``recording`` opens as truncated (its digests are not known yet). Raises
    :class:`CaptureError` for a changed, missing or added file, and for anything unreadable.
    """
    manifest = read_manifest(folder)
    truncated = list(manifest.truncated)
    if manifest.status == "complete":
        problems = verify_digests(folder, manifest)
        if problems:
            raise CaptureError(
                problems[0] + (f" (and {len(problems) - 1} more)" if problems[1:] else ""),
                source=str(folder),
                hint="this is not the evidence that was recorded; restore it or record again",
            )
        digests = dict(manifest.files)
    else:
        truncated.append("the recorder did not finish: the bundle is in state 'recording'")
        digests = {name: digest_file(folder / name) for name in files_in(folder)}
    journal, cut = read_journal(folder / JOURNAL)
    return Bundle(
        folder=folder,
        manifest=manifest.of_file(digest_file(folder / MANIFEST)),
        journal=tuple(journal),
        identity=read_identity(folder / IDENTITY),
        truncated=tuple(truncated + cut),
        digest=joint_digest(digests),
    )
