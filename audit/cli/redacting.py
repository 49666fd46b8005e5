"""A bundle that can be handed to a stranger: what ``audit redact`` does.

Redacted copies of what is known how to redact, nothing of the rest; then the copy is read and
searched as ``audit run`` would, with everything that the subject is known by. If anything is found
nothing stays.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from audit.bundle.folder import Bundle, digest_file, files_in
from audit.bundle.identity import Identity
from audit.bundle.layout import (
    ARCHIVE,
    FLOWS,
    IDENTITY,
    JOURNAL,
    MANIFEST,
    ONION_KEYS,
    PACKETS,
    SERVER,
    TLS,
)
from audit.bundle.manifest import Manifest
from audit.cli.redacting_flows import FlowRedaction
from audit.cli.redacting_packets import PacketRedaction, disguises, packed
from audit.errors import CaptureError, UsageError
from audit.identifiers.blanking import Blanker
from audit.identifiers.detector import text_payload
from audit.tables.extract import Payload

MAX_ROUNDS: Final = 4
"""Times that the packets are read, searched and overwritten again."""
LARGEST_TEXT: Final = 256 << 20
"""Bytes of one text file that is redacted; larger ones are left out."""
_CLOSED: Final = ("schema", "status", "pass", "vantage", "platform", "policy", "target", "files")
"""Keys of the manifest whose values are words of a vocabulary, or written anew."""
_SAID: Final = (
    "the subject's values, credentials and TLS secrets were cut out of this bundle by 'audit "
    "redact': it shows what else was sent, and proves no promise kept"
)


@dataclass(slots=True, kw_only=True)
class Redacted:
    """What was written."""

    manifest: Manifest
    left_out: tuple[str, ...]
    """Files that are not in the copy, sorted."""
    notes: tuple[str, ...]
    """What of the others was dropped or blanked whole, a sentence each."""


def redact_bundle(bundle: Bundle, subject: Identity, target: Path) -> Redacted:
    """Write a redacted copy of a bundle to a folder or ``.zip`` that is not there yet.

    Raises :class:`UsageError` where nothing is known of the subject or the place is taken, and
    :class:`CaptureError` where something cannot be redacted: then nothing is written.
    """
    if not subject.identifiers:
        raise UsageError(
            "nothing is known of the test subject, so nothing can be cut out",
            source=str(bundle.folder),
            hint="name the file of the subject's values with --identity",
        )
    if target.exists():
        raise UsageError("there is something already", source=str(target), hint="name another -o")
    if target.resolve().is_relative_to(bundle.folder.resolve()):
        raise UsageError(
            "a copy does not go into the bundle that it is of",
            source=str(target),
            hint="name another -o",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".redacting-", dir=target.parent) as workshop:
        copy = Path(workshop) / "copy"
        copy.mkdir()
        done = _Redaction(bundle=bundle, subject=subject, copy=copy).run()
        if target.suffix == ".zip":
            _pack(copy, Path(workshop) / "whole.zip")
            (Path(workshop) / "whole.zip").replace(target)
        else:
            copy.replace(target)
    return done


def _pack(folder: Path, target: Path) -> None:
    """Write a ZIP of a folder; equal folders give equal bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted([*files_in(folder), MANIFEST]):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, (folder / name).read_bytes())


