"""The lab's web site: pages, a password, an archive; and what it learned of each visitor."""

import base64

import pytest

from audit.lab.addresses import LISTED_TRACKER
from audit.lab.site import COOKIE_LIFE_S
from tests.lab.conftest import RunningLab

PLACE = "site.example:80"


@pytest.mark.parametrize("tls", [False, True])
def test_the_quiet_page_loads_nothing_and_sets_nothing(lab: RunningLab, tls: bool) -> None:
    place = "site.example:443" if tls else PLACE
    status, body, headers = lab.ask(place, "GET", "/", tls=tls)
    assert status == 200
    assert b"http" not in body
    assert "set-cookie" not in headers


def test_the_tracking_page_names_a_listed_tracker_and_sets_a_lasting_cookie(
    lab: RunningLab,
) -> None:
    status, body, headers = lab.ask(PLACE, "GET", "/tracked")
    assert status == 200
    assert f"//{LISTED_TRACKER}/".encode() in body
    assert f"Max-Age={COOKIE_LIFE_S}" in headers["set-cookie"]


def test_two_visitors_get_two_cookies(lab: RunningLab) -> None:
    cookies = {lab.ask(PLACE, "GET", "/tracked")[2]["set-cookie"] for _ in range(2)}
    assert len(cookies) == 2


def test_the_account_asks_for_a_password_and_notes_it(lab: RunningLab) -> None:
    assert lab.ask(PLACE, "GET", "/account")[0] == 401
    word = "Basic " + base64.b64encode(b"ada:sesame").decode()
    assert lab.ask(PLACE, "GET", "/account", headers={"Authorization": word})[0] == 200
    (row,) = lab.wait_learned(standin="site", path="/account", status=200)
    assert ["Authorization", word] in row["headers"]


def test_the_archive_has_a_release_and_an_index(lab: RunningLab) -> None:
    release = lab.ask(PLACE, "GET", "/debian/./Release")[1]
    assert b"SHA256:" in release
    assert lab.ask(PLACE, "GET", "/debian/./Packages")[0] == 200
    assert lab.ask(PLACE, "GET", "/debian/./InRelease")[0] == 404


def test_nothing_else_is_there_and_nothing_is_taken(lab: RunningLab) -> None:
    assert lab.ask(PLACE, "GET", "/else")[0] == 404
    assert lab.ask(PLACE, "POST", "/", b"x")[0] == 405
