"""The file of an HTTP archive: JSON, packed or not, or a ZIP with the bodies beside it.

Playwright writes ``har.har`` and a file for every body into one ZIP (``content: "attach"``).
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from audit.errors import CaptureError
from audit.readers.har_cut import read_cut
from audit.readers.textlines import whole_file

MAX_BYTES: Final = 256 * 2**20
"""Size of an archive that is read (it must be held in memory whole)."""
MAX_RESOURCE: Final = 64 * 2**20
"""Bytes of one body beside the archive."""
MAX_RESOURCES: Final = 512 * 2**20
"""Bytes of all of them together."""
_ZIP: Final = b"PK\x03\x04"
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(slots=True, kw_only=True)
class HarArchive:
    """An archive that was opened."""

    log: dict[str, object]
    ends: str | None = None
    """Where the file ends in the midst of something; ``None``: it is whole."""
    members: zipfile.ZipFile | None = None
    _names: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    _taken: int = 0

    def __post_init__(self) -> None:
        if self.members is not None:
            self._names = {member.filename: member for member in self.members.infolist()}

    def resource(self, name: str) -> bytes | None:
        """Return the bytes of a file in the ZIP; ``None``: there is none, or it is too large."""
        member = self._names.get(name) or self._names.get(f"resources/{name}")
        if self.members is None or member is None:
            return None
        data = _member(self.members, member, min(MAX_RESOURCE, MAX_RESOURCES - self._taken))
        self._taken += len(data or b"")
        return data

    @property
    def creator(self) -> str:
        """Name of the program that wrote it; ``''``: it does not say."""
        creator = self.log.get("creator")
        name = creator.get("name") if isinstance(creator, dict) else None
        return name if isinstance(name, str) else ""

    @property
    def entries(self) -> list[object]:
        """The entries, each as it was found."""
        return cast("list[object]", self.log["entries"])


def open_archive(path: Path, file: str) -> HarArchive:
    """Open an archive; raises :class:`CaptureError` for a file that is none."""
    data = whole_file(path, file, MAX_BYTES)
    members = None
    if data.startswith(_ZIP):
        members, data = _unzipped(data, file)
    try:
        found = json.loads(data.removeprefix(_BOM))
    except (ValueError, RecursionError) as error:
        cut = read_cut(data.removeprefix(_BOM))
        if cut is None:
            raise CaptureError(f"this is no HTTP archive: {error}", source=file) from None
        return HarArchive(log=cut, ends=str(error)[:200], members=members)
    log = found.get("log") if isinstance(found, dict) else None
    if not isinstance(log, dict):
        raise CaptureError("this is no HTTP archive: it has no 'log'", source=file)
    if not isinstance(log.get("entries"), list):
        raise CaptureError("the archive has no entries", source=file)
    return HarArchive(log=log, members=members)


def _unzipped(data: bytes, file: str) -> tuple[zipfile.ZipFile, bytes]:
    try:
        members = zipfile.ZipFile(io.BytesIO(data))
        found = [one for one in members.infolist() if one.filename.lower().endswith(".har")]
    except (zipfile.BadZipFile, ValueError, RuntimeError, OverflowError) as error:
        raise CaptureError(f"the ZIP cannot be opened: {error}", source=file) from None
    if len(found) != 1:
        raise CaptureError(
            f"the ZIP holds {len(found)} HTTP archives, not one",
            source=file,
            hint="import each archive as a capture of its own",
        )
    archive = _member(members, found[0], MAX_BYTES)
    if archive is None:
        raise CaptureError(
            f"the archive in the ZIP is damaged or larger than {MAX_BYTES} bytes", source=file
        )
    return members, archive


def _member(members: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes | None:
    try:
        with members.open(member) as file:
            data = file.read(limit + 1)
    except (
        zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, EOFError, OSError
    ):  # fmt: skip
        return None
    return data if len(data) <= limit else None