@dataclass(slots=True, kw_only=True)
class _Redaction:
    bundle: Bundle
    subject: Identity
    copy: Path
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    _blanker: Blanker = field(init=False)
    _flows: FlowRedaction = field(init=False)
    _others: dict[str, str] = field(init=False)

    def run(self) -> Redacted:
        """Write, check and describe the copy."""
        self._blanker = Blanker(self.subject)
        self._others = disguises(self._own_addresses(), self._taken())
        self._flows = FlowRedaction(blanker=self._blanker, mapped=self._mapped)
        for name in sorted(self.bundle.manifest.files) or files_in(self.bundle.folder):
            self._file(name)
        self._tell()
        manifest = self._manifest()
        manifest.write(self.copy)
        check(self.copy, manifest, self._blanker, self.subject)
        return Redacted(manifest=manifest, left_out=tuple(self.left_out), notes=tuple(self.notes))

    def _own_addresses(self) -> list[str]:
        network = self.bundle.manifest.network
        named = [i.value for i in self.subject.identifiers if i.kind in {"address", "mac"}]
        return [*named, *network.client, *filter(None, [network.client_mac])]

    def _taken(self) -> bytes:
        """Return the packets, in which the new addresses must not stand already."""
        path = self.bundle.path(PACKETS)
        return path.read_bytes() if path else b""

    def _mapped(self, text: str) -> str:
        for old, new in self._others.items():
            if old in text:
                text = re.sub(rf"(?<![0-9A-Fa-f.:]){re.escape(old)}(?![0-9A-Fa-f.])", new, text)
        return text

    def _file(self, name: str) -> None:
        source, target = self.bundle.folder / name, self.copy / name
        if name in {FLOWS, ARCHIVE}:
            self._exchanges(source, target)
        elif name == PACKETS:
            self._packets(source, target)
        elif name in {JOURNAL, TLS}:
            target.write_bytes(self._flows.json_lines(source.read_bytes()))
        elif name in {IDENTITY, ONION_KEYS} or not self._is_text(name, source):
            self.left_out.append(name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            lines = source.read_bytes().split(b"\n")
            target.write_bytes(b"\n".join(self._line(line) for line in lines))

    def _exchanges(self, source: Path, target: Path) -> None:
        """Write flows or an archive; what still shows a value when it is read is left out."""
        from audit.readers.inputkind import ReadOptions
        from audit.readers.inputs import recognise

        write = self._flows.dump if source.name == FLOWS else self._flows.archive
        options = ReadOptions(capture=self.bundle.manifest.id, file=source.name)
        for _ in range(MAX_ROUNDS):
            write(source, target)
            payloads = recognise(target).read(target, options).payloads
            found = self._blanker.sure(payloads)
            if not found:
                break
            self._flows.skip({number for payload in found for number in payload.ref.records})
        if self._flows.skipped:
            self.notes.append(
                f"{len(self._flows.skipped)} flows of {source.name} are left out: "
                "a value in them lies in no one place"
            )

    def _line(self, line: bytes) -> bytes:
        text = line.decode("utf-8", "surrogateescape")
        return self._blanker.data(self._mapped(text).encode("utf-8", "surrogateescape"))

    def _is_text(self, name: str, source: Path) -> bool:
        """Whether a file is a log or list that can be redacted line by line."""
        if not (name.startswith(f"{SERVER}/") or "/" not in name):
            return False
        if source.stat().st_size > LARGEST_TEXT or self._blanker.text(name) != name:
            return False
        try:
            source.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    def _packets(self, source: Path, target: Path) -> None:
        packets = PacketRedaction(
            blanker=self._blanker,
            addresses={packed(old): packed(new) for old, new in self._others.items()},
        )
        packets.load(source)
        packets.blank_secrets()
        client = self.bundle.manifest.network.client
        packets.blank(self._read_packets(source, client))
        client = tuple(map(self._flows.text, client))
        packets.disguise()
        for _ in range(MAX_ROUNDS):
            packets.write(target)
            again = packets.blank(self._read_packets(target, client))
            frames = [text_payload(bytes(frame.data)) for frame in packets.frames]
            found = [
                number for number, spans in enumerate(self._blanker.spans_of(frames), 1) if spans
            ]
            for number in found:
                packets.blanked_payloads += 1
                packets.drop(number)
            if not again and not found:
                break
        else:
            packets.write(target)
        self._tell_packets(packets)

    def _tell_packets(self, packets: PacketRedaction) -> None:
        if packets.secrets:
            self.notes.append(
                "TLS secrets were left out: what the packets carry encrypted stays closed"
            )
        if packets.blanked_frames:
            self.notes.append(
                f"{packets.blanked_frames} packets of protocols other than TCP and UDP were blanked"
            )
        if packets.blanked_payloads:
            self.notes.append(f"{packets.blanked_payloads} payloads of packets were blanked whole")

    def _read_packets(self, path: Path, client: tuple[str, ...]) -> list[Payload]:
        from audit.readers.packets import PacketOptions, read_packets

        options = PacketOptions(capture=self.bundle.manifest.id, client=client)
        return read_packets(path, options).payloads

    def _tell(self) -> None:
        if self._flows.secrets:
            self.notes.append(
                f"{self._flows.secrets} credentials in headers and cookies were blanked"
            )
        if self._flows.dropped_bodies:
            self.notes.append(f"{self._flows.dropped_bodies} packed bodies were blanked whole")
        if self._flows.left_out:
            self.notes.append(
                f"{self._flows.left_out} flows were too large to be redacted and are left out"
            )
        if self.left_out:
            self.notes.append("left out: " + ", ".join(map(self._blanker.text, self.left_out)))

    def _manifest(self) -> Manifest:
        """Return the manifest of the copy, by what lies in it now."""
        old = self.bundle.manifest
        data = self._json(old.model_dump(mode="json", by_alias=True))
        data |= {
            "schema": old.schema_,
            "status": "complete",
            "redacted_from": self.bundle.digest,
            "truncated": [*data["truncated"], _SAID, *self.notes],
            "time_zone": None,
            "files": {name: digest_file(self.copy / name) for name in files_in(self.copy)},
        }
        return Manifest.model_validate(data)

    def _json(self, data: dict[str, object]) -> dict[str, Any]:
        """Return the manifest's values with other addresses, and without the subject's."""
        text = self._flows.text
        return {key: item if key in _CLOSED else _walked(item, text) for key, item in data.items()}


def _walked(value: object, text: Callable[[str], str]) -> object:
    if isinstance(value, dict):
        return {key: _walked(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [_walked(item, text) for item in value]
    return text(value) if isinstance(value, str) else value


def check(folder: Path, manifest: Manifest, blanker: Blanker, subject: Identity) -> None:
    """Read and search a redacted bundle; raises :class:`CaptureError` if a value is in it.

    Searched are the payloads that the readers make of it, the bytes of every file line by line,
    and the names of files; the search decodes wherever it can.
    """
    from audit.bundle.folder import open_bundle

    open_bundle(folder)
    for name, payloads in _everything(folder, manifest):
        found = blanker.sure(payloads)
        if found:
            raise CaptureError(
                f"a value of the subject is still in {name} ({found[0].ref}): nothing was written",
                source=str(folder.name),
                hint="redact what holds it by hand, or hand over the report alone",
            )
    if subject.identifiers and (folder / IDENTITY).exists():
        raise CaptureError("the identity is still there: nothing was written", source=folder.name)


def _everything(folder: Path, manifest: Manifest) -> Iterator[tuple[str, list[Payload]]]:
    from audit.readers.inputkind import ReadOptions
    from audit.readers.inputs import recognise

    for name in [MANIFEST, *files_in(folder)]:
        path = folder / name
        yield "a file's name", [text_payload(name.encode())]
        if name != PACKETS:
            data = path.read_bytes()
            lines = data.split(b"\n") if name != FLOWS else [data]
            yield name, [text_payload(line) for line in lines]
        with contextlib.suppress(CaptureError, UsageError):
            options = ReadOptions(capture=manifest.id, file=name, client=manifest.network.client)
            yield name, recognise(path).read(path, options).payloads
