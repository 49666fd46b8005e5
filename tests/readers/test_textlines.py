import gzip
import zlib

import pytest

from audit.errors import CaptureError
from audit.readers import textlines
from audit.readers.textlines import LineProblems, first_bytes, text_lines, whole_file
from audit.tables.extract import Extract


def read(path):
    extract = Extract()
    problems = LineProblems(path.name, extract)
    return list(text_lines(path, problems, extract)), extract.truncated


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path, pack):
    path = tmp_path / "a"
    path.write_bytes(pack(b"\xef\xbb\xbfone\r\n\n  \nfour\x0b\x85\xe2\x80\xa8still four\nfive"))
    assert read(path) == (
        [(1, b"one"), (4, b"four\x0b\x85\xe2\x80\xa8still four"), (5, b"five")],
        [],
    )


def test_a_line_that_is_too_long_is_left_out_and_said(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one\n" + b"x" * (3 * textlines.MAX_LINE) + b"\nthree\n")
    lines, (said,) = read(path)
    assert lines == [(1, b"one"), (3, b"three")]
    assert "a#2: line not read" in said


def test_bounds_cut_and_say_where(tmp_path, monkeypatch):
    monkeypatch.setattr(textlines, "MAX_LINES", 3)
    path = tmp_path / "a"
    path.write_bytes(b"x\n" * 5)
    lines, truncated = read(path)
    assert [number for number, _ in lines] == [1, 2, 3]
    assert truncated == ["a was read to line 3: it is too big"]


def test_a_bomb_of_one_line_ends_at_the_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(textlines, "MAX_BYTES", 10 * textlines.MAX_LINE)
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(b"x" * (100 * textlines.MAX_LINE)))
    _, truncated = read(path)
    assert truncated


@pytest.mark.parametrize("cut", [-1, -9, -40])
def test_damaged_compressed_data_keep_what_comes_before(tmp_path, cut):
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(b"one\ntwo\n" * 1000, mtime=0)[:cut])
    _, (said,) = read(path)
    assert "damaged compressed data" in said


def test_many_bad_lines_are_counted_and_ten_named():
    extract = Extract()
    problems = LineProblems("a", extract)
    for number in range(1, 31):
        problems.add(number, "no")
    problems.finish(rows=1)
    assert len(extract.truncated) == 11
    assert extract.truncated[-1] == "a: 30 lines were not read in all"


def test_nothing_but_bad_lines_is_an_error():
    problems = LineProblems("a", Extract())
    problems.add(7, "no")
    with pytest.raises(CaptureError, match="no line of the file could be read: a#7"):
        problems.finish(rows=0)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zlib.compress])
def test_whole_files_are_unpacked(tmp_path, pack):
    path = tmp_path / "a"
    path.write_bytes(pack(b'{"log": 1}' * 50))
    assert whole_file(path, "a") == b'{"log": 1}' * 50
    assert first_bytes(path, 99)[:10] == b'{"log": 1}'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(b"x" * 999, mtime=0)[:-9], "in the middle of compressed data"),
        (gzip.compress(b"x" * 99_999, mtime=0), "larger than 1000 bytes"),
        (b"x" * 1001, "larger than 1000 bytes"),
        (b"\x1f\x8bno", "damaged|middle"),
    ],
)
def test_whole_files_that_cannot_be_had_are_one_error(tmp_path, data, said):
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(CaptureError, match=said):
        whole_file(path, "a", 1000)


def test_a_file_that_is_not_there_is_one_error(tmp_path):
    with pytest.raises(CaptureError, match="cannot be read"):
        whole_file(tmp_path / "none", "none")
    with pytest.raises(CaptureError, match="cannot be read"):
        read(tmp_path / "none")
