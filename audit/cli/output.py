"""What the commands print: lines on standard output, errors and progress on standard error."""

from __future__ import annotations

import re
import sys

import click

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def safe(text: str) -> str:
    """Return ``text`` with control and bidirectional characters made visible.

    Values of captures are hostile: none may steer the terminal.
    """
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def say(text: str = "") -> None:
    """Print one line on standard output."""
    click.echo(safe(text))


def error(text: str) -> None:
    """Print one error sentence on standard error."""
    click.echo(f"audit: {safe(text)}", err=True)


def note(text: str) -> None:
    """Print what the tool decided by itself, on standard error."""
    click.echo(f"note: {safe(text)}", err=True)


def progress(text: str) -> None:
    """Print what is being done, on a terminal only; a pipe stays quiet."""
    if sys.stderr.isatty():
        click.echo(click.style(f"· {safe(text)}", dim=True), err=True)
