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


def test_a_bug_is_never_taken_for_a_verdict(monkeypatch, capsys) -> None:
    from audit.cli import main as frame

    def broken(**_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(frame.cli, "main", broken)
    with pytest.raises(SystemExit) as ended:
        frame.main()
    assert ended.value.code == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "captures/sample", "captures/sample"), "named twice"),
        (("run", "captures/sample", "--as-of", "0001-01-01T00:00:00+14:00"), "ISO 8601"),
        (("run", "captures/sample", "--as-of", "yesterday"), "ISO 8601"),
        (("run", "captures/sample", "--format", "docx"), "unknown format"),
        (("record", "--timeout", "nan", "--", "true"), "number of seconds"),
        (("record",), "no client to record"),
        (("tables", "captures/sample", "nothing"), "no table"),
        (("run", "captures/sample", "--target", "nobody"), "no target"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_judges_nothing(arguments, words: str) -> None:
    ran = run_audit(*arguments)
    assert ran.code == 2, ran.err
    assert words in ran.err
    assert "Traceback" not in ran.err
