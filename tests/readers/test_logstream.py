"""Blocks of whole lines, however a file is packed and wherever it is cut."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from audit.readers import logstream
from audit.readers.logstream import LogStream

PACKERS = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}
TEXT = b"".join(b"line %d\n" % number for number in range(5000))


@pytest.mark.parametrize("packer", PACKERS)
def test_lines_are_the_same_however_they_are_packed(tmp_path, packer):
    path = tmp_path / "log"
    path.write_bytes(PACKERS[packer](TEXT))
    stream = LogStream(path)
    blocks = list(stream.blocks())
    assert b"".join(block.data for block in blocks) == TEXT
    assert stream.problem is None
    assert stream.lines == 5000
    assert stream.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("packer", [name for name in PACKERS if name != "plain"])
def test_a_cut_archive_is_read_up_to_there_and_said(tmp_path, packer):
    path = tmp_path / "log"
    whole = PACKERS[packer](TEXT)
    path.write_bytes(whole[: len(whole) * 3 // 4])
    stream = LogStream(path)
    read = b"".join(block.data for block in stream.blocks())
    assert TEXT.startswith(read)
    assert stream.problem
    assert stream.sha256 is None


@pytest.mark.parametrize("packer", ["gz", "bz2", "xz", "zst"])
def test_two_archives_one_behind_the_other_are_one_log(tmp_path, packer):
    path = tmp_path / "log"
    path.write_bytes(PACKERS[packer](TEXT) + PACKERS[packer](TEXT))
    stream = LogStream(path)
    assert b"".join(block.data for block in stream.blocks()) == TEXT * 2


@given(
    data=st.binary(max_size=400),
    head=st.sampled_from([b"", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"]),
)
def test_any_bytes_are_read_or_said(tmp_path_factory, data, head):
    path = tmp_path_factory.mktemp("any") / "log"
    path.write_bytes(head + data)
    stream = LogStream(path)
    list(stream.blocks())
    assert stream.problem or not head


def test_a_line_without_end_stays_in_flat_memory_and_keeps_the_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(logstream, "BLOCK", 1000)
    monkeypatch.setattr(logstream, "MAX_LINE", 3000)
    path = tmp_path / "log"
    path.write_bytes(b"one\n" + b"x" * 50_000 + b"\nthree\nfour")
    stream = LogStream(path)
    blocks = list(stream.blocks())
    assert b"".join(block.data for block in blocks) == path.read_bytes()
    assert max(len(block.data) for block in blocks) < 6000
    assert {block.first for block in blocks if block.overlong} == {2}
    after = [block for block in blocks if not block.overlong]
    numbered = [
        (block.first + index, line)
        for block in after
        for index, line in enumerate(block.data.split(b"\n"))
        if line
    ]
    assert numbered == [(1, b"one"), (3, b"three"), (4, b"four")]
