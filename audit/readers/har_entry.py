"""One entry of an HTTP archive: its words, headers and times, as every writer spells them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote_plus, urlsplit

from audit.readers.endpoint import is_address, moment, moment_of, plain_address, split_endpoint
from audit.readers.har_body import text_bytes
from audit.readers.har_connection import PORTS
from audit.readers.header_lines import Headers
from audit.tables.vocabulary import Location

LOCAL: Final = frozenset(
    {
        "about", "blob", "chrome", "chrome-extension", "data", "devtools", "edge", "file",
        "filesystem", "javascript", "moz-extension", "resource", "safari-web-extension",
        "view-source", "ws+unix",
    }
)  # fmt: skip
"""Schemes of what never leaves the browser."""
_MILLISECONDS: Final = 100_000_000_000
_MICROSECONDS: Final = 100_000_000_000_000
_LAST: Final = 10**17
"""Beyond each, an epoch is no number of seconds, or of milliseconds, of our days."""
_MOST_SOUGHT: Final = 2000
_LONGEST_SOUGHT: Final = 1 << 16
"""Pairs that are looked for in a text, and its length; beyond, a pair is taken for one that the
text does not have, and searched once more."""
Part = dict[str, object]
Untold = tuple[Location, str, bytes]
"""Place, name and bytes of something that an archive lists apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HarEntry:
    """An entry whose request could be read."""

    number: int
    """1-based."""
    entry: Part
    asked: Part
    answered: Part | None
    """``None``: the archive has no answer."""
    method: str
    url: SplitResult

    @classmethod
    def of(cls, entry: object, number: int) -> HarEntry:
        """Read an entry; raises ``ValueError`` or ``TypeError`` for what is none."""
        if not isinstance(entry, dict):
            raise TypeError("it is no object")
        asked, answered = entry.get("request"), entry.get("response")
        if not isinstance(asked, dict):
            raise TypeError("it has no request")
        url = urlsplit(_word(asked, "url").strip())
        if url.scheme not in PORTS and url.scheme not in LOCAL:
            raise ValueError(f"its URL has the scheme {url.scheme[:20]!r}")
        _ = url.port  # raises for what is none
        return cls(
            number=number,
            entry=entry,
            asked=asked,
            answered=answered if isinstance(answered, dict) else None,
            method=_word(asked, "method"),
            url=url,
        )

    @property
    def is_local(self) -> bool:
        """Whether nothing of it is a request on the network."""
        return self.url.scheme in LOCAL or self.method.upper() == "CONNECT"

    @property
    def is_cached(self) -> bool:
        """Whether the browser answered it from its own cache."""
        return bool(self.entry.get("_fromCache"))

    @property
    def is_held_back(self) -> bool:
        """Whether the recording program stopped or answered it (Chrome, Playwright)."""
        failure = (self.answered or {}).get("_error") or (self.answered or {}).get("_failureText")
        reason = f"{self.entry.get('_error')} {failure}"
        return bool(
            "BLOCKED_BY_CLIENT" in reason
            or self.entry.get("_wasAborted")
            or self.entry.get("_wasFulfilled")
        )

    @property
    def is_socket(self) -> bool:
        """Whether it opened a WebSocket."""
        return (
            self.url.scheme in {"ws", "wss"}
            or self.entry.get("_resourceType") == "websocket"
            or self.status == 101
        )

    @property
    def status(self) -> int | None:
        """Status of the answer; ``None``: there was none."""
        status = (self.answered or {}).get("status")
        if isinstance(status, str) and status.isascii() and status.isdigit() and len(status) < 5:
            status = int(status)
        if isinstance(status, bool) or not isinstance(status, int) or not 0 < status < 10_000:
            return None
        return status

    @property
    def ts(self) -> str | None:
        """Start of the exchange, UTC; ``None``: the archive does not say so that it can be read."""
        written = self.entry.get("startedDateTime")
        if isinstance(written, str):
            found = moment_of(written.strip().upper())
            if found is not None:
                return found
            try:
                return moment(parsedate_to_datetime(written).timestamp())
            except (ValueError, TypeError, OverflowError, IndexError):
                pass
            try:
                written = float(written)
            except ValueError:
                return None
        return epoch(written)

    @property
    def server(self) -> str | None:
        """Address of the server."""
        written = str(self.entry.get("serverIPAddress") or "").strip()
        with_port = split_endpoint(written)
        found = (written.strip("[]"), with_port[0] if with_port else "", self.url.hostname or "")
        return next((plain_address(address) for address in found if is_address(address)), None)

    @property
    def target(self) -> str:
        """Path and query as the request line has them; the fragment is never sent."""
        return (self.url.path or "/") + (f"?{self.url.query}" if self.url.query else "")

    def headers(self, part: Part | None) -> Headers:
        """Return the headers of a request or answer; raises ``TypeError`` for what are none."""
        listed = (part or {}).get("headers")
        if not isinstance(listed, list | dict | None):
            raise TypeError("its headers are no list")
        return tuple(pairs(listed))

    def trailers(self, part: Part | None) -> Headers:
        """Return the trailers (HTTP Toolkit keeps them)."""
        return tuple(pairs((part or {}).get("_trailers")))

    def untold(self) -> Iterator[Untold]:
        """Yield location, name and bytes of what the archive lists apart and shows nowhere else.

        Queries, cookies and form fields stand in the URL, the headers and the body as well, where
        the writer kept these.
        """
        query = {
            word for pair in parse_qsl(self.url.query, keep_blank_values=True) for word in pair
        }
        yield from _unseen("query", self.asked.get("queryString"), query, self.url.query)
        sent = _cookie_text(self.headers(self.asked), b"cookie")
        yield from _unseen("cookie", self.asked.get("cookies"), set(), sent)
        posted = self.asked.get("postData")
        if isinstance(posted, dict) and isinstance(posted.get("text"), str) and posted["text"]:
            text = posted["text"]
            words = {unquote_plus(word) for pair in text.split("&") for word in pair.split("=", 1)}
            yield from _unseen("body", posted.get("params"), words, text)

    def untold_answer(self) -> Iterator[Untold]:
        """Yield the same of the answer: cookies that no header sets."""
        found = _cookie_text(self.headers(self.answered), b"set-cookie")
        yield from _unseen("cookie", (self.answered or {}).get("cookies"), set(), found)


