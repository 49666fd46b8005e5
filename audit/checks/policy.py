"""A policy and a target, loaded: documents, clauses, checks, lists, variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.checks.lists import NamedList
from audit.checks.variables import Variables
from audit.tables.vocabulary import Platform
from audit.yamlfile.check import CheckFile
from audit.yamlfile.located import Located
from audit.yamlfile.pack import PackFile
from audit.yamlfile.policy import Clause, Edition, PolicyFile
from audit.yamlfile.target import TargetFile

NOT_ON_A_PERSONS_DEVICE: frozenset[Platform] = frozenset({"server", "web"})
"""Platforms that a target of unknown platform is not taken for."""


BUILT_IN_ROLES = frozenset({"resolver", "loopback"})
"""Roles that evidence gives by itself: who answers name look-ups, and what never leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCheck:
    """A check, and its file."""

    file: CheckFile
    located: Located
    path: str
    """Relative to the policy's folder, with forward slashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A folder of YAML that turns one document's promises into checks."""

    folder: Path
    file: PolicyFile
    pack: PackFile
    checks: tuple[LoadedCheck, ...]
    """Sorted by id."""
    lists: Mapping[str, NamedList]
    texts: Mapping[str, str]
    """Edition -> its text, pinned by digest."""
    located: Mapping[str, Located]
    """Relative path -> every other YAML file of the policy, for messages."""

    @property
    def id(self) -> str:
        """Id of the policy."""
        return self.file.id

    @property
    def editions(self) -> Mapping[str, Edition]:
        """Id -> edition; the first is the one that stands where none is named."""
        return {edition.id: edition for edition in self.file.editions}

    @property
    def clauses(self) -> Mapping[str, Clause]:
        """Id -> clause, in the order of the document."""
        return {clause.id: clause for clause in self.file.clauses}

    @property
    def sha256(self) -> str:
        """Digest of the document's first edition."""
        return self.file.editions[0].sha256

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of identifier that the policy adds to the common ones."""
        return frozenset(self.pack.kinds)

    @property
    def roles(self) -> frozenset[str]:
        """Roles that a server can have."""
        return frozenset(self.pack.peer_roles) | BUILT_IN_ROLES

    def variables(self, target: TargetFile | None = None) -> Variables:
        """Return the variables as a target sees them; without one, their defaults."""
        declared = self.pack.vars
        values = {
            name: variable.default
            for name, variable in declared.items()
            if variable.default is not None
        }
        chosen = {} if target is None else dict(target.vars)
        return Variables(declared=declared, values=values | chosen, set_by_target=frozenset(chosen))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A client to audit, as its policy knows it."""

    name: str
    """Name of its folder."""
    file: TargetFile
    folder: Path | None
    """Folder with its driver, ``None`` for a target made of nothing."""

    @property
    def driver(self) -> Path | None:
        """Program that makes the client act; ``None``: the client is given as a command."""
        path = self.folder / "driver.py" if self.folder else None
        return path if path is not None and path.is_file() else None

    @property
    def requirements(self) -> Path | None:
        """Pinned packages of the client's environment."""
        path = self.folder / "requirements.txt" if self.folder else None
        return path if path is not None and path.is_file() else None

    def is_in(self, platforms: list[Platform] | None) -> bool:
        """Whether a scope applies; a target of unknown platform is any but server and web."""
        if platforms is None:
            return True
        if self.file.app.platform is None:
            return bool(set(platforms) - NOT_ON_A_PERSONS_DEVICE)
        return self.file.app.platform in platforms

    def is_judged(self, check: LoadedCheck, recorded: Iterable[str | None] = ()) -> bool:
        """Whether a check applies by the target's platform, or by one that was recorded."""
        scope = check.file.scope
        platforms = None if scope is None else scope.platforms
        return self.is_in(platforms) or not {*(platforms or ())}.isdisjoint(recorded)

    def can(self, action: str) -> bool:
        """Whether the client can do an action, by its own word."""
        return self.file.can is None or action in self.file.can
