import signal
import sys

import pytest

from audit.errors import SetupError
from audit.sandbox.program import Program, describe_exit
from tests.sandbox.places import job, python

pytestmark = pytest.mark.system


def start(box, code, **changes):
    return Program(box, "the test", job(python(code), "outside"), **changes)


def test_lines_are_heard_and_the_exit_code_is_known(plain):
    heard = []
    program = start(plain, "print('one'); print('two'); raise SystemExit(3)", on_line=heard.append)
    assert program.wait(20) == 3
    assert heard == [b"one", b"two"]
    program.close()


def test_failure_carries_the_last_words(plain):
    program = start(plain, "import sys; sys.exit('no room')")
    with pytest.raises(SetupError, match="the test ended with exit code 1: no room"):
        program.require_success(20)
    program.close()


def test_a_program_answers_on_its_input(plain):
    heard = []
    program = start(plain, "import sys\nfor line in sys.stdin: print(line.strip()[::-1], flush=True)",
                    keep_stdin=True, on_line=heard.append)  # fmt: skip
    program.say(b"abc\n")
    plain.watch.until(lambda: heard == [b"cba"], 20, "the answer")
    program.hang_up()
    assert program.wait(20) == 0
    program.say(b"nobody listens\n")
    program.close()


def test_a_program_that_will_not_end_is_killed(plain):
    program = start(plain, "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(99)",
                    on_line=lambda _: None)  # fmt: skip
    plain.watch.turn(5)
    plain.watch.turn(1)
    assert program.end(0.3) in {-signal.SIGKILL, -signal.SIGTERM}
    program.close()


def test_a_program_that_is_none_is_named(plain):
    with pytest.raises(SetupError, match="the test cannot be started: No such file") as caught:
        Program(plain, "the test", job(["/nowhere/program"], "outside"))
    assert caught.value.source == "/nowhere/program"


def test_our_ends_of_the_pipes_are_closed(plain):
    from tests.sandbox.places import open_files

    before = open_files()
    start(plain, "print(1)").close()
    assert open_files() == before


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with exit code 0"),
        (-9, "was ended by SIGKILL"),
        (-200, "was ended by signal 200"),
    ],
)
def test_exits_are_told_in_words(code, words):
    assert describe_exit(code) == words


def test_the_interpreter_is_ours(plain):
    heard = []
    start(plain, "import sys; print(sys.executable)", on_line=heard.append).require_success(20)
    assert heard == [sys.executable.encode()]
