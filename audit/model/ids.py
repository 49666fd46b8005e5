"""Names for strings that must not be mixed up."""

from __future__ import annotations

from typing import NewType

CaptureId = NewType("CaptureId", str)
"""The ``id`` in a bundle's manifest, such as ``my-client-passive``."""

ClauseId = NewType("ClauseId", str)
"""A clause of a policy, such as ``app.contacts``."""

CheckId = NewType("CheckId", str)
"""A check, global and dotted, such as ``session.app.contacts``."""

Fingerprint = NewType("Fingerprint", str)
"""Hex SHA-256 that names a finding across recordings of the same client."""
