"""``steps.yaml``: what a recorded browser does on a website, as an auditor writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictInt, model_validator

from audit.yamlfile.loader import load_yaml
from audit.yamlfile.shape import Duration, Part, Text
from audit.yamlfile.validate import parse_model

SCHEMA: Final = "audit/steps@1"


class Consent(Part):
    """How the site's question of consent is answered, where the recorder would not find it."""

    accept: Text | None = None
    """CSS selector of what is clicked to accept."""
    refuse: Text | None = None
    """CSS selector of what is clicked to refuse."""


class Follow(Part):
    """Which links are followed."""

    depth: Annotated[StrictInt, Field(ge=1, le=10)] = 1
    """Links from the page where it begins; 1: those on that page."""
    pages: Annotated[StrictInt, Field(ge=1, le=500)] = 12
    """Most pages that are visited."""


class Subscribe(Part):
    """Which form is filled with the subject's address and submitted."""

    at: Text | None = None
    """Page, as in ``visit``; left out: the first visited page with a field for an address."""
    form: Text | None = None
    """CSS selector of the form; left out: the first with a field for an address."""
    fields: dict[Text, Literal["email", "display_name", "phone", "user_name"]] = Field(
        default_factory=dict
    )
    """CSS selector of a field in the form: which of the subject's values is typed into it."""
    settle: Duration = "1500ms"
    """How long the typed address stands there before the form is submitted."""


class Download(Part):
    """Which file is fetched."""

    at: Text | None = None
    """Page, as in ``visit``; left out: the first visited page with a link to a file."""
    link: Text | None = None
    """CSS selector of the link; left out: the first to a file."""


class Revisit(Part):
    """Coming back with the same profile."""

    after: Duration = "31d"
    """Time that passes: cookies that end until then are gone, the others are that much older."""


class Step(Part):
    """One step: exactly one of these keys."""

    visit: Text | None = None
    """Page: a path of the site, or a whole address."""
    follow: Follow | None = None
    subscribe: Subscribe | None = None
    download: Download | None = None
    click: Text | None = None
    """CSS selector of something on the page to click."""
    wait: Duration | None = None
    """Time to let the page do what it does."""
    revisit: Revisit | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Step:
        if len(self.model_fields_set) != 1:
            known = ", ".join(type(self).model_fields)
            raise ValueError(f"a step has exactly one key of: {known}")
        return self


class StepsFile(Part):
    """The whole of ``steps.yaml``."""

    schema_: Literal["audit/steps@1"] = Field(alias="schema")
    """Language and version."""
    consent: Consent = Consent()
    steps: list[Step] = Field(min_length=1, max_length=200)


_DEFAULT: Final[list[dict[str, Any]]] = [
    {"visit": "/"},
    {"follow": {}},
    {"subscribe": {}},
    {"download": {}},
    {"revisit": {}},
]


def default_steps() -> StepsFile:
    """Return what is done without a file: visit, follow, subscribe, download, come back."""
    return StepsFile.model_validate({"schema": SCHEMA, "steps": _DEFAULT})


def load_steps(path: Path) -> StepsFile:
    """Read a file of steps; raises :class:`~.problem.PolicyFileError` with every mistake."""
    return parse_model(load_yaml(path), StepsFile, SCHEMA)
