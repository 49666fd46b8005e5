"""What is said beside the captures: the options of ``audit run`` and ``audit verify --again``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])
_FILE: Final[dict[str, Any]] = {"type": click.Path(path_type=Path)}
_FLAG: Final[dict[str, Any]] = {"is_flag": True}
_OPTIONS: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("--policy", {}, "Policy: a name or a path; default: the target's."),
    ("--target", {}, "Target: a name or a path; default: the captures' own."),
    ("--identity", _FILE, "File of the subject's values."),
    ("--gate", _FILE, "Default: the policy's gate.yaml."),
    ("--waivers", _FILE, "Default: as the gate says."),
    ("--attestations", _FILE, "Default: as the gate says."),
    ("--baseline", _FILE, "Earlier result.json to compare with; default: as the gate says."),
    ("--tls-keys", _FILE, "Key log for bare packet files."),
    ("--mixed", _FLAG, "A bare file holds other programs' traffic too."),
    ("--together", _FLAG, "The bare files are of one recording."),
    ("--journal", _FILE, "What was done in bare files..."),
    ("--vouched-by", {}, "... if somebody vouches for it; the report prints the name."),
    ("--compare-installs", _FLAG, "Report values that tell installs apart, unscored."),
    ("--exit-zero", _FLAG, "Exit 0 whatever the gate says."),
)
"""Options that are fields of :class:`audit.cli.judging.Call`, of the same names."""


def judging_options(said: str | None = None) -> Callable[[Command], Command]:
    """Return a decorator that gives a command these options; ``said`` is their help instead."""

    def decorate(command: Command) -> Command:
        for name, kind, text in reversed(_OPTIONS):
            command = click.option(name, help=said or text, **kind)(command)
        return command

    return decorate
