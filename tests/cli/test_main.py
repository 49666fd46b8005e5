"""The frame of the command line."""

import subprocess
import sys

import pytest

from audit.cli.main import COMMANDS
from tests.conftest import run_audit


def test_help_lists_every_command() -> None:
    ran = run_audit("--help")
    assert ran.code == 0
    for name in COMMANDS:
        assert f"  {name} " in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    assert run_audit(name, "--help").code == 0


def test_help_imports_nothing_heavy() -> None:
    heavy = {
        "pandas",
        "numpy",
        "mitmproxy",
        "scapy",
        "hyperscan",
        "jinja2",
        "pydantic",
        "pyroute2",
        "cryptography",
    }
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom audit.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_an_unknown_command_is_a_wrong_call() -> None:
    ran = run_audit("judge")
    assert ran.code == 2
    assert "judge" in ran.err


def test_a_missing_capture_is_one_sentence() -> None:
    ran = run_audit("run", "captures/nowhere")
    assert ran.code == 3
    assert ran.err.strip() == "audit: captures/nowhere: there is no such capture"
