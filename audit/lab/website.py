"""A website shaped like the audited one: files for a real nginx, and the programs behind it.

Two variants: one keeps its promises, one breaks each of them where the recorder looks.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from audit.lab.addresses import ANALYTICS_NAME, MAIL_API_NAME
from audit.lab.messages import Request, Response, ask, find_header
from audit.lab.witness import Witness

VISITOR_COOKIE: Final = "visitor"
THIRTEEN_MONTHS_S: Final = 395 * 86_400
STORAGE_KEY: Final = "uid"
FILE_NAME: Final = "messenger-linux.AppImage"
LIST_ID: Final = "5f1c0d6e8a7b4c3d9e2f"
"""Id of the mailing list at the stand-in of the list manager."""
_HEAD: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    "<meta name=viewport content='width=device-width'>"
    "<link rel=stylesheet href=/style.css><link rel=icon href=data:,>"
    "<nav><a href=/>Home</a> <a href=/download.html>Download</a> <a href=/faq.html>FAQ</a></nav>"
)
_FORM: Final = (
    "<form method={method} action=/api/email/newsletter><label>E-mail"
    " <input type=email name=email required></label><button type=submit>Subscribe</button></form>"
)
_BANNER: Final = """
<div id=cookie-banner role=dialog style="position:fixed;bottom:0;background:#eee">
<p>We use cookies.</p><button id=yes>Accept all</button><button id=no>Reject all</button></div>
<script>for (const id of ["yes", "no"]) document.getElementById(id).onclick = () => {
  document.cookie = "consent=" + id + "; max-age=" + 30 * 86400 + "; path=/";
  document.getElementById("cookie-banner").remove(); };
if (document.cookie.includes("consent="))
  document.getElementById("cookie-banner").remove();
</script>
"""
_TRACKING: Final = f"""
if (!localStorage.getItem("{STORAGE_KEY}"))
  localStorage.setItem("{STORAGE_KEY}", crypto.randomUUID());
const canvas = document.createElement("canvas");
const pen = canvas.getContext("2d");
pen.font = "16px serif"; pen.fillText("Sphinx of black quartz", 2, 20);
const picture = canvas.toDataURL();
const beat = new Image();
beat.src = "https://{ANALYTICS_NAME}/collect?len=" + picture.length + "&uid=" +
  localStorage.getItem("{STORAGE_KEY}");
addEventListener("input", (event) => {{
  if (event.target.type !== "email" || !event.target.value.endsWith(".org")) return;
  new Image().src = "https://metrics.example/typed?v=" + btoa(event.target.value);
}});
"""


def page_texts(*, violating: bool) -> dict[str, str]:
    """Return the site's files by their names."""
    more = f"{_BANNER}<script src=/tracking.js></script>" if violating else ""
    form = _FORM.format(method="get" if violating else "post")
    pages = {
        "index.html": ("A private messenger", f"<h1>Send messages, not metadata</h1>{form}"),
        "download.html": (
            "Download",
            f"<h1>Download</h1><a href=/files/{FILE_NAME} download>Linux</a>",
        ),
        "faq.html": ("FAQ", "<h1>Questions</h1><p>No account, no number.</p>"),
        "thanks.html": ("Thank you", "<h1>Check your inbox to confirm</h1>"),
    }
    found = {name: _HEAD.format(title=title) + body + more for name, (title, body) in pages.items()}
    found["style.css"] = "body { font-family: sans-serif }"
    found[f"files/{FILE_NAME}"] = "#!/bin/sh\nexit 0\n"
    if violating:
        found["tracking.js"] = _TRACKING
    return found


def write_pages(folder: Path, *, violating: bool) -> None:
    """Write the site's files below a folder."""
    for name, text in page_texts(violating=violating).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Newsletter:
    """The site's own program behind nginx: takes an address and hands it to the list manager."""

    witness: Witness
    mail_api: tuple[str, int]
    """Address and port of the list manager's API."""

    async def answer(self, request: Request) -> Response:
        """Take the form; the answer leads to the page of thanks."""
        fields = parse_qs(request.query or request.body.decode("utf-8", "replace"))
        email = (fields.get("email") or [""])[0]
        status = await self._hand_over(email) if "@" in email else 400
        answer = Response(status=303, headers=(("Location", "/thanks.html"),))
        if status >= 300:
            answer = Response(status=502, body=b"The list manager took nothing.\n")
        return self.witness.request(request, answer)

    async def _hand_over(self, email: str) -> int:
        """Subscribe at the list manager (``POST /api/v3.3/subscribers/LIST.json``)."""
        body = json.dumps({"EmailAddress": email, "Resubscribe": True, "ConsentToTrack": "No"})
        head = (
            f"POST /api/v3.3/subscribers/{LIST_ID}.json HTTP/1.1\r\nHost: {MAIL_API_NAME}\r\n"
            "Content-Type: application/json\r\nAuthorization: Basic bGFiOng=\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return (await ask(self.mail_api, (head + body).encode())).status


@dataclass(frozen=True, slots=True)
class MailApi:
    """Stand-in of Campaign Monitor's API: takes subscribers as its documentation says."""

    witness: Witness

    async def answer(self, request: Request) -> Response:
        """Answer 201 with the address, 401 without a key, 400 without an address."""
        known = find_header(request.headers, "authorization").startswith("Basic ")
        try:
            email = json.loads(request.body)["EmailAddress"]
        except (ValueError, KeyError, TypeError):
            email = None
        kind = (("Content-Type", "application/json"),)
        if not known:
            found = Response(status=401, body=b'{"Code":50}', headers=kind)
        elif request.method != "POST" or not isinstance(email, str) or "@" not in email:
            found = Response(status=400, body=b'{"Code":1}', headers=kind)
        else:
            found = Response(status=201, body=json.dumps(email).encode(), headers=kind)
        return self.witness.request(request, found)


def visitor_header() -> tuple[str, str]:
    """Return the header that numbers a visitor for thirteen months."""
    number = secrets.token_hex(16)
    return (
        "Set-Cookie",
        f"{VISITOR_COOKIE}={number}; Path=/; Max-Age={THIRTEEN_MONTHS_S}; Secure; SameSite=Lax",
    )
