"""Every way in for bytes that somebody else wrote, as a function that takes any bytes.

An entry returns, or raises one of the errors that its reader documents; everything else (another
exception, too much memory, too much time, a crash) is a fault of the toolkit. What comes back is
put to use: rows must fit their tables, and bytes that were searched must be redactable.
"""

from __future__ import annotations

import atexit
import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from audit.bundle.folder import digest_file, files_in, open_bundle
from audit.bundle.identity import Identifier, Identity, make_identity, read_identity
from audit.bundle.journal import read_journal
from audit.bundle.manifest import Manifest, read_manifest
from audit.errors import CaptureError, PolicyError
from audit.evidence.capture import read_capture
from audit.evidence.context import EvidenceContext
from audit.evidence.imports import import_file
from audit.identifiers.content import classify_content
from audit.identifiers.detector import Detector, text_payload
from audit.identifiers.redaction import Redactor
from audit.readers.browser import VALUES, read_browser
from audit.readers.dnsmessage import parse_dns
from audit.readers.inputkind import InputKind, ReadOptions
from audit.readers.inputs import ARCHIVE_FILE, INPUTS, PACKET_FILE
from audit.readers.onion import OnionConfig
from audit.readers.onion_keys import read_node_keys
from audit.readers.onion_layers import split_frame, split_text
from audit.readers.tlslog import read_tls_log
from audit.readers.tnetstring import TnetstringError, decode
from audit.tables.extract import Extract
from audit.tables.frames import make_frame
from audit.yamlfile.loader import load_yaml_bytes
from fuzz import wrapping

SUBJECT: Identity = make_identity(
    [
        Identifier("email", "kim.mercer@mail.example"),
        Identifier("account_id", "05" + "ab" * 32),
        Identifier("address", "198.18.7.2"),
        Identifier("phone", "+49 30 901820"),
        Identifier("locale", "de-AT"),
    ]
)
"""Somebody to search for."""
ONION = OnionConfig(paths=("/onion_req/v2",), salt=b"SALT")


@dataclass(frozen=True)
class Entry:
    """One way in."""

    name: str
    read: Callable[[bytes], None]
    allowed: type[Exception] | tuple[type[Exception], ...] = CaptureError
    """Errors that the reader documents."""
    files: tuple[str, ...] = ()
    """Endings of the sample files that this entry is meant for; empty: any bytes."""

    def __call__(self, data: bytes) -> None:
        """Read the bytes; whatever is raised is a fault."""
        with contextlib.suppress(self.allowed):
            self.read(data)


@cache
def folder() -> Path:
    """Return the folder that entries write their input into, for readers that take a path."""
    made = tempfile.TemporaryDirectory(prefix="fuzz-")
    atexit.register(made.cleanup)
    return Path(made.name)


def _file(data: bytes, name: str) -> Path:
    path = folder() / name
    path.write_bytes(data)
    return path


def _check(extract: Extract) -> None:
    for table, rows in extract.rows.items():
        make_frame(table, rows)
    for payload in extract.payloads:
        assert 0 <= payload.row < len(extract.rows[payload.table])
    assert all(isinstance(text, str) and text for text in extract.truncated)


def _packets(data: bytes) -> None:
    _reading(PACKET_FILE)(data)


def _streams(data: bytes) -> None:
    _packets(wrapping.streams(data))


def _datagrams(data: bytes) -> None:
    _packets(wrapping.datagrams(data))


def _reading(kind: InputKind) -> Callable[[bytes], None]:
    """Return the reader of a kind of file."""

    def read(data: bytes) -> None:
        path = _file(data, kind.place)
        _check(kind.read(path, ReadOptions(capture="c", file=path.name, secrets=data[:4096])))

    return read


def _tls_log(data: bytes) -> None:
    _check(read_tls_log(_file(data, "tls.jsonl"), "c").extract)


def _browser(data: bytes) -> None:
    extract = read_browser(_file(data, "browser.jsonl"), "c").extract
    owners = extract.rows.pop(VALUES, [])
    assert all(0 <= payload.row < len(owners) for payload in extract.payloads)
    extract.payloads.clear()
    _check(extract)


def _import(name: str) -> Callable[[bytes], None]:
    """Return the import of a bare file: told by its content, searched, its values compared."""

    def read(data: bytes) -> None:
        context = EvidenceContext(identity=SUBJECT, onion=ONION, keeps_values=True)
        import_file(_file(data, name), context, tls_keys=data[:4096])

    return read


