"""What failing examples say is kept, and a change of it is told."""

from __future__ import annotations

import pytest

from audit.authoring.examples import run_examples
from audit.authoring.wording import FILE, changed_wording, wording_of, write_wording
from audit.checks.load import load_policy
from audit.checks.shipped import shipped_policies
from audit.errors import PolicyError
from tests.conftest import run_audit

from .making import CHECK, make_policy, write_policy


def results(folder, text=CHECK):
    return run_examples(make_policy(folder, text))


def test_the_messages_of_failing_examples_are_kept_by_check_and_example(tmp_path):
    said = wording_of(results(tmp_path / "p"))
    assert said.splitlines()[1:] == [
        "",
        "example.trackers",
        "  tracked",
        "    tracker.example was contacted",
    ]


def test_a_changed_message_is_told_at_its_line(tmp_path):
    folder = tmp_path / "p"
    found = results(folder)
    assert list(changed_wording(folder, found)) == [], "nothing is kept yet"
    write_wording(folder, found)
    assert list(changed_wording(folder, found)) == []
    other = results(tmp_path / "q", CHECK.replace("was contacted", "was met"))
    (problem,) = changed_wording(folder, other)
    assert (problem.code, problem.line) == ("E304", 5)
    assert problem.excerpt.strip() == "tracker.example was contacted"
    assert problem.message == "the examples now say: tracker.example was met"


def test_one_message_more_or_less_is_told_too(tmp_path):
    folder = tmp_path / "p"
    found = results(folder)
    write_wording(folder, found)
    assert "nothing" in next(changed_wording(folder, [])).message
    path = folder / FILE
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    (problem,) = changed_wording(folder, found)
    assert problem.line == 4


def test_what_cannot_be_read_or_written_is_told(tmp_path):
    folder = tmp_path / "p"
    found = results(folder)
    (folder / FILE).write_bytes(b"\xff")
    with pytest.raises(PolicyError, match="cannot be read"):
        list(changed_wording(folder, found))
    (folder / FILE).unlink()
    (folder / FILE).mkdir()
    with pytest.raises(PolicyError, match="cannot be written"):
        write_wording(folder, found)


def test_the_command_keeps_and_compares(tmp_path):
    folder = write_policy(tmp_path / "p", CHECK)
    assert run_audit("policy", "test", "--update", folder).code == 0
    assert run_audit("policy", "test", folder).code == 0
    check = folder / "checks" / "0.yaml"
    check.write_text(check.read_text().replace("was contacted", "was met"))
    ran = run_audit("policy", "test", folder)
    assert ran.code == 2
    assert "E304 the examples now say: tracker.example was met" in ran.err
    assert run_audit("policy", "test", "--update", folder).code == 0
    assert run_audit("policy", "test", folder).code == 0


@pytest.mark.parametrize("folder", shipped_policies(), ids=lambda path: path.name)
def test_the_shipped_policies_keep_their_messages(folder):
    found = run_examples(load_policy(folder))
    assert (folder / FILE).is_file()
    assert [problem.render() for problem in changed_wording(folder, found)] == []
