"""``audit run --compare-installs``: what the captures of several installs show beside verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.bundle.folder import Bundle
from audit.bundle.identity import Identity

if TYPE_CHECKING:
    from audit.tables.evidence import CaptureEvidence


def require_installs(bundles: Sequence[Bundle], files: Sequence[Path]) -> None:
    """Refuse captures of one install before anything is read; raises :class:`UsageError`.

    A bare file does not say which install it is of: each counts as one of its own.
    """
    from audit.evidence.installs import UNKNOWN, require_two

    named = [(one.manifest.install, one.manifest.id, one.digest) for one in bundles]
    require_two(named + [(UNKNOWN, path.name, str(path.resolve())) for path in files])


def compared(
    captures: Sequence[CaptureEvidence],
    identities: Sequence[Identity],
    redact: Callable[[str], str],
) -> list[dict[str, Any]]:
    """Return the entries of ``reported``; the values in them are pseudonyms."""
    from audit.evidence.compared import entries, known_by
    from audit.evidence.installs import compare

    keys = (key for identity in identities if (key := identity.key()) is not None)
    key = next(keys, bytes.fromhex(min(capture.digest for capture in captures)))
    return entries(compare(captures, known_by(identities)), key, redact)
