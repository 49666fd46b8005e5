"""What reading a capture needs to know beside the capture: the pack's rules, the subject."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from audit.bundle.identity import Identity
from audit.evidence.roles import Role, compile_roles
from audit.readers.onion import OnionConfig

if TYPE_CHECKING:
    from audit.checks.policy import Policy
    from audit.yamlfile.target import TargetFile


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceContext:
    """Rules and values that shape the rows; all optional, so that any file can be looked at."""

    roles: tuple[Role, ...] = ()
    """Roles of servers, in the order they are tried."""
    onion: OnionConfig | None = None
    """How onion requests look; ``None``: the policy knows none."""
    identity: Identity | None = None
    """What the subject is known by beside the bundle's own (``run --identity``)."""
    keeps_values: bool = False
    """Whether every value is kept in memory, to compare installs by."""

    programs: frozenset[str] = frozenset()
    """What captures call the audited client: package, bundle id, names of its programs."""

    @classmethod
    def of(
        cls,
        policy: Policy,
        target: TargetFile | None = None,
        *,
        as_of: datetime | None = None,
        identity: Identity | None = None,
    ) -> Self:
        """Return the context that a policy's pack describes, with the variables of a target.

        Raises :class:`PolicyError` for a role whose rule is wrong.
        """
        pack = policy.pack
        onion = None
        if pack.onion is not None:
            onion = OnionConfig(paths=tuple(pack.onion.paths), salt=pack.onion.salt.encode())
        return cls(
            roles=compile_roles(pack.peer_roles, policy.variables(target), policy.lists, as_of),
            onion=onion,
            identity=identity,
            programs=frozenset() if target is None else target.app.programs,
        )
