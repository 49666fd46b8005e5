import errno
import resource
import signal
import subprocess
import sys

import pytest

from audit.bundle.whole_records import WholeRecords, cannot_write


def test_records_are_there_at_once(tmp_path):
    file = WholeRecords(tmp_path / "f")
    file.append(b"one\n")
    assert (tmp_path / "f").read_bytes() == b"one\n"
    file.append(b"two\n")
    file.close()
    assert (tmp_path / "f").read_bytes() == b"one\ntwo\n"
    assert file.count == 2


def test_a_file_is_continued(tmp_path):
    for record in (b"one", b"two"):
        file = WholeRecords(tmp_path / "f")
        file.append(record)
        file.close()
    assert (tmp_path / "f").read_bytes() == b"onetwo"


def test_a_record_that_does_not_fit_leaves_nothing_of_itself(tmp_path):
    """The limit of a file's size stops the kernel in the middle of the record."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    code = (
        "import sys\nfrom pathlib import Path\nfrom audit.bundle.whole_records import WholeRecords\n"
        "file = WholeRecords(Path(sys.argv[1]))\nfile.append(b'1234567')\n"
        "try:\n    file.append(b'89abcdef')\nexcept OSError as error:\n    print(error.errno)\n"
    )
    run = subprocess.run(
        [sys.executable, "-B", "-c", code, str(tmp_path / "f")], preexec_fn=limit,
        env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert int(run.stdout) == errno.EFBIG
    assert (tmp_path / "f").read_bytes() == b"1234567"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "the disk is full, x.bin is cut short"),
        (errno.EIO, "x.bin cannot be written: Input/output error"),
    ],
)
def test_why_is_said_in_one_sentence(number, sentence):
    import os

    assert cannot_write("x.bin", OSError(number, os.strerror(number))) == sentence
