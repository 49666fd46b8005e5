"""Bodies of an HTTP archive as bytes, and the gaps where a writer left them out.

Sources: HAR 1.2; mitmproxy ``addons/savehar.py`` (request text is latin-1 for octet streams, gRPC
and no type, else UTF-8 with escaped surrogates); PCAPdroid 1.9 (base64 in ``postData`` too).
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from typing import Final
from urllib.parse import urlencode

from audit.readers.http_message import Headers

_LATIN1: Final = ("application/octet-stream", "application/grpc")
_REPLACED: Final = "bodies hold replacement characters: their bytes were lost by the writer"


def message_bytes(text: str, *, is_base64: bool = False) -> bytes:
    """Return text as bytes; raises ``ValueError`` for what is no base64."""
    if is_base64:
        try:
            return base64.b64decode(text)
        except binascii.Error as error:
            raise ValueError(f"no base64: {error}") from None
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def request_body(
    asked: dict[str, object], headers: Headers, *, is_mitmproxy: bool, gaps: Counter[str]
) -> bytes | None:
    """Return the body of a request; ``None`` and a counted gap where it is missing."""
    posted = asked.get("postData")
    if isinstance(posted, dict):
        kind = str(posted.get("mimeType") or "")
        text = posted.get("text")
        if isinstance(text, str) and text:
            return _text_bytes(text, kind, str(posted.get("encoding")), is_mitmproxy, gaps)
        params = posted.get("params")
        if isinstance(params, list) and params:
            return urlencode(
                [(str(p.get("name")), str(p.get("value") or "")) for p in params if _is_pair(p)],
                errors="surrogatepass",
            ).encode()
    if _declared(asked, headers) > 0:
        gaps["requests have no body in the archive although one was sent"] += 1
        return None
    return b""


def answer_body(answered: dict[str, object], *, gaps: Counter[str]) -> bytes | None:
    """Return the body of an answer; ``None`` and a counted gap where it is missing."""
    content = answered.get("content")
    found = content if isinstance(content, dict) else {}
    text = found.get("text")
    if isinstance(text, str) and text:
        kind = str(found.get("mimeType") or "")
        return _text_bytes(text, kind, str(found.get("encoding")), False, gaps)
    size = found.get("size")
    if isinstance(size, int) and size > 0:
        gaps["answers have no body in the archive although one came"] += 1
        return None
    return b""


def _text_bytes(
    text: str, kind: str, encoding: str, is_mitmproxy: bool, gaps: Counter[str]
) -> bytes:
    if encoding == "base64":
        return message_bytes(text, is_base64=True)
    if "\ufffd" in text:
        gaps[_REPLACED] += 1
    if is_mitmproxy and (not kind or kind.startswith(_LATIN1)):
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            return message_bytes(text)
    return message_bytes(text)


def _is_pair(param: object) -> bool:
    return isinstance(param, dict) and "name" in param


def _declared(asked: dict[str, object], headers: Headers) -> int:
    size = asked.get("bodySize")
    if isinstance(size, int) and size > 0:
        return size
    for name, value in headers:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value[:12])
    return 0
