"""The whole error family.

::

    AuditError              one sentence, a place and a hint; knows its exit code
    ├── CaptureError        evidence that cannot be read or does not match its digests (3)
    ├── SetupError          this machine, or the client, does not allow the recording (3)
    ├── PolicyError         a policy, target, gate or waiver file is wrong (2)
    └── UsageError          the call itself is wrong (2)

Anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations


class AuditError(Exception):
    """Something the user can act on.

    ``message`` is one sentence without a final stop, ``source`` names the file with its
    line, packet or record (``None`` where there is no file), ``hint`` says what to do.
    """

    exit_code = 3
    """Process exit code, as in the table of ``docs/reference/exit-codes.md``."""

    def __init__(self, message: str, *, source: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.source}: " if self.source else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{hint}"


class CaptureError(AuditError):
    """A capture, or one file of it, cannot be read, is incomplete or was changed."""


class SetupError(AuditError):
    """The machine or the client does not allow what was asked."""


class PolicyError(AuditError):
    """A policy, pack, target, gate or waiver file is wrong; nothing was judged."""

    exit_code = 2


class UsageError(AuditError):
    """The command line asks for something that cannot be done; nothing was judged."""

    exit_code = 2
