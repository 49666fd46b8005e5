import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.record.key_log import KeyLogs

LINES = [
    b"CLIENT_TRAFFIC_SECRET_0 " + bytes([65 + n]) * 64 + b" " + b"cd" * 32 + b"\n" for n in range(5)
]


@given(cuts=st.lists(st.integers(0, 500), max_size=5))
def test_each_line_comes_once_and_whole_however_it_was_written(tmp_path_factory, cuts):
    path = tmp_path_factory.mktemp("keys") / "log"
    data, found = b"".join(LINES), []
    logs = KeyLogs([path])
    start = 0
    for cut in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        with path.open("ab") as file:
            file.write(data[start:cut])
        start = cut
        found.append(logs.new_lines())
    assert b"".join(found) == logs.all_lines() == data
    assert all(not chunk or chunk.endswith(b"\n") for chunk in found)


def test_lines_of_several_logs_are_joined_and_repeated_ones_dropped(tmp_path):
    (tmp_path / "a").write_bytes(LINES[0] + LINES[1])
    (tmp_path / "b").write_bytes(LINES[1] + LINES[2])
    assert KeyLogs([tmp_path / "a", tmp_path / "b"]).all_lines() == b"".join(LINES[:3])


@pytest.mark.parametrize(
    "garbage",
    [
        b"# comment\n",
        b"\xff\xfe\n",
        b"CLIENT_RANDOM zz zz\n",
        b"\n",
        b"CLIENT_RANDOM " + b"ab" * 32 + b"\n",
    ],
)
def test_anything_else_is_left_out(tmp_path, garbage):
    (tmp_path / "log").write_bytes(garbage + LINES[0])
    assert KeyLogs([tmp_path / "log"]).all_lines() == LINES[0]


def test_a_log_that_is_not_there_yet_is_no_error(tmp_path):
    logs = KeyLogs([tmp_path / "log"])
    assert logs.new_lines() == b""
    (tmp_path / "log").write_bytes(LINES[0])
    assert logs.new_lines() == LINES[0]


def test_a_pipe_a_link_and_a_folder_in_its_place_stop_nobody(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert KeyLogs([tmp_path / name for name in ("pipe", "folder", "link")]).all_lines() == b""
