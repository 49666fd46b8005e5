"""What stands on a page: links, forms, files, a question of consent; found by no site's name."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from audit.errors import SetupError

ABOUT: Final = (
    r"cookie|consent|privacy|gdpr|tracking|datenschutz|einwilligung|confidentialit|privacidad"
    r"|consentimiento|riservatezza|integritet|samtycke|prywatno|toestemming"
)
"""Words that what asks for consent holds, as a pattern."""
BUTTON: Final = "button,[role=button],a,input[type=button],input[type=submit]"
"""CSS selector of what is clicked to answer."""
REFUSE: Final = re.compile(
    r"\b(reject|refuse|decline|deny|disagree|opt[ -]?out|necessary only|essential only|no,? thanks?"
    r"|only (?:the )?(?:strictly )?(?:necessary|essential|required)|without accepting"
    r"|ablehnen|nur (?:notwendige|erforderliche)|refuser|continuer sans|rechazar|rifiuta|avvisa"
    r"|neka|weigeren|odrzu)",
    re.IGNORECASE,
)
"""Words on a button that refuses, in the languages of most such questions."""
ACCEPT: Final = re.compile(
    r"\b(accept|agree|allow|i consent|got it|akzeptieren|zustimmen|einverstanden|accepter"
    r"|j.accepte|aceptar|accetta|godk|accepteren|akceptuj)",
    re.IGNORECASE,
)
"""Words on a button that accepts."""
FILE: Final = re.compile(
    r"\.(?:apk|aab|appimage|deb|rpm|dmg|pkg|exe|msi|msix|zip|7z|tar|tgz|gz|xz|bz2|iso|flatpak|snap"
    r"|pdf|csv|txt)$",
    re.IGNORECASE,
)
"""How the path of a file that is downloaded ends."""

FIND_BUTTONS: Final = """([about, button]) => {
  const asks = new RegExp(about, "i");
  const found = [];
  const shown = (e) => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0; };
  const walk = (root) => {
    for (const e of root.querySelectorAll("*")) {
      if (e.shadowRoot) walk(e.shadowRoot);
      if (!e.matches(button) || !shown(e)) continue;
      let box = e, why = false;
      for (let up = 0; box && up < 8 && !why; up += 1) {
        const style = getComputedStyle(box);
        const marked = asks.test((box.id || "") + " " + (box.getAttribute("class") || "")) ||
          /consent|cmp|onetrust|didomi|usercentrics|banner/i.test(box.id + " " + box.className) ||
          box.matches("dialog,[role=dialog],[role=alertdialog]") ||
          ["fixed", "sticky"].includes(style.position);
        why = marked && box !== document.body && asks.test((box.innerText || "").slice(0, 4000));
        box = box.parentElement || (box.getRootNode() && box.getRootNode().host) || null;
      }
      if (why) found.push((e.innerText || e.value || e.getAttribute("aria-label") || "").trim());
    }
  };
  walk(document);
  return found.slice(0, 100);
}"""
"""Texts of the buttons in what asks for consent."""
FIND_FORMS: Final = """() => [...document.forms].slice(0, 100).map((form) => ({
  action: form.action && String(form.action.baseVal || form.getAttribute("action") || ""),
  method: (form.getAttribute("method") || "get").toUpperCase(),
  fields: [...form.elements].slice(0, 100).map((f) => ({
    name: String(f.name || f.id || "").slice(0, 200), type: String(f.type || "") })),
}))"""
FIND_LINKS: Final = """() => [...document.querySelectorAll("a[href]")].slice(0, 5000).map((a) => ({
  url: a.href, file: a.hasAttribute("download") }))"""
EMAIL_FIELD: Final = (
    "input[type=email], input[name*=email i], input[id*=email i], input[placeholder*=e-mail i], "
    "input[placeholder*=email i], input[autocomplete=email]"
)
"""CSS selector of a field that asks for an address."""


def is_same_site(url: str, site: str) -> bool:
    """Whether an address belongs to a site: its host, the same without ``www.``, or one below."""
    host = (_split(url).hostname or "").removeprefix("www.")
    own = site.removeprefix("www.")
    return host == own or host.endswith("." + own)


def plain_url(url: str) -> str:
    """Return an address without its fragment."""
    return url.partition("#")[0]


def pages_among(links: list[dict[str, Any]], site: str) -> list[str]:
    """Return the pages of the site among links, in order, each once; no files."""
    found = []
    for link in links:
        url = plain_url(str(link["url"]))
        parts = _split(url)
        if (
            parts.scheme in {"http", "https"}
            and is_same_site(url, site)
            and not link["file"]
            and not FILE.search(parts.path)
        ):
            found.append(url)
    return list(dict.fromkeys(found))


def file_among(links: list[dict[str, Any]]) -> str | None:
    """Return the first link to a file; ``None``: none."""
    for link in links:
        url = str(link["url"])
        parts = _split(url)
        if parts.scheme in {"http", "https"} and (link["file"] or FILE.search(parts.path)):
            return url
    return None


def answer_among(texts: list[str], wanted: str) -> str | None:
    """Return the text of the button that accepts or refuses; ``None``: no such button."""
    words = ACCEPT if wanted == "accept" else REFUSE
    for text in texts:
        if words.search(text) and not (wanted == "accept" and REFUSE.search(text)):
            return text
    return None


def asks_for_consent(texts: list[str]) -> bool:
    """Whether buttons are those of a question: one of them accepts or refuses."""
    return any(ACCEPT.search(text) or REFUSE.search(text) for text in texts)


def absolute(page: str, start: str) -> str:
    """Return the address of what a page or steps name; raises :class:`SetupError`."""
    try:
        return urljoin(start, page)
    except ValueError:
        raise SetupError(f"{page[:80]!r} is no address") from None


def _split(url: str) -> SplitResult:
    """Return the parts of an address; all are empty where a page wrote what is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
