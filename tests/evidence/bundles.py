"""Bundles made by hand, and the recorded one with parts of it changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from audit.bundle.folder import Bundle, digest_file, files_in, open_bundle
from audit.bundle.identity import Identifier, make_identity
from audit.bundle.journal import JournalLine
from audit.bundle.layout import FLOWS, JOURNAL, MANIFEST, PACKETS, TLS
from audit.bundle.manifest import Manifest
from tests.readers import dumps, wire

TINY = Path(__file__).parent / "data" / "tiny-intercepted"
ACCOUNT = "05" + "ab" * 32
TOKENS = {"http": "11" * 16, "https": "22" * 16}
ECHO = "192.0.2.1"
STARTED = "2023-11-14T22:13:20.000000Z"


def manifest(**more: Any) -> Manifest:
    made = {
        "id": "c1", "status": "complete", "pass": "intercepted", "vantage": "netns",
        "device": "d1", "install": "i1", "started_at": STARTED, "client": {"name": "client"},
        "network": {
            "client": [wire.CLIENT], "gateway": [ECHO], "interfaces": ["eth0"], "echo": ECHO,
            "resolvers": ["198.51.100.53"],
        },
    }  # fmt: skip
    return Manifest.model_validate(made | more)


def line(
    action: str | None = None, driver: str = "script", second: float = 0, **more: Any
) -> JournalLine:
    return JournalLine(
        ts=f"2023-11-14T22:13:{20 + second:09.6f}Z", driver=driver, action=action, **more
    )


def controls(echo: str = ECHO) -> list[JournalLine]:
    ports = {"http": 80, "https": 443}
    return [
        line(
            None,
            "recorder",
            control={
                "token": token,
                "scheme": scheme,
                "echo": f"{echo}:{ports[scheme]}",
                "taps": "proxy",
            },
        )
        for scheme, token in TOKENS.items()
    ]


def control_flows(echo: str = ECHO) -> list[Any]:
    return [
        dumps.http_flow(
            method="GET", path=f"/{TOKENS['http']}", body=b"", headers=[(b"Host", echo.encode())],
            client_conn=dumps.client((wire.CLIENT, 41_000), tls=False), server_conn=dumps.server((echo, 80)),
        ),
        dumps.http_flow(
            method="GET", path=f"/{TOKENS['https']}", body=b"", headers=[(b"Host", echo.encode())],
            client_conn=dumps.client((wire.CLIENT, 41_001)), server_conn=dumps.server((echo, 443)),
        ),
    ]  # fmt: skip


def make_bundle(
    folder: Path,
    *,
    flows: Iterable[Any] | None = None,
    packets: bytes | None = None,
    tls: str | None = None,
    journal: Iterable[JournalLine] = (),
    identifiers: Iterable[tuple[str, str]] = (),
    files: dict[str, bytes] | None = None,
    **more: Any,
) -> Bundle:
    folder.mkdir(exist_ok=True)
    if flows is not None:
        (folder / FLOWS).write_bytes(dumps.dump(flows))
    if packets is not None:
        (folder / PACKETS).write_bytes(packets)
    if tls is not None:
        (folder / TLS).write_text(tls)
    for name, data in (files or {}).items():
        (folder / name).write_bytes(data)
    (folder / JOURNAL).write_text("".join(made.to_json() + "\n" for made in journal))
    make_identity([Identifier(kind, value) for kind, value in identifiers]).write(folder)
    seal(folder, manifest(**more))
    return open_bundle(folder)


def seal(folder: Path, made: Manifest) -> None:
    """Write a manifest that fits the files as they are."""
    digests = {name: digest_file(folder / name) for name in files_in(folder)}
    made.model_copy(update={"files": digests}).write(folder)


def copy_tiny(folder: Path) -> Path:
    return Path(shutil.copytree(TINY, folder / "tiny"))


def reseal(folder: Path, **more: Any) -> Bundle:
    """Make the manifest fit changed files, and change it itself."""
    data = json.loads((folder / MANIFEST).read_text()) | more
    seal(folder, Manifest.model_validate(data))
    return open_bundle(folder)
