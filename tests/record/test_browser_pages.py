"""What is found on a page by no site's name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import SetupError
from audit.record import browser_pages as pages


def link(url: str, *, file: bool = False) -> dict[str, object]:
    return {"url": url, "file": file}


def test_pages_are_those_of_the_site_without_files_and_fragments() -> None:
    links = [
        link("https://www.site.example/a#top"), link("https://site.example/a"),
        link("https://docs.site.example/"), link("https://other.example/"),
        link("https://evil-site.example/"), link("mailto:x@site.example"),
        link("https://site.example/app.AppImage"), link("https://site.example/get", file=True),
        link("https://site.example/a#else"),
    ]  # fmt: skip
    assert pages.pages_among(links, "site.example") == [
        "https://www.site.example/a", "https://site.example/a", "https://docs.site.example/",
    ]  # fmt: skip


def test_a_file_is_told_by_its_ending_or_by_the_link() -> None:
    page = link("https://site.example/download")
    assert pages.file_among([page]) is None
    assert pages.file_among([page, link("https://cdn.example/x.deb?v=1")]) == (
        "https://cdn.example/x.deb?v=1"
    )
    assert pages.file_among([link("https://site.example/get", file=True)])
    assert pages.file_among([link("javascript:save()", file=True)]) is None


def test_answers_are_told_apart_in_several_languages() -> None:
    for accept, refuse in (
        ("Accept all", "Reject all"), ("Alle akzeptieren", "Ablehnen"),
        ("Tout accepter", "Continuer sans accepter"), ("Aceptar", "Rechazar todo"),
        ("I agree", "Only necessary cookies"), ("Allow all", "No, thanks"),
    ):  # fmt: skip
        texts = ["Settings", accept, refuse]
        assert pages.asks_for_consent(texts)
        assert pages.answer_among(texts, "accept") == accept
        assert pages.answer_among(texts, "refuse") == refuse


def test_other_buttons_are_no_question() -> None:
    texts = ["Home", "Download", "Subscribe", "Learn more"]
    assert not pages.asks_for_consent(texts)
    assert pages.answer_among(texts, "refuse") is None
    assert pages.answer_among(["Continue without accepting"], "accept") is None


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_text_of_links_is_taken(texts: list[str]) -> None:
    links = [link(text) for text in texts]
    assert isinstance(pages.pages_among(links, "site.example"), list)


def test_what_is_no_address_leads_nowhere() -> None:
    broken = link("https://[site.example/x.deb", file=True)
    assert pages.pages_among([broken], "site.example") == []
    assert pages.file_among([broken]) is None
    assert pages.absolute("b", "https://site.example/a") == "https://site.example/b"
    with pytest.raises(SetupError):
        pages.absolute("https://[site.example/", "https://site.example/")
