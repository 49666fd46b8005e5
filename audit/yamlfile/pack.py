"""``pack.yaml``: what the checks of a policy have in common: variables, roles, the onion."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, StrictStr, Tag

from audit.yamlfile.shape import Condition, Flag, Name, Part, Text

SCHEMA: Final = "audit/pack@1"

VariableType = Literal[
    "text", "host", "ip", "number", "ratio", "bytes", "duration", "time", "bool", "kind", "action",
    "map", "list[text]", "list[host]", "list[ip]", "list[number]", "list[kind]", "list[action]",
]  # fmt: skip
"""Type of a variable; ``ip`` also takes a network such as ``10.0.0.0/8``."""

VariableName = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Variable(Part):
    """A value that checks read as ``${name}``."""

    type: VariableType
    """What it may hold."""
    default: Any = None
    """Its value where the target sets none; absent: only a target can give it."""
    settable: Flag = False
    """Whether a target may set it. Official constants are not settable."""
    description: Text | None = None
    """What it is, and the source of a constant."""


class AddressRule(Part):
    """Addresses that an answer of another role lists."""

    role: Name
    """Role whose answers are read."""
    json_: Text = Field(alias="json")
    """Path in the answer, ``[]`` for every item: ``result.nodes[].address``."""


class ListedRole(Part):
    """A role of servers that another server names."""

    address_listed_in: AddressRule
    """Where the addresses of its servers are listed."""


def _rule_kind(value: object) -> str:
    return "listed" if isinstance(value, dict) and "address_listed_in" in value else "condition"


RoleRule = Annotated[
    Annotated[ListedRole, Tag("listed")] | Annotated[Condition, Tag("condition")],
    Discriminator(_rule_kind),
]
"""How a server gets its role."""


class Onion(Part):
    """Onion requests of this protocol, for :mod:`audit.readers`."""

    paths: list[Text] = Field(min_length=1)
    """Paths of the requests that carry an onion."""
    salt: Text
    """Key of the HMAC that derives a layer's key."""


class PackFile(Part):
    """The whole of ``pack.yaml``."""

    schema_: Literal["audit/pack@1"] = Field(alias="schema")
    """Language and version."""
    id: Name
    """Name of the pack."""
    version: Annotated[StrictStr, Field(pattern=r"^\d+\.\d+\.\d+$")]
    """Of the pack."""
    license: Text
    """SPDX id."""
    requires: Text
    """Lowest version of the tool, such as ``audit>=0.1``."""
    vars: dict[VariableName, Variable] = Field(default_factory=dict)
    """Values that checks share."""
    peer_roles: dict[VariableName, RoleRule] = Field(default_factory=dict)
    """Role -> condition over ``host`` and ``responder_ip``, or ``{address_listed_in: …}``."""
    kinds: dict[VariableName, Text] = Field(default_factory=dict)
    """Kinds of identifier that this policy adds, with their meaning."""
    onion: Onion | None = None
    """How onion requests look."""