def _unseen(location: Location, listed: object, words: set[str], text: str) -> Iterator[Untold]:
    for count, (name, value) in enumerate(pairs(listed)):
        text = text if count < _MOST_SOUGHT and len(text) < _LONGEST_SOUGHT else ""
        for data in (name, value):
            shown = data.decode("utf-8", "surrogateescape")
            if data and shown not in words and shown not in text:
                yield location, name.decode("utf-8", "replace"), data


def epoch(written: object) -> str | None:
    """Return seconds, milliseconds or microseconds since 1970 as UTC text; else ``None``."""
    if not isinstance(written, int | float) or isinstance(written, bool):
        return None
    if not 0 < written < _LAST:
        return None
    if written < _MILLISECONDS:
        return moment(written)
    return moment(written / (1000 if written < _MICROSECONDS else 1_000_000))


def pairs(listed: object) -> Iterator[tuple[bytes, bytes]]:
    """Yield names and values of a list of headers, cookies or parameters.

    Slack writes ``[name, value]``; some write one object of names. Raises ``TypeError`` or
    ``ValueError`` for what is none of it.
    """
    if isinstance(listed, dict):
        listed = list(listed.items())
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            name, value = item.get("name"), item.get("value")
        else:
            name, value = item
        yield (
            text_bytes("" if name is None else str(name)),
            text_bytes("" if value is None else str(value)),
        )


def _cookie_text(headers: Headers, name: bytes) -> str:
    found = [value for key, value in headers if key.lower() == name]
    return b"\n".join(found).decode("utf-8", "surrogateescape")


def _word(part: Part, key: str) -> str:
    found = part.get(key)
    if not isinstance(found, str):
        raise TypeError(f"its {key} is no text")
    return found