def _bundle(name: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        place = folder() / "bundle"
        wrapping.bundle(place)
        (place / name).write_bytes(data)
        if name != "capture.json":
            files = {one: digest_file(place / one) for one in files_in(place)}
            manifest = read_manifest(place)
            manifest.model_copy(update={"files": files}).write(place)
        read_capture(open_bundle(place), EvidenceContext(onion=ONION))

    return read


def _manifest(data: bytes) -> None:
    found: Manifest = read_manifest(_file(data, "capture.json").parent)
    found.model_dump_json()


def _identity(data: bytes) -> None:
    found = read_identity(_file(data, "identity.json"))
    found.key()
    if len(found.identifiers) < 50 and all(len(one.value) < 500 for one in found.identifiers):
        Detector(found).scan(text_payload(data))


def _journal(data: bytes) -> None:
    read_journal(_file(data, "journal.jsonl"))


def _node_keys(data: bytes) -> None:
    read_node_keys(_file(data, "onion-keys.json"))


@cache
def _redactor() -> Redactor:
    return Redactor(SUBJECT)


def _search(data: bytes) -> None:
    detector = _redactor()._detectors[0][0]  # noqa: SLF001 - compiled once, as a run does
    detector.scan(text_payload(data))
    _redactor().data(data)


def _content(data: bytes) -> None:
    encoding = (("gzip",), ("br",), ("zstd",), ("deflate",), ())[len(data) % 5]
    classify_content(data, content_encoding=encoding, content_type="application/json")


def _onion_layer(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        split_frame(data)
    with contextlib.suppress(ValueError):
        split_text(data)


def _endings(kind: InputKind) -> tuple[str, ...]:
    """Return the endings of the samples that may be of a kind; archives are often named .json."""
    ends = {*kind.suffixes, Path(kind.place).suffix, ".gz" if kind is PACKET_FILE else ""}
    return tuple(sorted((ends | {".json"} if kind is ARCHIVE_FILE else ends) - {""}))


ENTRIES: tuple[Entry, ...] = (
    *(
        Entry(f"read-{kind.place.partition('.')[0]}", _reading(kind), files=_endings(kind))
        for kind in INPUTS
    ),
    Entry("streams", _streams),
    Entry("datagrams", _datagrams),
    Entry("tls-log", _tls_log, files=(".jsonl",)),
    Entry("browser", _browser, files=("browser.jsonl",)),
    Entry("import-any", _import("x")),
    *(
        Entry(
            f"import-{kind.place.partition('.')[0]}",
            _import(kind.place),
            files=_endings(kind),
        )
        for kind in INPUTS
    ),
    Entry("bundle-packets", _bundle("packets.pcapng"), files=(".pcapng",)),
    Entry("bundle-flows", _bundle("flows.mitm"), files=(".mitm",)),
    Entry("bundle-journal", _bundle("journal.jsonl"), files=(".jsonl",)),
    Entry("bundle-tls", _bundle("tls.jsonl"), files=(".jsonl",)),
    Entry("bundle-identity", _bundle("identity.json"), files=(".json",)),
    Entry("bundle-onion-keys", _bundle("onion-keys.json"), files=(".json",)),
    Entry("bundle-manifest", _bundle("capture.json"), files=(".json",)),
    Entry("manifest", _manifest, files=(".json",)),
    Entry("journal", _journal, files=(".jsonl",)),
    Entry("identity", _identity, files=(".json",)),
    Entry("node-keys", _node_keys, files=(".json",)),
    Entry("yaml", lambda data: void(load_yaml_bytes(data, "x.yaml")), PolicyError, (".yaml",)),
    Entry("tnetstring", lambda data: void(decode(data)), TnetstringError),
    Entry("dns", lambda data: void(parse_dns(data)), ()),
    Entry("onion-layer", _onion_layer, ()),
    Entry("search", _search, ()),
    Entry("content", _content, ()),
)
"""A reader in ``audit.readers.inputs.INPUTS`` is here by itself; any other is a line."""


def void(_: object) -> None:
    """Take what an entry has no use for."""


def entry(name: str) -> Entry:
    """Return the entry of a name; raises ``KeyError`` for an unknown one."""
    return {one.name: one for one in ENTRIES}[name]


__all__ = ["ENTRIES", "Entry", "entry"]
