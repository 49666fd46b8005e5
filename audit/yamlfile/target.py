"""``target.yaml``: one client to audit, and what it can do."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictStr

from audit.tables.vocabulary import Action, Platform
from audit.yamlfile.pack import VariableName
from audit.yamlfile.shape import Day, Flag, Name, Number, Part, Text

SCHEMA: Final = "audit/target@1"


class App(Part):
    """The client."""

    name: Text
    """Name of the client."""
    title: Text | None = None
    """Name as reports print it; ``None``: ``name``."""
    platform: Platform | None = None
    """``None``: not known, every platform but server and web."""
    version: Text | None = None
    """Its release."""
    package: Text | None = None
    """Package or bundle id on its platform."""
    processes: list[Text] = Field(default_factory=list)
    """What captures call its programs beside ``package``: further packages or bundle ids, names of
    processes, the name that the phone shows."""
    distribution: Text | None = None
    """Python distribution, for version and digest of what is installed."""
    sha256: Text | None = None
    """Digest of the release, where it is known beforehand."""
    official: Flag = False
    """Whether the policy's own vendor publishes it."""
    license: Text | None = None
    """SPDX id."""
    remark: Text | None = None
    """Sentence that reports print first."""

    @property
    def programs(self) -> frozenset[str]:
        """What captures call the client; a package of a library (``pypi:…``) is no program."""
        named = [self.package] if self.package and ":" not in self.package else []
        return frozenset([*named, *self.processes])


class Fact(Part):
    """One thing that is known of the client, and where it was read."""

    kind: Literal["endpoint", "pin", "constant", "default", "permission", "behaviour"]
    name: Text
    value: Text
    source: Text
    """File of the client's sources, with its line where one is meant; or who said it."""
    certainty: Literal["read", "inferred", "unknown"] = "read"
    """``read``: it stands there; ``inferred``: it follows from what stands there; ``unknown``: that
    it could not be found is the fact."""


class Baseline(Part):
    """What a release is known to do. It excuses nothing: checks read the pack's constants."""

    read: Day
    """Day of the sources that were read."""
    of: Text
    """Which sources: repository, release and commit."""
    facts: list[Fact] = Field(min_length=1)


class TargetFile(Part):
    """The whole of ``target.yaml``."""

    schema_: Literal["audit/target@1"] = Field(alias="schema")
    """Language and version."""
    policy: Name
    """Policy that it is audited against."""
    app: App
    """The client."""
    can: list[Action] | None = None
    """Actions that the client can do; ``${journey}`` is cut to them. ``None``: all."""
    baseline: Baseline | None = None
    """What is known of the client beforehand, to compare a recording with."""
    vars: dict[VariableName, Any] = Field(default_factory=dict)
    """Values of variables that the pack declares settable."""
    identifiers: dict[VariableName, Literal["auto", "detect"]] = Field(default_factory=dict)
    """Kind -> ``auto`` (drawn for each recording) or ``detect`` (taken from the recording)."""
    trust_ca: list[Annotated[StrictStr, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = Field(
        default_factory=list
    )
    """Environment variables that name a bundle of trusted certificates to this client."""
    timeout_s: Annotated[Number, Field(gt=0, le=3600)] = 120
    """Longest run of one recording, seconds."""
