"""Lines of a browser's record, made for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

START = "2026-03-01T12:00:00.000000Z"
START_S = 1772366400.0
TOKEN = "0f" * 16


def moment(seconds: float) -> str:
    """Return the moment so many seconds after the start."""
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(START_S + seconds, UTC)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def line(kind: str, at: float = 0.0, **facts: Any) -> dict[str, Any]:
    return {"ts": moment(at), "kind": kind, **facts}


def begin() -> dict[str, Any]:
    return line("begin", schema="audit/browser@1", start="https://site.example/")


def visit(number: int = 1, at: float = 0.0, url: str = "https://site.example/") -> dict[str, Any]:
    return line("visit", at, visit=number, url=url)


def cookie(name: str, at: float, expires: float | None, **facts: Any) -> dict[str, Any]:
    """Return a sighting; ``expires`` counts from the start, ``None``: gone with the browser."""
    return line(
        "cookie", at, name=name, value=facts.pop("value", "v"),
        domain=facts.pop("domain", "site.example"), path="/",
        expires=None if expires is None else START_S + expires, http_only=False, secure=True,
        same_site="Lax", partition=None, visit=facts.pop("visit", 1), site="site.example", **facts,
    )  # fmt: skip


def setting(text: str, at: float, by: str = "header") -> dict[str, Any]:
    return line("set-cookie", at, by=by, url="https://site.example/", text=text)


def stored(key: str, value: str, at: float = 1.0, **facts: Any) -> dict[str, Any]:
    return line(
        "stored", at, area=facts.pop("area", "local"), key=key, value=value,
        origin=facts.pop("origin", "https://site.example/"), visit=facts.pop("visit", 1),
        site="site.example", **facts,
    )  # fmt: skip


def call(api: str, at: float = 1.0, frame: str = "https://site.example/") -> dict[str, Any]:
    return line("call", at, api=api, count=1, detail="", frame=frame, script=None)


def planted() -> list[dict[str, Any]]:
    """Return what the recorder plants and what it finds again."""
    own = "https://audit-control.invalid/"
    return [
        line("control", token=TOKEN, areas=["cookie", "local", "indexed", "cache", "call"]),
        cookie("audit_control", 9, 9e6, value=TOKEN, domain="audit-control.invalid"),
        stored("audit_control", TOKEN, 9, origin=own),
        stored("audit_control/s/k", TOKEN, 9, origin=own, area="indexed"),
        stored(f"audit_control {own}{TOKEN}", own, 9, origin=own, area="cache"),
        call("canvas.toDataURL", 9, own),
    ]


def write(folder: Path, *lines: dict[str, Any], ended: bool = True) -> Path:
    """Write a record with first and last line around these."""
    path = folder / "browser.jsonl"
    whole = [begin(), *lines, *([line("end", 99)] if ended else [])]
    path.write_text("".join(json.dumps(one) + "\n" for one in whole), encoding="utf-8")
    return path
