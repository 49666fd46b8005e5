"""The template environment: escaping everywhere, hidden characters named, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from audit.report.sentence import MARKS
from audit.report.texts import count, meaning, say
from audit.report.verdicts import SEVERITIES, rank_of
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


@cache
def script() -> str:
    """Return the script of a report, which filters; a page reads whole without it."""
    return _file("report.js")


def content_security_policy(*, has_script: bool = False) -> str:
    """Return the policy of a page: nothing is loaded or sent; its own style and script alone count.

    Both are named by their digests, so nothing else is applied or run.
    """
    parts = ["default-src 'none'", f"style-src {_source(stylesheet())}"]
    if has_script:
        parts += [f"script-src {_source(script())}", "require-trusted-types-for 'script'"]
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


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
        "rank": rank_of,
        "css": lambda: Markup(stylesheet()),  # noqa: S704 - our own file
        "script": lambda: Markup(script()),  # noqa: S704 - our own file
        "csp": lambda has_script=False: Markup(  # noqa: S704 - digests of our own files
            content_security_policy(has_script=has_script)
        ),
    }
    env.globals.update(functions)
    env.globals["marks"] = MARKS
    env.globals["severities"] = SEVERITIES
    return env
