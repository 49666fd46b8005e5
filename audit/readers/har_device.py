"""What a writer says of the device and the apps that an HTTP archive was recorded on.

tweasel's CyanoAcrylate writes ``log._tweasel`` with ``device``, ``apps`` and ``options`` (its meta
version 1.0); HTTP Toolkit writes ``log._tlsErrors``, the handshakes that clients broke off.
"""

from __future__ import annotations

from typing import Final

from audit.readers.endpoint import moment_of
from audit.readers.http_message import host_name
from audit.tables.extract import Extract
from audit.tables.frames import Row

_LONGEST: Final = 100
_MOST: Final = 20
"""Apps that are named."""


def add_device(extract: Extract, log: dict[str, object], capture: str, file: str) -> None:
    """Add the device as a row of ``captures``, apps as remarks, broken handshakes as rows."""
    meta = log.get("_tweasel")
    if isinstance(meta, dict):
        _add_tweasel(extract, meta, capture, file)
    errors = log.get("_tlsErrors")
    for number, error in enumerate(errors if isinstance(errors, list) else (), start=1):
        if isinstance(error, dict):
            _add_refusal(extract, error, capture, f"{file}:tls.{number}")


def _add_tweasel(extract: Extract, meta: dict[str, object], capture: str, file: str) -> None:
    device, options = _part(meta, "device"), _part(meta, "options")
    found = meta.get("apps")
    apps = [app for app in found if isinstance(app, dict)] if isinstance(found, list) else []
    system = " ".join(filter(None, (_word(device, "platform"), _word(device, "osVersion"))))
    model = " ".join(filter(None, (_word(device, "manufacturer"), _word(device, "model"))))
    row: Row = {
        "capture": capture,
        "ref": file,
        "device_model": model or None,
        "os": system or None,
        "app_version": _word(apps[0], "version") or None if len(apps) == 1 else None,
    }
    extract.add("captures", row)
    for app in apps[:_MOST]:
        name = _word(app, "id") or _word(app, "name")
        extract.limits.append(
            f"{file} names the app {name} {_word(app, 'version')}".rstrip() + ", on its own word"
        )
    if _word(options, "mode") == "all-apps" or len(apps) > 1:
        extract.limits.append(f"{file} says that it holds the traffic of several apps: use --mixed")


def _add_refusal(extract: Extract, error: dict[str, object], capture: str, ref: str) -> None:
    host = host_name(_word(error, "hostname") or _word(error, "upstreamHostname"))
    extract.add(
        "tls_handshakes",
        {
            "capture": capture,
            "ref": ref,
            "ts": moment_of(error.get("startedDateTime")),
            "host": host,
            "taps": ("proxy",),
            "layer": 0,
            "transport": "pinned-refused",
            "sni": host,
            "refused_by": "client",
        },
    )


def _part(found: dict[str, object], key: str) -> dict[str, object]:
    part = found.get(key)
    return part if isinstance(part, dict) else {}


def _word(found: dict[str, object], key: str) -> str:
    word = found.get(key)
    return word[:_LONGEST] if isinstance(word, str) else ""
