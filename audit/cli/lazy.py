"""Groups of commands that are imported only when one is called or asked for help."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

import click


class LazyGroup(click.Group):
    """A group that lists its commands without importing them.

    ``modules``: name -> module (its command is called ``command``) and one line of help.
    """

    def __init__(self, *, modules: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(**options)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in their order of use."""
        del ctx
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; ``None``: there is none of that name."""
        del ctx
        if cmd_name not in self._modules:
            return None
        module = importlib.import_module(self._modules[cmd_name][0])
        return cast("click.Command", module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands for help."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._modules.items()])
