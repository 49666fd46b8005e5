import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import SetupError
from audit.sandbox.waiting import Lines, Tail, Watch


@pytest.fixture
def watch():
    made = Watch()
    yield made
    made.close()


@pytest.fixture
def pipe():
    near, far = os.pipe()
    return os.fdopen(near, "rb", buffering=0), os.fdopen(far, "wb", buffering=0)


def test_a_wait_in_vain_says_for_what_and_how_long(watch):
    with pytest.raises(SetupError, match=r"waited 0.01 s in vain for the moon"):
        watch.until(lambda: False, 0.01, "the moon")


def test_what_holds_already_is_not_waited_for(watch):
    watch.until(lambda: True, 0.0, "nothing")


@given(chunks=st.lists(st.binary(max_size=9), max_size=6))
def test_lines_come_whole_however_they_were_written(chunks):
    watch = Watch()
    near, far = os.pipe()
    found = []
    lines = Lines(watch, os.fdopen(near, "rb", buffering=0), found.append)
    for chunk in chunks:
        os.write(far, chunk)
        watch.turn(0)
    os.close(far)
    watch.until(lambda: lines.ended, 5, "the end")
    expected = b"".join(chunks).split(b"\n")
    assert found == (expected if expected[-1] else expected[:-1])
    watch.close()


def test_a_line_without_end_is_bounded(watch, pipe):
    near, far = pipe
    found = []
    lines = Lines(watch, near, found.append, bound=10)
    for _ in range(5):
        far.write(b"a" * 1000)
        watch.turn(0)
    far.close()
    lines.drain()
    assert found == [b"a" * 10]


def test_a_tail_keeps_the_last_words_and_no_control_characters(watch, pipe):
    near, far = pipe
    tail = Tail(watch, near, keep=30)
    far.write(b"x" * 100 + b"\n\x1b[31mred\x07\nthe end\n\n")
    assert tail.last_line() == "the end"
    assert "\x1b" not in tail.text()
    assert len(tail.text()) <= 30
    far.close()
    tail.close()


def test_what_a_program_prints_is_passed_on_as_it_comes(watch, pipe):
    near, far = pipe
    heard = []
    tail = Tail(watch, near, heard.append)
    far.write(b"one")
    watch.turn(1)
    far.write(b"two")
    watch.turn(1)
    assert heard == [b"one", b"two"]
    far.close()
    tail.close()
