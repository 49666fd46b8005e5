import subprocess
import threading

import pytest

from audit.errors import SetupError
from audit.record.environment import environment_folder, prepare_environment

NOTHING = "# this client needs nothing\n"


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "my-client"
    folder.mkdir()
    (folder / "requirements.txt").write_text(NOTHING)
    return folder


@pytest.mark.system
def test_an_environment_is_made_once_even_side_by_side_and_a_half_made_one_again(target, tmp_path):
    cache, found = tmp_path / "cache", []
    threads = [
        threading.Thread(target=lambda: found.append(prepare_environment(target, cache)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    python = found[0]
    assert found == [python, python]
    run = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == str(python.parent.parent)
    (python.parent.parent / "stray").touch()
    assert prepare_environment(target, cache) == python
    assert (python.parent.parent / "stray").exists()
    (python.parent.parent / ".complete").unlink()
    assert prepare_environment(target, cache) == python
    assert not (python.parent.parent / "stray").exists()


@pytest.mark.system
def test_requirements_without_hashes_are_refused_in_one_sentence(target, tmp_path):
    (target / "requirements.txt").write_text("no-hash-given==1.0\n")
    with pytest.raises(
        SetupError, match="the client's packages cannot be installed: ERROR"
    ) as caught:
        prepare_environment(target, tmp_path / "cache")
    assert caught.value.source == str(target / "requirements.txt")
    assert "\n" not in str(caught.value)
    folder = environment_folder(target, tmp_path / "cache")
    assert not (folder / ".complete").exists()


def test_other_requirements_make_another_environment(target, tmp_path):
    one = environment_folder(target, tmp_path)
    assert one.name.startswith("my-client-")
    assert environment_folder(target, tmp_path) == one
    (target / "requirements.txt").write_text(NOTHING + "# nor this\n")
    assert environment_folder(target, tmp_path) != one


def test_missing_requirements_are_named(tmp_path):
    with pytest.raises(SetupError, match="No such file") as caught:
        prepare_environment(tmp_path / "nowhere", tmp_path / "cache")
    assert caught.value.source.endswith("requirements.txt")
    assert not (tmp_path / "cache").exists()
