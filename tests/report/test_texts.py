import re
from pathlib import Path

import pytest

from audit.report import texts
from audit.report.sentence import MARKS
from audit.report.texts import catalogue, count, meaning, say
from audit.tables import vocabulary

ROOM = Path(texts.__file__).parent
SOURCES = "".join(
    p.read_text(encoding="utf-8") for p in [*ROOM.glob("*.py"), *ROOM.glob("templates/*.j2")]
)
CHOSEN = {
    "outcome", "outcome_lower", "outcome_meaning", "severity", "status", "column", "part", "vantage", "transport",
    "content", "pass", "terms", "gate", "section", "place", "method", "open", "coverage", "period",
    "kind", "form", "baseline", "disposition", "process", "flow",
}  # fmt: skip
"""Groups whose keys are chosen by a value."""


def said() -> set[str]:
    fixed = set(re.findall(r"""\b(?:say|t|n|count)\(\s*["']([a-z_]+(?:\.[\w.-]+)?)["']""", SOURCES))
    either = re.findall(
        r"""\b(?:say|t)\(['"]([a-z_.]+)['"] if [^)]*? else ['"]([a-z_.]+)['"]\)""", SOURCES
    )
    return fixed | {key for pair in either for key in pair}


def test_every_text_that_is_said_exists():
    known = set(catalogue()) | {
        key.removesuffix(".one") for key in catalogue() if key.endswith(".one")
    }
    assert said() - known == set()


def test_no_text_is_left_unsaid():
    used = said()
    unsaid = [
        key
        for key in catalogue()
        if key.removesuffix(".one").removesuffix(".other") not in used
        and key.partition(".")[0] not in CHOSEN
    ]
    assert unsaid == []


def test_what_is_counted_has_one_and_other():
    assert not [
        key
        for key in catalogue()
        if key.endswith(".one") and key[:-4] + ".other" not in catalogue()
    ]


@pytest.mark.parametrize("group", ["outcome", "outcome_lower", "outcome_meaning"])
def test_every_mark_has_its_words(group):
    assert {
        key.removeprefix(group + ".") for key in catalogue() if key.startswith(group + ".")
    } == set(MARKS)


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("transport", vocabulary.Transport.__args__), ("content", vocabulary.Content.__args__), ("pass", vocabulary.Pass.__args__),
        ("vantage", vocabulary.Vantage.__args__), ("severity", vocabulary.SEVERITIES), ("gate", ("0", "1", "4", "5")),
        ("kind", vocabulary.KINDS), ("form", vocabulary.FORMS), ("process", vocabulary.Process.__args__),
    ],
)  # fmt: skip
def test_every_word_of_a_closed_vocabulary_has_its_meaning(group, words):
    assert not [word for word in words if f"{group}.{word}" not in catalogue()]


def test_unknown_words_stay_as_they_are():
    assert meaning("vantage", "satellite") == "satellite"


def test_values_are_filled_in_and_never_read_as_a_pattern():
    assert say("page.third_party", client="{0.__class__}").startswith("{0.__class__} is")
    assert count("summary.unchecked", 1) == "one sentence of the policy"
    assert count("summary.unchecked", 1200) == "1,200 sentences of the policy"
