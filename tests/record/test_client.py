import hashlib
import sys
from pathlib import Path

import pytest

from audit.errors import SetupError
from audit.record.client import describe_client, resolve_command
from tests.record.recordings import make_plan


def make_program(path: Path, mode: int = 0o755) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_a_name_is_found_on_the_path(tmp_path, monkeypatch):
    make_program(tmp_path / "my-client")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert resolve_command(["my-client", "-v"]) == [str(tmp_path / "my-client"), "-v"]


def test_a_relative_path_becomes_absolute(tmp_path, monkeypatch):
    make_program(tmp_path / "my-client")
    monkeypatch.chdir(tmp_path)
    assert resolve_command(["./my-client"]) == [str(tmp_path / "my-client")]


def test_links_are_kept_because_the_python_of_an_environment_is_one(tmp_path):
    (tmp_path / "python").symlink_to(sys.executable)
    assert resolve_command([str(tmp_path / "python")]) == [str(tmp_path / "python")]


@pytest.mark.parametrize(
    ("command", "match"),
    [
        ([], "no client was named"),
        (["no-such-client-here"], "was not found"),
        (["/nowhere/client"], "was not found"),
    ],
)
def test_a_missing_client_is_named(command, match):
    with pytest.raises(SetupError, match=match) as caught:
        resolve_command(command)
    assert caught.value.hint


def test_a_file_that_may_not_be_run_is_told_from_a_missing_one(tmp_path):
    path = make_program(tmp_path / "client", 0o644)
    with pytest.raises(SetupError, match="no program that may be run"):
        resolve_command([str(path)])


def test_a_program_is_known_by_its_digest(tmp_path):
    path = make_program(tmp_path / "my-client")
    client = describe_client(make_plan(tmp_path / "b"), [str(path)], ("my-client",))
    assert client.name == "my-client"
    assert client.digest == hashlib.sha256(b"#!/bin/sh\n").hexdigest()
    assert client.version is None
