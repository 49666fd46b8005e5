"""``identity.json``: what the test subject is known by. Secret, mode 0600."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.bundle.layout import IDENTITY
from audit.errors import CaptureError

SCHEMA: Final = "audit/identity@1"


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """One value that the subject is known by."""

    kind: str
    """Kind of the closed vocabulary, or one that the policy adds."""
    value: str
    canary: bool = True
    """Made for this recording (and so found nowhere else by chance)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """All identifiers of one subject, without duplicates, sorted."""

    identifiers: tuple[Identifier, ...] = ()

    def key(self) -> bytes | None:
        """Return the 32-byte key of the subject's pseudonyms; ``None`` without identifiers.

        Derived from the canonical list of identifiers: one subject, one pseudonym a value.
        """
        if not self.identifiers:
            return None
        canonical = json.dumps(
            sorted({(item.kind, item.value) for item in self.identifiers}),
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return hashlib.sha256(
            b"audit/identity@1\0" + canonical.encode("utf-8", "surrogatepass")
        ).digest()

    def write(self, folder: Path) -> None:
        """Write ``identity.json`` with mode 0600, replacing it atomically."""
        data = {
            "schema": SCHEMA,
            "identifiers": [
                {"kind": item.kind, "value": item.value, "canary": item.canary}
                for item in self.identifiers
            ],
        }
        path = folder / (IDENTITY + ".part")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=2, ensure_ascii=False)
            file.write("\n")
        path.replace(folder / IDENTITY)


def make_identity(identifiers: list[Identifier]) -> Identity:
    """Return an identity of these identifiers, sorted, duplicates and empty values dropped."""
    return Identity(tuple(sorted({item for item in identifiers if item.value})))


def read_identity(path: Path) -> Identity:
    """Read an identity file; raises :class:`CaptureError` naming file and entry."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Identity()
    except (OSError, ValueError, RecursionError) as error:
        raise CaptureError(f"the identity cannot be read: {error}", source=str(path)) from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise CaptureError(f"not an identity file of schema {SCHEMA}", source=str(path))
    found: list[Identifier] = []
    entries = data.get("identifiers")
    for number, entry in enumerate(entries if isinstance(entries, list) else [None], start=1):
        if (
            not isinstance(entry, dict)
            or not isinstance(entry.get("kind"), str)
            or not isinstance(entry.get("value"), str)
            or not isinstance(entry.get("canary", False), bool)
        ):
            raise CaptureError(
                f"identifier {number} is not {{kind, value, canary}}",
                source=str(path),
                hint='write {"kind": "email", "value": "...", "canary": true}',
            )
        found.append(Identifier(entry["kind"], entry["value"], entry.get("canary", False)))
    return make_identity(found)
