"""Plans for tests, and what their bundles hold, read without our own readers."""

from __future__ import annotations

import json
import os
import struct
import sys
import warnings
from pathlib import Path
from typing import Any

from audit.record.plan import LabNetwork, RecordPlan

ROOT = Path(__file__).resolve().parents[2]
FETCH = """
import json, os, ssl, sys, urllib.request
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
for url in {urls!r}:
    print(opener.open(url, timeout=10).read().decode().strip(), file=sys.stderr)
"""
URLS = ["http://shop.example/plain", "https://shop.example/secret", "https://203.0.113.5/bare"]


def stand_in(**changes: Any) -> LabNetwork:
    values: dict[str, Any] = {
        "command": [sys.executable, "-m", "tests.record.stand_in"],
        "environment": {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
    }
    return LabNetwork(**values | changes)


def script(code: str) -> list[str]:
    return [sys.executable, "-B", "-c", code]


def fetch(*urls: str) -> list[str]:
    return script(FETCH.format(urls=list(urls or URLS)))


def make_plan(folder: Path, **changes: Any) -> RecordPlan:
    values: dict[str, Any] = {
        "id": "test",
        "folder": folder,
        "pass_": "passive",
        "client_command": fetch(),
        "network": stand_in(),
        "timeout_s": 30.0,
    }
    return RecordPlan(**values | changes)


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def tokens(folder: Path) -> dict[str, list[str]]:
    """Return the control tokens of a bundle by scheme."""
    found: dict[str, list[str]] = {"http": [], "https": []}
    for line in json_lines(folder / "journal.jsonl"):
        if control := line["control"]:
            found[control["scheme"]].append(control["token"])
    return found


def frames(path: Path) -> list[bytes]:
    """Return the frames of a pcapng file of ours."""
    data, found = path.read_bytes(), []
    while data:
        kind, length = struct.unpack("<II", data[:8])
        if kind == 6:
            (kept,) = struct.unpack("<I", data[20:24])
            found.append(data[28 : 28 + kept])
        data = data[length:]
    return found


def key_log(path: Path) -> bytes:
    """Return the TLS secrets of a pcapng file of ours; they must stand before the first packet."""
    data, found = path.read_bytes(), b""
    while data:
        kind, length = struct.unpack("<II", data[:8])
        if kind == 6:
            break
        if kind == 10:
            found += data[16 : 16 + struct.unpack("<I", data[12:16])[0]]
        data = data[length:]
    return found


def flows(path: Path) -> list[Any]:
    """Return the flows of a mitmproxy dump, by mitmproxy's own reader."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a library below mitmproxy, on newer Pythons
        from mitmproxy.io import FlowReader

    with path.open("rb") as file:
        return list(FlowReader(file).stream())
