"""A small web site: quiet pages, a page that tracks, one behind a password, and a package archive.

For auditing programs that are no messenger: a browser, a downloader, a package manager.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from audit.lab.addresses import LISTED_TRACKER
from audit.lab.messages import Headers, Request, Response, find_header
from audit.lab.witness import Witness

QUIET: Final = b"<!doctype html><meta charset=utf-8><title>Quiet</title><p>Nothing to load.\n"
TRACKED: Final = (
    "<!doctype html><meta charset=utf-8><title>Tracked</title>"
    f'<img src="http://{LISTED_TRACKER}/collect?v=1" alt="">'
    '<script>localStorage.setItem("uid", Math.random().toString(36).repeat(3))</script>'
    "<p>This page counts its visitors.\n"
).encode()
COOKIE_LIFE_S: Final = 400 * 24 * 3600
"""Life of the cookie that the tracking page sets."""
ARCHIVE: Final = "/debian/"
"""A flat Debian archive: ``deb [trusted=yes] http://HOST/debian ./``."""
PACKAGES: Final = b""
"""Index of the archive: it holds no package."""
_HTML: Final = ("Content-Type", "text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Site:
    """Answers the requests that reach the site."""

    witness: Witness

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        return self.witness.request(request, _route(request))


def _route(request: Request) -> Response:
    if request.method not in {"GET", "HEAD"}:
        return Response(status=405, body=b"Method Not Allowed\n")
    if request.path == "/":
        return Response(status=200, body=QUIET, headers=(_HTML,))
    if request.path == "/tracked":
        visitor = ("Set-Cookie", f"uid={secrets.token_hex(16)}; Path=/; Max-Age={COOKIE_LIFE_S}")
        return Response(status=200, body=TRACKED, headers=(_HTML, visitor))
    if request.path == "/account":
        return _account(request.headers)
    if request.path.startswith(ARCHIVE):
        return _archive(request.path.removeprefix(ARCHIVE).removeprefix("./"))
    return Response(status=404, body=b"Not Found\n")


def _account(headers: Headers) -> Response:
    if not find_header(headers, "authorization").startswith("Basic "):
        challenge = ("WWW-Authenticate", 'Basic realm="account"')
        return Response(status=401, body=b"Unauthorized\n", headers=(challenge,))
    return Response(status=200, body=b"Welcome back.\n", headers=(("Content-Type", "text/plain"),))


def _archive(name: str) -> Response:
    if name == "Packages":
        return Response(status=200, body=PACKAGES, headers=(("Content-Type", "text/plain"),))
    if name != "Release":
        return Response(status=404, body=b"Not Found\n")
    digest = hashlib.sha256(PACKAGES).hexdigest()
    lines = (
        "Origin: lab",
        "Suite: stable",
        f"Date: {formatdate(usegmt=True)}",
        "Architectures: all amd64 arm64",
        "SHA256:",
        f" {digest} {len(PACKAGES)} Packages",
    )
    body = ("\n".join(lines) + "\n").encode()
    return Response(status=200, body=body, headers=(("Content-Type", "text/plain"),))
