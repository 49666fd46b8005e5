"""Groups of commands that are imported when they are called."""

import sys

import click
from click.testing import CliRunner

from audit.cli.lazy import LazyGroup

MODULES = {"wave": ("tests.cli.waving", "Wave a hand."), "gone": ("tests.cli.gone", "Not there.")}


@click.group(cls=LazyGroup, modules=MODULES)
def group() -> None:
    """A group."""


def test_help_lists_the_commands_and_imports_none(monkeypatch):
    monkeypatch.delitem(sys.modules, "tests.cli.waving", raising=False)
    said = CliRunner().invoke(group, ["--help"])
    assert said.exit_code == 0
    assert "wave  Wave a hand." in said.output
    assert "gone  Not there." in said.output
    assert "tests.cli.waving" not in sys.modules


def test_a_command_is_imported_when_it_is_called():
    assert CliRunner().invoke(group, ["wave"]).output == "waved\n"


def test_a_name_that_is_no_command_is_a_wrong_call():
    said = CliRunner().invoke(group, ["bow"])
    assert said.exit_code == 2
    assert "bow" in said.output
