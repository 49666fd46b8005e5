"""A probe on real connections of loopback: what is sent, and which answers count."""

from __future__ import annotations

import json
import socket
import threading
import time
from urllib.parse import parse_qsl

import pytest

from audit.errors import UsageError
from audit.record import probe
from audit.record.probe import Form, ask, checked, origin, tagged
from tests.record.sites import Site, certificate

TOKEN = "ab" * 16


@pytest.fixture
def site():
    with Site() as made:
        yield made


def test_a_tagged_request_holds_the_token_in_its_path(site):
    answer = ask(tagged(checked(f"{site.url}/blog/?a=b#part"), TOKEN))
    assert (answer.status, answer.problem) == (404, "")
    assert [(one.method, one.path) for one in site.requests] == [("GET", f"/blog/{TOKEN}?a=b")]
    assert "cookie" not in site.requests[0].headers


@pytest.mark.parametrize("status", [200, 204, 401, 404, 405, 410])
def test_an_answer_of_the_server_itself_counts(site, status):
    site.answers["/"] = (status, {})
    assert ask(checked(f"{site.url}/")) == probe.Answer(status=status)


@pytest.mark.parametrize("status", [301, 308, 400, 403, 429, 500, 502, 503, 522])
def test_an_answer_that_another_may_have_given_does_not_count(site, status):
    site.answers["/"] = (status, {"Location": "/elsewhere"})
    answer = ask(checked(f"{site.url}/"))
    assert answer.status == status
    assert f"answered {status}" in answer.problem
    assert len(site.requests) == 1


def test_no_redirect_is_followed_and_a_form_on_another_scheme_was_not_taken(site):
    with Site() as other:
        site.answers["/add"] = (302, {"Location": f"{other.url}/add/"})
        answer = ask(checked(f"{site.url}/add"), Form(fields=(("e", "a@b.example"),)))
        assert "leads to http://127.0.0.1, which was not followed" in answer.problem
        site.answers["/add"] = (302, {"Location": f"{other.url}/thanks"})
        taken = ask(checked(f"{site.url}/add"), Form(fields=(("e", "a@b.example"),)))
        assert (taken.status, taken.problem) == (302, "")
        assert not other.requests


@pytest.mark.parametrize("place", ["", "//[", "http://[::1"])
def test_a_redirect_to_nowhere_does_not_count(site, place):
    site.answers["/add"] = (303, {"Location": place})
    assert ask(checked(f"{site.url}/add"), Form()).problem


def test_fields_go_out_as_the_form_has_them(site):
    fields = (("mail", "canary+1@mail.example"), ("lang", "de"))
    url = checked(f"{site.url}/add?list=7")
    site.answers["/add"] = (200, {})
    for form in (
        Form(fields=fields),
        Form(fields=fields, as_json=True),
        Form(fields=fields, in_query=True),
        Form(),
    ):
        assert not ask(url, form).problem
    posted, as_json, asked, link = site.requests
    assert posted.method == as_json.method == "POST"
    assert dict(parse_qsl(posted.body.decode())) == dict(fields)
    assert json.loads(as_json.body) == dict(fields)
    assert (asked.method, dict(parse_qsl(asked.path.partition("?")[2]))) == (
        "GET",
        {"list": "7"} | dict(fields),
    )
    assert (link.method, link.path) == ("GET", "/add?list=7")


def test_a_page_without_the_expected_text_does_not_count(site):
    site.answers["/add"] = (200, {}, b"Danke, fast fertig")
    url = checked(f"{site.url}/add")
    assert not ask(url, Form(), "fast fertig").problem
    assert "expected text" in ask(url, Form(), "thank you").problem
    assert "thank you" not in ask(url, Form(), "thank you").problem


def test_https_is_verified(tmp_path, monkeypatch):
    file = certificate(tmp_path)
    with Site(file) as site:
        assert "TLS failed" in ask(checked(f"{site.url}/")).problem
        assert not site.requests
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert ask(checked(f"{site.url}/")).status == 404
        assert len(site.requests) == 1


def test_proxies_of_the_environment_are_not_used(site, monkeypatch):
    with Site() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        ask(checked(f"{site.url}/"))
        assert (len(site.requests), len(proxy.requests)) == (1, 0)


def served(data: bytes, pause_s: float = 0):
    """One connection that is answered with bytes, one after the other."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with listener, connection:
            connection.recv(65536)
            try:
                for byte in data:
                    connection.send(bytes([byte]))
                    time.sleep(pause_s)
            except OSError:
                return

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return checked(f"http://127.0.0.1:{listener.getsockname()[1]}/"), thread


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"canary@mail.example\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 ok\r\n" + b"a: b\r\n" * 200,
    ],
)
def test_what_is_no_http_is_no_answer_and_is_not_repeated(data):
    url, thread = served(data)
    answer = ask(url)
    thread.join(5)
    assert answer.status is None
    assert answer.problem
    assert "canary" not in answer.problem


def test_an_answer_that_drips_is_ended(monkeypatch):
    monkeypatch.setattr(probe, "TIMEOUT_S", 0.4)
    url, thread = served(b"HTTP/1.1 200 " + b"o" * 60, 0.05)
    began = time.monotonic()
    assert ask(url).status is None
    assert time.monotonic() - began < 2
    thread.join(5)


def test_nobody_there_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "refused" in ask(checked(f"http://127.0.0.1:{port}/")).problem


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("site.example", "http://"),
        ("ftp://site.example/", "http://"),
        ("http:///path", "name a host"),
        ("http://me:secret@site.example/", "user or password"),
        ("http://site.example:99999/", "no URL"),
        ("http://[::1/", "no URL"),
        ("http://site.example/a b", "space"),
        ("http://site.example/a\x7fb", "control"),
        ("http://" + "a" * 70 + ".example/", "no URL"),
    ],
)
def test_what_is_no_url_is_refused(url, why):
    with pytest.raises(UsageError, match=why) as caught:
        checked(url)
    assert "secret" not in str(caught.value)


def test_letters_beyond_ascii_are_encoded():
    url = checked("https://müller.example:8443/ä?q=ö%20")
    assert origin(url) == "https://xn--mller-kva.example:8443"
    assert (url.path, url.query) == ("/%C3%A4", "q=%C3%B6%20")
    assert origin(checked("http://[::1]:80/")) == "http://[::1]:80"
