"""The lab's website: real nginx behind the edge, in two variants; and what is handed on."""

from __future__ import annotations

import json

import pytest

from audit.lab.edge import find_nginx
from audit.lab.website import (
    FILE_NAME,
    LIST_ID,
    STORAGE_KEY,
    THIRTEEN_MONTHS_S,
    VISITOR_COOKIE,
    page_texts,
)
from tests.lab.conftest import RunningLab

CLEAN = "getsession.org"
VIOLATING = "next.getsession.org"


@pytest.fixture
def served(lab: RunningLab) -> RunningLab:
    if find_nginx() is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    return lab


def ask(lab: RunningLab, host: str, method: str, path: str, **more: object):
    return lab.ask(f"{host}:443", method, path, headers={"Host": host}, tls=True, **more)  # type: ignore[arg-type]


def test_the_variants_differ_in_what_breaks_promises_alone() -> None:
    clean, violating = page_texts(violating=False), page_texts(violating=True)
    assert set(violating) - set(clean) == {"tracking.js"}
    assert "<script" not in "".join(clean.values())
    for planted in (STORAGE_KEY, "toDataURL", "stats.getsession.org", "metrics.example"):
        assert planted in violating["tracking.js"]


def test_nginx_answers_behind_the_edge_with_its_marks(served: RunningLab) -> None:
    status, body, headers = ask(served, CLEAN, "GET", "/")
    assert status == 200
    assert b"Send messages" in body
    assert headers["server"] == "cloudflare"
    assert headers["cf-ray"].endswith("-FRA")
    assert headers["set-cookie"].startswith("__cf_bm=")
    assert "Max-Age=1800" in headers["set-cookie"]
    assert ask(served, CLEAN, "GET", f"/files/{FILE_NAME}")[1].startswith(b"#!/bin/sh")
    assert ask(served, CLEAN, "GET", "/nothing")[0] == 404


def test_only_one_variant_numbers_its_visitors(served: RunningLab) -> None:
    status, body, headers = ask(served, VIOLATING, "GET", "/")
    assert status == 200
    assert b"tracking.js" in body
    assert f"{VISITOR_COOKIE}=" in headers["set-cookie"]
    assert f"Max-Age={THIRTEEN_MONTHS_S}" in headers["set-cookie"]
    assert VISITOR_COOKIE not in ask(served, CLEAN, "GET", "/")[2]["set-cookie"]
    assert b"tracking" not in ask(served, CLEAN, "GET", "/")[1]


def test_an_address_is_handed_to_the_list_manager(served: RunningLab) -> None:
    status, _, headers = ask(
        served, CLEAN, "POST", "/api/email/newsletter", body=b"email=ada%40example.org"
    )
    assert (status, headers["location"]) == (303, "/thanks.html")
    path = f"/api/v3.3/subscribers/{LIST_ID}.json"
    (row,) = served.wait_learned(standin="mail-api", path=path)
    assert row["status"] == 201


def test_the_list_manager_wants_a_key_and_an_address(served: RunningLab) -> None:
    place, path = "api.createsend.com:80", "/api/v3.3/subscribers/x.json"
    body = json.dumps({"EmailAddress": "ada@example.org"}).encode()
    key = {"Authorization": "Basic eDo="}
    assert served.ask(place, "POST", path, body)[0] == 401
    assert served.ask(place, "POST", path, b"{}", key)[0] == 400
    assert served.ask(place, "POST", path, body, key)[0] == 201
