"""Bodies of an HTTP archive as bytes, and the gaps where a writer left them out.

Sources: HAR 1.2; mitmproxy ``addons/savehar.py`` (request text is latin-1 for octet streams, gRPC
and no type, else UTF-8 with escaped surrogates); Playwright ``harTracer.ts`` (``_file`` names a
resource, octet streams of requests are never embedded); PCAPdroid 1.9 (base64 in ``postData``
too); HTTP Toolkit (``_content``, ``_requestBodyStatus``).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from audit.readers.har_gaps import Gaps
from audit.readers.header_lines import Headers
from audit.tables.vocabulary import Direction

_LATIN1: Final = ("application/octet-stream", "application/grpc")
_MARK: Final = 3
"""Bytes of a byte order mark, which writers drop with the charset."""
_PACKED: Final = ("\x1f\x8b\x08", "\x28\xb5\x2f\xfd")
"""How gzip and Zstandard begin (RFC 1952 §2.3.1, RFC 8878 §3.1.1), a letter a byte."""
_BODILESS: Final = frozenset({204, 205, 304})
"""RFC 9110 §6.4.1, §15.3.6."""
Resources = Callable[[str], bytes | None]
"""Name of a resource beside the archive -> its bytes; ``None``: it is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyReader:
    """Reads the bodies of one entry."""

    entry: int
    """1-based number."""
    gaps: Gaps
    resources: Resources
    is_mitmproxy: bool

    def request(self, asked: dict[str, object], headers: Headers) -> bytes | None:
        """Return the body of a request; ``None`` and a gap where it is missing."""
        toolkit = asked.get("_content")
        posted = asked.get("postData")
        found = {"text": posted} if isinstance(posted, str) else posted
        found = found if isinstance(found, dict) else {}
        part = toolkit if isinstance(toolkit, dict) and toolkit.get("text") else found
        length = _content_length(headers)
        body = self._kept(part, "sent", latin1=self.is_mitmproxy, length=length)
        if body is not None:
            is_coded = any(name.lower() == b"content-encoding" for name, _ in headers)
            sizes = (asked.get("bodySize"), None if is_coded else length)
            self._compare(body, part, _largest(*sizes), "sent")
            return body
        params = found.get("params")
        if isinstance(params, list) and params:
            return self._form(params)
        status = asked.get("_requestBodyStatus")
        largest = _largest(asked.get("bodySize"), length)
        is_named = bool(found or posted or status is not None or _is_chunked(headers))
        if largest == 0 or (largest is None and not is_named):
            return b""
        why = str(status) if status else f"{largest} bytes" if largest else "no size is told"
        self.gaps.body(self.entry, "sent", "the body of the request was left out", why)
        return None

    def answer(
        self, answered: dict[str, object], headers: Headers, *, method: str, status: int
    ) -> bytes | None:
        """Return the body of an answer; ``None`` and a gap where it is missing."""
        content = answered.get("content")
        found = content if isinstance(content, dict) else {}
        body = self._kept(found, "received", latin1=False)
        size = found.get("size")
        if body is not None:
            is_coded = any(name.lower() == b"content-encoding" for name, _ in headers)
            told = self._decoded_size(found)
            if _largest(told) is None and not is_coded:
                told = _largest(answered.get("bodySize"), _content_length(headers))
            self._compare(body, found, told, "received")
            return body
        if size == 0 and found.get("text") == "":
            return b""
        if method == "HEAD" or status < 200 or status in _BODILESS:
            return b""
        largest = _largest(size, answered.get("bodySize"), _content_length(headers))
        if largest == 0:
            return b""
        why = answered.get("_responseBodyStatus") or found.get("comment")
        told = f"{largest} bytes" if largest else "no size is told"
        self.gaps.body(
            self.entry,
            "received",
            "the body of the answer was left out",
            f"{told}, {why}" if isinstance(why, str) and why else told,
        )
        return None

    def _decoded_size(self, content: dict[str, object]) -> object:
        """Return the length that an answer's body had, codings undone."""
        size, saved = content.get("size"), content.get("compression")
        if self.is_mitmproxy and isinstance(size, int) and isinstance(saved, int):
            return size + saved  # it writes the length as sent
        return size

    def _kept(
        self,
        part: dict[str, object],
        direction: Direction,
        *,
        latin1: bool,
        length: int | None = None,
    ) -> bytes | None:
        """Return the bytes that a part of the archive has or names; ``None``: it has none."""
        text = part.get("text")
        if isinstance(text, str) and text:
            return self._text(text, part, direction, latin1=latin1, length=length)
        name = part.get("_file") or part.get("_sha1")
        if not isinstance(name, str) or not name:
            return None
        body = self.resources(name)
        if body is None:
            self.gaps.body(
                self.entry, direction, "its body is in a file that is not in the archive", name[:80]
            )
        return body

    def _text(
        self,
        text: str,
        part: dict[str, object],
        direction: Direction,
        *,
        latin1: bool,
        length: int | None,
    ) -> bytes:
        if str(part.get("encoding")).lower() == "base64":
            try:
                return base64.b64decode(text)
            except (binascii.Error, ValueError):
                self.gaps.body(self.entry, direction, "a body is no base64, as it says it is")
                return text_bytes(text)
        kind = str(part.get("mimeType") or "")
        is_latin1 = latin1 and (not kind or kind.startswith(_LATIN1))
        if is_latin1 or _is_bytewise(text, length):
            try:
                return text.encode("latin-1")
            except UnicodeEncodeError:
                return text_bytes(text)
        body = text_bytes(text)
        if "\ufffd" in text and part.get("size") != len(body):
            self.gaps.body(
                self.entry, direction, "the writer lost bytes of a body: it has replacement marks"
            )
        return body

    def _compare(
        self, body: bytes, part: dict[str, object], size: object, direction: Direction
    ) -> None:
        """Note a body that is shorter than the archive says it was."""
        if not isinstance(size, int) or isinstance(size, bool):
            return
        kind = str(part.get("mimeType") or "").lower()
        is_wide = "utf-16" in kind or "utf-32" in kind or size in {2 * len(body), 2 * len(body) + 2}
        is_text = str(part.get("encoding")).lower() != "base64"
        lacking = size - len(body)
        has_short_lines = b"\r" not in body and lacking == body.count(b"\n")
        if lacking > 0 and not (is_text and (is_wide or has_short_lines or lacking == _MARK)):
            self.gaps.body(
                self.entry,
                direction,
                "a body was cut by the writer",
                f"{len(body)} of {size} bytes are there",
            )

    def _form(self, params: list[object]) -> bytes:
        """Write parameters as a form: the only trace of a body of which no text was kept."""
        pairs = []
        for param in params:
            if not isinstance(param, dict) or "name" not in param:
                continue
            value, file = param.get("value"), param.get("fileName")
            if file and not value:
                self.gaps.body(self.entry, "sent", "a file in a form was left out", str(file)[:80])
            pairs.append((str(param["name"]), str(value or file or "")))
        return urlencode(pairs, errors="surrogatepass").encode()


def _is_bytewise(text: str, length: int | None) -> bool:
    """Whether each letter of a text stands for one byte, as writers put bytes that are no UTF-8.

    ``length`` is what Content-Length says; where nothing does, the mark of compressed data tells.
    """
    if text.isascii() or max(text) > "\xff":
        return False
    return len(text) == length or text.startswith(_PACKED)


def text_bytes(text: str) -> bytes:
    """Return text as UTF-8; surrogates that stand for bytes become these bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _largest(*sizes: object) -> int | None:
    """Return the largest size that is told; ``None``: none is (-1 stands for that in HAR)."""
    told = [size for size in sizes if isinstance(size, int) and not isinstance(size, bool)]
    return max([size for size in told if size >= 0], default=None)


def _content_length(headers: Headers) -> int | None:
    for name, value in headers:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value[:15])
    return None


def _is_chunked(headers: Headers) -> bool:
    """Whether a body of unknown length was sent (RFC 9112 §6.1)."""
    return any(
        name.lower() == b"transfer-encoding" and b"chunked" in value.lower()
        for name, value in headers
    )
