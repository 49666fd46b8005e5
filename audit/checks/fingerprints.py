"""The same finding in two recordings of one client has the same fingerprint.

What differs between recordings is taken out of the identity columns: a recipient with a role
counts as the role, ids in paths become ``{id}``, list indexes ``[]``, a value of the subject the
name of its kind, as ``{email}``. No time and no value is in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from audit.checks.program import FieldRef

Redact = Callable[[str], str]
"""Replaces every value of the subject by ``[kind:pseudonym]``."""

SERVER_COLUMNS: Final = frozenset({"recipient", "host", "responder_ip"})
"""Columns that name a server: its role, where it has one, stands for it."""

_PSEUDONYM: Final = re.compile(r"\[([a-z][a-z0-9_]*):[0-9a-f]+\]")
_INDEX: Final = re.compile(r"\[\d+\]")
_STEP: Final = re.compile(r"[^/.\[\]\s?&=;,:]+")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NUMBER: Final = re.compile(r"\d+")
_HEX: Final = re.compile(r"(?=.*\d)[0-9a-fA-F]{8,}")
_TOKEN: Final = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_~-]{20,}={0,2}")


def without_ids(text: str) -> str:
    """Return a path or location with ``{id}`` for each step that was made for one occasion."""
    return _STEP.sub(lambda match: "{id}" if _is_id(match[0]) else match[0], text)


def _is_id(step: str) -> bool:
    if step.startswith("{") or not any(sign.isdigit() for sign in step):
        return False
    return any(kind.fullmatch(step) for kind in (_NUMBER, _UUID, _HEX, _TOKEN))


def without_values(text: str) -> str:
    """Return redacted text with the kind alone where a value of the subject stood."""
    return _PSEUDONYM.sub(r"{\1}", text)


def normalise(field: FieldRef, value: str | None, role: str | None, redact: Redact) -> str | None:
    """Return an identity column as it is compared between recordings."""
    is_server = field.column in SERVER_COLUMNS
    if is_server and role is not None:
        return role
    if value is None:
        return None
    text = without_values(redact(value))
    if is_server or field.type == "host":
        return text.lower().rstrip(".")
    if field.column in {"path", "location"}:
        return without_ids(_INDEX.sub("[]", text))
    return text


def fingerprint(check: str, expectation: str, columns: Mapping[str, str | None]) -> str:
    """Return the hex SHA-256 that names a finding of an expectation."""
    canonical = json.dumps(
        [check, expectation, dict(columns)],
        ensure_ascii=True,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()
