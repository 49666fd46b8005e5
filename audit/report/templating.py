"""The template environment: escaping everywhere, hidden characters named, no network, no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from audit.report.sentence import MARKS
from audit.report.texts import count, meaning, say
from audit.report.visible import visible
from audit.report.wording import share, size

if TYPE_CHECKING:
    from jinja2 import Environment


def _file(name: str) -> str:
    path = resources.files("audit.report").joinpath("templates", name)
    return path.read_text(encoding="utf-8")


@cache
def stylesheet() -> str:
    """Return the one stylesheet of every page."""
    return _file("report.css")


def content_security_policy() -> str:
    """Return the policy of a page: nothing is loaded, run or sent; its own style alone counts."""
    digest = hashlib.sha256(stylesheet().encode()).digest()
    style = base64.b64encode(digest).decode()
    return f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"


@cache
def environment() -> Environment:
    """Return the environment of all templates; values are escaped wherever they stand."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    from audit.report.compiled import CompiledTemplates

    def shown(value: object) -> object:
        if isinstance(value, Markup):
            return value
        return visible(value) if isinstance(value, str) else value

    env = Environment(
        autoescape=True,
        bytecode_cache=CompiledTemplates(),
        finalize=shown,
        loader=FunctionLoader(_file),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    functions: dict[str, Callable[..., object]] = {
        "t": say,
        "n": count,
        "meaning": meaning,
        "share": share,
        "size": size,
        "css": lambda: Markup(stylesheet()),  # noqa: S704 - our own file
        "csp": lambda: Markup(content_security_policy()),  # noqa: S704 - a digest of our own file
    }
    env.globals.update(functions)
    env.globals["marks"] = MARKS
    return env
