"""What the models of all YAML files share: closed mappings, exact types, variables."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, NewType, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    WithJsonSchema,
)

from audit.yamlfile.units import parse_duration, parse_time

VARIABLE: Final = re.compile(r"\$\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)\}")
"""A variable is a whole scalar: ``${name}``, or ``${name.key}`` for a key of a map."""

VariableText = NewType("VariableText", str)
"""Text such as ``${journey}``."""


class Part(BaseModel):
    """A mapping of a YAML file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def is_variable(value: object) -> bool:
    """Whether a value is ``${name}``."""
    return isinstance(value, str) and VARIABLE.fullmatch(value) is not None


def _kind_of(value: object) -> str:
    return "variable" if isinstance(value, str) and value.startswith("${") else "value"


def _variable(text: str) -> str:
    if not is_variable(text):
        raise ValueError("a variable reads ${name} or ${name.key}, lower case, nothing beside it")
    return text


_VariableType = Annotated[
    StrictStr,
    AfterValidator(_variable),
    WithJsonSchema({"type": "string", "pattern": f"^{VARIABLE.pattern}$"}),
]
_T = TypeVar("_T")
OrVariable = Annotated[
    Annotated[_T, Tag("value")] | Annotated[_VariableType, Tag("variable")], Discriminator(_kind_of)
]
"""A value of its type, or the name of a variable that holds one."""


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _time(text: str) -> str:
    parse_time(text)
    return text


def check_day(text: str) -> str:
    """Return a day as written; raises ``ValueError`` for what is none."""
    if not _DAY.fullmatch(text):
        raise ValueError("a day is ISO 8601, such as 2026-01-31")
    parse_time(text)
    return text


_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
Text = Annotated[StrictStr, Field(min_length=1)]
"""Text that says something."""
Name = Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]
"""Name of a part inside a file: lower case, digits, ``-`` and ``_``."""
DottedName = Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*$")]
"""Global id, such as ``session.app.contacts``."""
Sha256 = Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]
Duration = Annotated[StrictStr, AfterValidator(_duration)]
Moment = Annotated[StrictStr, AfterValidator(_time)]
Day = Annotated[StrictStr, AfterValidator(check_day)]
Number = StrictInt | StrictFloat
Count = Annotated[StrictInt, Field(ge=0)]
Ratio = Annotated[StrictFloat | StrictInt, Field(ge=0, le=1)]
Flag = StrictBool
Condition = dict[StrictStr, Any]
"""A condition as written; :mod:`audit.checks.conditions` knows what may stand in it."""
Column = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*(\.[^.|]+)*$")]
"""Column of an evidence table, with a path into JSON columns."""
