"""Steps of a recorded browser: read with defaults, refused with a place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit.yamlfile.problem import PolicyFileError
from audit.yamlfile.steps import StepsFile, default_steps, load_steps

ROOT = Path(__file__).resolve().parents[2]


def written(folder: Path, text: str) -> Path:
    path = folder / "steps.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_steps_of_the_documentation_load(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "website.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    steps = load_steps(written(tmp_path, block))
    names = [next(iter(step.model_fields_set)) for step in steps.steps]
    assert names == ["visit", "follow", "subscribe", "click", "wait", "download", "revisit"]
    assert steps.consent.refuse == "#cookie-settings .reject"


def test_without_a_file_everything_is_done_once() -> None:
    names = [next(iter(step.model_fields_set)) for step in default_steps().steps]
    assert names == ["visit", "follow", "subscribe", "download", "revisit"]


def test_steps_survive_the_way_to_the_driver() -> None:
    steps = default_steps()
    plain = steps.model_dump(by_alias=True, exclude_unset=True)
    assert StepsFile.model_validate(plain) == steps


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("schema: audit/steps@1\nsteps:\n  - {visit: /, wait: 2s}\n", ":3:5", "exactly one key"),
        ("schema: audit/steps@1\nsteps:\n  - {}\n", ":3:5", "exactly one key"),
        ("schema: audit/steps@1\nsteps:\n  - {vist: /}\n", ":3:6", "vist"),
        ("schema: audit/steps@1\nsteps:\n  - {wait: soon}\n", ":3:12", "duration"),
        ("schema: audit/steps@1\nsteps:\n  - {follow: {depth: 99}}\n", ":3:22", "99"),
        ("schema: audit/steps@9\nsteps: []\n", ":1:9", "audit/steps@1"),
        ("schema: audit/steps@1\nsteps: []\n", ":2:8", ""),
        ("schema: audit/steps@1\nsteps:\n  - {revisit: {after: 1 month}}\n", ":3:23", "183d"),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, text: str, place: str, said: str) -> None:
    with pytest.raises(PolicyFileError) as caught:
        load_steps(written(tmp_path, text))
    told = "\n".join(problem.render() for problem in caught.value.problems)
    assert f"steps.yaml{place}" in told
    assert said in told
