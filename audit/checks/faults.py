"""What is wrong inside a check, before it is laid on its place in the file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from audit.yamlfile.located import Located, Path
from audit.yamlfile.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One mistake, relative to the part of a file that was being read."""

    path: Path
    code: str
    message: str
    at: Literal["key", "value"] = "value"
    offset: int = 0
    """Characters into the key or value."""
    length: int | None = None
    hint: str | None = None
    allowed: tuple[str, ...] = ()

    def problem(self, located: Located) -> Problem:
        """Return the problem at its place in ``located``."""
        return located.problem(
            self.path,
            self.code,
            self.message,
            at=self.at,
            offset=self.offset,
            length=self.length,
            hint=self.hint,
            allowed=self.allowed,
        )


@dataclass(slots=True)
class Faults:
    """Collects faults; ``under`` prefixes the path of those found deeper."""

    found: list[Fault] = field(default_factory=list)
    path: Path = ()

    def under(self, *steps: str | int) -> Faults:
        """Return a collector for a part: same list, longer path."""
        return Faults(self.found, (*self.path, *steps))

    def add(
        self,
        code: str,
        message: str,
        *,
        at: Literal["key", "value"] = "value",
        offset: int = 0,
        length: int | None = None,
        hint: str | None = None,
        allowed: tuple[str, ...] = (),
    ) -> None:
        """Note a fault at the collector's path."""
        self.found.append(
            Fault(
                path=self.path,
                code=code,
                message=message,
                at=at,
                offset=offset,
                length=length,
                hint=hint,
                allowed=allowed,
            )
        )

    def take(self, faults: Faults) -> None:
        """Take over what another collector found, under this one's path."""
        self.found += [replace(item, path=(*self.path, *item.path)) for item in faults.found]
