"""The fuzzing itself: it knows every reader, does what its seed says, and finds planted faults."""

import json
import random
import re
import subprocess
import sys

import pytest

from audit.errors import CaptureError
from audit.readers.inputs import INPUTS
from fuzz.child import fitting, judge
from fuzz.corpus import load, made
from fuzz.entries import ENTRIES, Entry, entry
from fuzz.mutations import MUTATIONS, mutate, split_records
from tests.conftest import ROOT

SLOW = ("import-", "bundle-", "identity", "search")
"""Entries that compile a search: a few cases, the others many."""


def test_every_kind_of_file_is_read_and_imported():
    names = {one.name for one in ENTRIES}
    for kind in INPUTS:
        stem = kind.place.partition(".")[0]
        assert {f"read-{stem}", f"import-{stem}"} <= names


def test_every_reader_of_a_file_is_reached_by_some_entry():
    """A public ``read_x(path, ...)`` of the readers and the bundle is named in the entries."""
    text = (ROOT / "fuzz" / "entries.py").read_text() + (
        ROOT / "audit/readers/inputs.py"
    ).read_text()
    missing = [
        f"{path.name}: {name}"
        for room in ("readers", "bundle")
        for path in sorted((ROOT / "audit" / room).glob("*.py"))
        for name in re.findall(r"^def (read_\w+)\(path", path.read_text(), re.MULTILINE)
        if name not in text and path.stem.upper() not in text
    ]
    assert not missing


@pytest.mark.parametrize("name", [one.name for one in ENTRIES])
def test_damaged_files_give_rows_or_the_documented_error(name):
    files = load(None)
    read = entry(name)
    pool = list(files.values())
    for number in range(4 if name.startswith(SLOW) else 25):
        draw = random.Random(f"{name}/{number}")
        data = mutate(draw, files[draw.choice(fitting(read, files))], pool)
        assert judge(read, data) is None, (name, number)


def test_the_same_seed_does_the_same_damage_and_every_mutation_damages():
    files = made()
    data = files["streams.pcap"]
    pool = sorted(files.values())
    assert mutate(random.Random(7), data, pool) == mutate(random.Random(7), data, pool)
    for change in MUTATIONS:
        assert any(change(random.Random(n), bytearray(data), pool[0]) != data for n in range(9))


@pytest.mark.parametrize("name", ["streams.pcap", "journal.jsonl", "http.bin"])
def test_records_put_together_again_are_the_file(name):
    data = made()[name]
    assert b"".join(split_records(data)) == data


def test_a_fault_is_told_with_its_place_and_a_documented_error_is_none():
    def fail(_: bytes) -> None:
        raise ZeroDivisionError("boom")

    def refuse(_: bytes) -> None:
        raise CaptureError("no capture")

    assert "ZeroDivisionError: boom" in judge(Entry("x", fail), b"")
    assert judge(Entry("x", refuse), b"") is None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("bytes(2 << 30)", "more than 768 MiB"),
        ("any(n < 0 for n in iter(int, 1))", "more than 1 s"),
    ],
)
def test_memory_and_time_of_a_case_are_bounded(code, said):
    program = f"""
from fuzz import child
from fuzz.entries import Entry
child.SECONDS = 1
child.bound()
print(child.judge(Entry("x", lambda data: {code}), b""))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=100,
        check=True,
    )  # fmt: skip
    assert said in done.stdout


def test_a_child_counts_its_cases(tmp_path):
    command = [sys.executable, "-m", "fuzz.child", "--seed", "1", "--seconds", "1"]
    done = subprocess.run(
        [*command, "--found", tmp_path, "--entries", "journal yaml dns"], cwd=ROOT, check=False,
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told["cases"]) == {"journal", "yaml", "dns"}
    assert min(told["cases"].values()) > 0
    assert not list(tmp_path.iterdir())
