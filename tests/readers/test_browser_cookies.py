"""How long cookies live, over visits between which time passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.readers.browser import read_browser
from tests.readers import browser_lines as made

DAY = 86_400.0


def cookies(folder: Path, *lines: dict[str, Any]) -> dict[str, Any]:
    found = read_browser(made.write(folder, *lines), "c").extract.rows["cookies"]
    return {str(row["name"]): row for row in found}


def aged(days: float, at: float) -> dict[str, Any]:
    return made.line("aged", at, visit=2, seconds=days * DAY)


def test_a_declared_life_is_not_lengthened_by_a_lagging_clock(tmp_path: Path) -> None:
    row = cookies(
        tmp_path, made.setting(f"a=1; Max-Age={int(183 * DAY)}", 1.0),
        made.cookie("a", 2.0, 183 * DAY + 1.02),
    )["a"]  # fmt: skip
    assert (row["lifetime"], row["lifetime_from_first_set"]) == (183 * DAY, 183 * DAY)
    assert (row["set_by"], row["renewed"], row["session_only"]) == ("header", False, False)


def test_a_cookie_of_which_nobody_told_lives_from_its_first_sighting(tmp_path: Path) -> None:
    row = cookies(tmp_path, made.cookie("a", 2.0, 2.0 + 10 * DAY))["a"]
    assert (row["lifetime"], row["set_by"]) == (10 * DAY, None)


def test_a_cookie_of_the_visit_alone_has_no_life_in_days(tmp_path: Path) -> None:
    row = cookies(tmp_path, made.cookie("s", 2.0, None))["s"]
    assert (row["session_only"], row["lifetime"]) == (True, None)


def test_a_cookie_that_is_renewed_lives_from_its_first_setting_on(tmp_path: Path) -> None:
    life = 160 * DAY
    row = cookies(
        tmp_path,
        made.setting(f"r=1; max-age={int(life)}", 1.0),
        made.cookie("r", 2.0, 1.0 + life),
        aged(31, 10.0),
        made.setting(f"r=1; max-age={int(life)}", 20.0, by="script"),
        made.cookie("r", 21.0, 20.0 + life, visit=2),
    )["r"]
    assert (row["renewed"], row["seen_visits"], row["lifetime"]) == (True, 2, life)
    assert row["lifetime_from_first_set"] == life + 31 * DAY + 19.0
    assert row["set_by"] == "script"


def test_a_cookie_that_only_grows_older_is_not_renewed(tmp_path: Path) -> None:
    life = 160 * DAY
    row = cookies(
        tmp_path,
        made.setting(f"r=1; max-age={int(life)}", 1.0),
        made.cookie("r", 2.0, 1.0 + life),
        aged(31, 10.0),
        made.cookie("r", 21.0, 1.0 + life - 31 * DAY, visit=2),
    )["r"]
    assert (row["renewed"], row["lifetime"], row["lifetime_from_first_set"]) == (False, life, life)
    assert row["seen_visits"] == 2


def test_a_cookie_that_ended_and_comes_again_is_another(tmp_path: Path) -> None:
    found = read_browser(
        made.write(
            tmp_path,
            made.setting("b=1; max-age=1800", 1.0), made.cookie("b", 2.0, 1801.0),
            aged(31, 10.0),
            made.setting("b=2; max-age=1800", 20.0), made.cookie("b", 21.0, 1820.0, visit=2),
        ),
        "c",
    ).extract.rows["cookies"]  # fmt: skip
    assert [(row["lifetime_from_first_set"], row["seen_visits"]) for row in found] == [
        (1800.0, 1), (1800.0, 1)
    ]  # fmt: skip


def test_cookies_of_one_name_on_two_domains_are_two(tmp_path: Path) -> None:
    found = read_browser(
        made.write(
            tmp_path, made.cookie("u", 1.0, DAY), made.cookie("u", 1.0, DAY, domain=".ads.example")
        ),
        "c",
    ).extract.rows["cookies"]
    assert {row["domain"] for row in found} == {"site.example", "ads.example"}


def test_a_cookie_that_was_set_and_never_kept_is_told(tmp_path: Path) -> None:
    path = made.write(
        tmp_path, made.setting("lost=1; max-age=99", 1.0), made.setting("gone=; max-age=0", 1.0)
    )
    (told,) = [text for text in read_browser(path, "c").extract.limits if "never found" in text]
    assert told == "1 cookies were set and never found stored: lost"
