"""Archives as files: bounds, ZIPs with resources, and what is none."""

import json
import zipfile

import pytest

from audit.errors import CaptureError
from audit.readers.har_archive import open_archive

LOG = json.dumps({"log": {"creator": {"name": "Playwright"}, "entries": [1]}})


def zipped(folder, **members: str | bytes):
    path = folder / "log.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name.replace("__", "."), data)
    return path


def test_a_zip_holds_an_archive_and_its_resources(tmp_path):
    archive = open_archive(zipped(tmp_path, har__har=LOG, ab__txt=b"body"), "f")
    assert (archive.creator, archive.entries) == ("Playwright", [1])
    assert archive.resource("ab.txt") == b"body"
    assert archive.resource("../etc/passwd") is None


def test_resources_of_traces_lie_in_a_folder(tmp_path):
    archive = open_archive(zipped(tmp_path, **{"har.har": LOG, "resources/ab": b"body"}), "f")
    assert archive.resource("ab") == archive.resource("resources/ab") == b"body"


def test_a_plain_archive_has_no_resources(tmp_path):
    path = tmp_path / "log.har"
    path.write_text("\ufeff" + LOG, encoding="utf-8")
    (tmp_path / "ab.txt").write_text("x")
    assert open_archive(path, "f").resource("ab.txt") is None


def test_resources_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("audit.readers.har_archive.MAX_RESOURCE", 1000)
    monkeypatch.setattr("audit.readers.har_archive.MAX_RESOURCES", 1500)
    path = zipped(tmp_path, har__har=LOG, big=b"\0" * 10**7, one=b"1" * 900, two=b"2" * 900)
    archive = open_archive(path, "f")
    assert archive.resource("big") is None
    assert archive.resource("one") == b"1" * 900
    assert archive.resource("two") is None


@pytest.mark.parametrize("members", [{}, {"a__har": LOG, "b__har": LOG}, {"a__har": "{"}])
def test_a_zip_without_one_archive_is_refused(tmp_path, members):
    with pytest.raises(CaptureError):
        open_archive(zipped(tmp_path, **members), "f")


def test_a_damaged_zip_is_refused(tmp_path):
    path = zipped(tmp_path, har__har=LOG * 50)
    data = bytearray(path.read_bytes())
    for cut in (bytes(data[:40]), bytes(data[:35]) + b"\xff" * 20 + bytes(data[55:])):
        path.write_bytes(cut)
        with pytest.raises(CaptureError):
            open_archive(path, "f")


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("audit.readers.har_archive.MAX_BYTES", 10_000)
    with pytest.raises(CaptureError, match="larger"):
        open_archive(zipped(tmp_path, har__har=b" " * 10**7), "f")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"log": 1}', '{"log": {}}', "[" * 100_000,
                                  '{"log": {"entries": [' + "9" * 5000 + "]}}"])  # fmt: skip
def test_what_is_no_archive_is_refused(tmp_path, text):
    path = tmp_path / "log.har"
    path.write_text(text)
    with pytest.raises(CaptureError):
        open_archive(path, "f")
