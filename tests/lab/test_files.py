"""The file server."""

import json

import pytest

from audit.lab.files import MAX_FILE_BYTES, FileServer
from audit.lab.keys import make_keys
from audit.lab.learned import LearnedLog
from audit.lab.witness import Witness
from tests.lab.conftest import RunningLab

HOST = "filev2.getsession.org:80"


def test_a_file_comes_back_as_it_was(lab: RunningLab) -> None:
    status, body, _ = lab.ask(HOST, "POST", "/file", b"content \x00\xff")
    assert status == 200
    name = json.loads(body)["id"]
    assert isinstance(name, str)
    assert int(name) < 2**53
    assert lab.ask(HOST, "GET", f"/file/{name}")[1] == b"content \x00\xff"
    info = json.loads(lab.ask(HOST, "GET", f"/file/{name}/info")[1])
    assert info["size"] == 10
    assert info["expires"] - info["uploaded"] == 14 * 24 * 3600


@pytest.mark.parametrize("path", ["/file/1", "/file/", "/file/a/b/c", "/files", "/"])
def test_what_is_not_there_is_404(lab: RunningLab, path: str) -> None:
    assert lab.ask(HOST, "GET", path)[0] == 404


def test_versions_are_told_for_known_platforms(lab: RunningLab) -> None:
    assert json.loads(lab.ask(HOST, "GET", "/session_version?platform=desktop")[1])["result"]
    assert lab.ask(HOST, "GET", "/session_version?platform=toaster")[0] == 404


def test_empty_and_huge_files_are_refused(tmp_path) -> None:
    log = LearnedLog(tmp_path)
    server = FileServer(keys=make_keys(), witness=Witness("file", log))
    for body in (b"", b"x" * (MAX_FILE_BYTES + 1)):
        assert server._submit(body)[0].status == 413
    assert server._submit(b"x")[0].status == 200
    log.close()


@pytest.mark.parametrize("body", [b"", b"\xff" * 60, b"\x04\x00\x00\x00abcd{}"])
def test_garbage_behind_the_onion_is_refused(lab: RunningLab, body: bytes) -> None:
    assert lab.ask(HOST, "POST", "/oxen/v4/lsrpc", body)[0] == 400
