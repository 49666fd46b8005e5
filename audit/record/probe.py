"""One request to the URL that a user names, and what came back; nothing else is contacted.

No proxy of the environment is used and no redirect is followed: an answer that leads elsewhere is
told, and does not count as done unless it is the answer that forms give (RFC 9110, 15.4.4).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

import audit
from audit.errors import UsageError

TIMEOUT_S: Final = 30.0
"""Seconds to connect, and for all of the exchange after that."""
MAX_BODY: Final = 1 << 20
"""Bytes of the answer that are read where a text is looked for."""
_HERE: Final = frozenset({401, 404, 405, 410})
"""Statuses besides 2xx by which a server answers for a path that it does not have or give."""
_SEEN: Final = frozenset({302, 303})
"""Redirects by which a form that was taken leads to the next page."""
_PATH_SAFE: Final = "/%:@!$&'()*+,;=~-._"
_QUERY_SAFE: Final = _PATH_SAFE + "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Fields to send."""

    fields: tuple[tuple[str, str], ...] = ()
    in_query: bool = False
    """As a form of method GET does."""
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int | None
    """``None``: nothing that is HTTP."""
    problem: str = ""
    """Why it does not count as done, in words; empty: it does."""


def checked(url: str) -> SplitResult:
    """Return a URL that can be asked for; raises :class:`UsageError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError as error:
        raise UsageError(f"this is no URL: {error}", hint="such as https://site.example/") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError("the URL must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise UsageError("the URL holds a user or password: leave it out")
    if any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in url):
        raise UsageError("the URL holds a space or control character")
    netloc = f"[{host}]" if ":" in host else host
    if port is not None:
        netloc = f"{netloc}:{port}"
    path = quote(parts.path or "/", safe=_PATH_SAFE)
    return parts._replace(
        netloc=netloc, path=path, query=quote(parts.query, safe=_QUERY_SAFE), fragment=""
    )


def origin(url: SplitResult) -> str:
    """Return scheme and host: what may be noted and printed of a URL that may hold a person's."""
    return f"{url.scheme}://{url.netloc}"


def tagged(url: SplitResult, token: str) -> SplitResult:
    """Return the URL with the token as the last part of its path."""
    return url._replace(path=f"{url.path.rstrip('/')}/{token}")


def ask(url: SplitResult, form: Form | None = None, expect: str = "") -> Answer:
    """Send one request; ``form`` as well where a form or a link of a mail is meant.

    ``expect`` is a text that the answer must hold to count. Never raises for what the other side
    does: an answer that does not count says why.
    """
    try:
        status, place, body = _exchange(url, form or Form(), wants_body=bool(expect))
    except ssl.SSLError as error:
        return Answer(status=None, problem=f"TLS failed: {error.reason or error}")
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        return Answer(status=None, problem=f"no answer: {why}")
    except (http.client.HTTPException, ValueError):
        return Answer(status=None, problem="what came back is no answer of HTTP")
    problem = _problem(status, place, url, is_form=form is not None)
    if not problem and expect and expect not in body:
        problem = f"it answered {status}, and the answer does not hold the expected text"
    return Answer(status=status, problem=problem)


def _problem(status: int, place: str, url: SplitResult, *, is_form: bool) -> str:
    """Return why an answer does not count as done."""
    if 200 <= status < 300 or (not is_form and status in _HERE):
        return ""
    if not 300 <= status < 400:
        return f"it answered {status}"
    try:
        next_ = urlsplit(urljoin(url.geturl(), place))
        elsewhere = f"{next_.scheme}://{next_.hostname or ''}"
    except ValueError:
        return f"it answered {status} and leads to what is no URL"
    if is_form and status in _SEEN and place and next_.path.rstrip("/") != url.path.rstrip("/"):
        return ""
    return f"it answered {status} and leads to {elsewhere}, which was not followed"


def _exchange(url: SplitResult, form: Form, *, wants_body: bool) -> tuple[int, str, str]:
    method, target, headers, body = _request(url, form)
    connection = _connection(url)
    connection.connect()
    timer = threading.Timer(TIMEOUT_S, _cut, [connection.sock])
    timer.daemon = True
    timer.start()
    try:
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        text = response.read(MAX_BODY).decode("utf-8", "replace") if wants_body else ""
        return response.status, response.getheader("Location") or "", text
    finally:
        timer.cancel()
        connection.close()


def _connection(url: SplitResult) -> http.client.HTTPConnection:
    host = str(url.hostname)
    if url.scheme == "https":
        return http.client.HTTPSConnection(
            host, url.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(host, url.port, timeout=TIMEOUT_S)


def _cut(wire: socket.socket) -> None:
    """End an exchange that drips: reads of its socket return at once."""
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)


def _request(url: SplitResult, form: Form) -> tuple[str, str, dict[str, str], bytes | None]:
    """Return method, target, headers and body."""
    headers = {
        "User-Agent": f"privacy-audit-probe/{audit.__version__}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    query, body = url.query, None
    if form.fields and form.in_query:
        query = "&".join(filter(None, (query, urlencode(form.fields))))
    elif form.fields and form.as_json:
        headers["Content-Type"] = "application/json"
        body = json.dumps(dict(form.fields)).encode()
    elif form.fields:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form.fields).encode("ascii")
    target = url.path + (f"?{query}" if query else "")
    return "GET" if body is None else "POST", target, headers, body
