"""Redacted flows: mitmproxy's dump and HTTP archives, written anew around blanked values."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.errors import CaptureError
from audit.identifiers.blanking import Blanker, filler, overwritten
from audit.identifiers.detector import text_payload
from audit.readers.tnetstring import OversizeError, TnetstringError, decode, records

SECRET_HEADERS: Final = frozenset(
    b"authorization proxy-authorization cookie set-cookie x-api-key x-auth-token x-csrf-token "
    b"x-xsrf-token api-key authentication x-amz-security-token".split()
)
"""Headers, lower case, whose values are credentials whatever stands in them."""
_PAIR: Final = re.compile(rb"([^=;\s]+=)([^;]*)")
_INFLATED: Final = 64 << 20
"""Bytes of one body that are opened; a larger one is dropped."""
Mapping = Callable[[str], str]
"""Text -> text in which the client's addresses are others."""


@dataclass(slots=True, kw_only=True)
class FlowRedaction:
    """Redacts what a proxy or archive kept, and counts what it had to drop."""

    blanker: Blanker
    mapped: Mapping
    dropped_bodies: int = 0
    """Bodies that were blanked whole: packed in a way that is not written anew."""
    secrets: int = 0
    """Values of headers that were blanked for being credentials."""
    left_out: int = 0
    """Flows that were too large to be read, and are not in the copy."""
    skipped: set[int] = field(default_factory=set)
    """Numbers of flows or entries that are left out: a value in them lies in no one place."""
    kept: list[int] = field(default_factory=list)
    """Numbers, in the source, of the flows or entries that were written last."""

    def dump(self, source: Path, target: Path) -> None:
        """Write mitmproxy's dump anew; raises :class:`CaptureError` for what is none."""
        self._begin()
        with target.open("wb") as file:
            try:
                for number, record in enumerate(records(source), start=1):
                    if isinstance(record, OversizeError):
                        self.left_out += 1
                        continue
                    if number in self.skipped:
                        continue
                    self.kept.append(number)
                    file.write(encode(self._value(decode(record))))
            except TnetstringError as error:
                raise CaptureError(
                    f"the dump cannot be read to its end: {error}",
                    source=source.name,
                    hint="what cannot be read cannot be redacted; import the part that opens",
                ) from None

    def archive(self, source: Path, target: Path) -> None:
        """Write an HTTP archive anew; raises :class:`CaptureError` for what is none."""
        try:
            data = json.loads(source.read_bytes().decode("utf-8-sig", "surrogateescape"))
        except (ValueError, RecursionError) as error:
            raise CaptureError(
                f"the archive is no plain JSON: {error}",
                source=source.name,
                hint="packed or broken archives are not redacted; unpack it and import it again",
            ) from None
        self._begin()
        log = data.get("log") if isinstance(data, dict) else None
        entries = log.get("entries") if isinstance(log, dict) else None
        if isinstance(log, dict) and isinstance(entries, list):
            self.kept = [n for n in range(1, len(entries) + 1) if n not in self.skipped]
            log["entries"] = [entries[number - 1] for number in self.kept]
        text = json.dumps(self._json(data), ensure_ascii=True)
        target.write_bytes(text.encode())

    def _begin(self) -> None:
        self.kept, self.left_out, self.secrets, self.dropped_bodies = [], 0, 0, 0

    def skip(self, written: set[int]) -> None:
        """Leave out what is in the copy under these numbers when it is written again."""
        self.skipped |= {self.kept[number - 1] for number in written}

    def json_lines(self, data: bytes) -> bytes:
        """Return lines of JSON, each written anew; a line that is none is blanked in place."""
        lines = []
        for line in data.split(b"\n"):
            try:
                found = json.loads(line) if line.strip() else None
            except (ValueError, RecursionError):
                found = None
            if found is None:
                lines.append(self.blanker.data(line))
            else:
                lines.append(json.dumps(self._json(found), sort_keys=True).encode())
        return b"\n".join(lines)

    # -- values of a dump

    def _value(self, value: object) -> object:
        if isinstance(value, dict):
            return self._state(value)
        if isinstance(value, list):
            if _is_header(value):
                return [value[0], self._header(value[0], value[1])]
            return [self._value(item) for item in value]
        if isinstance(value, bytes):
            return self.blanker.data(value)
        return self.text(value) if isinstance(value, str) else value

    def _state(self, state: dict[str, object]) -> dict[str, object]:
        found = {key: self._value(value) for key, value in state.items() if key != "content"}
        if "content" in state:
            content = state["content"]
            headers = state.get("headers")
            if isinstance(content, bytes) and content:
                found["content"] = self.body(content, _coding(headers))
                found["headers"] = _resized(found.get("headers"), len(found["content"]))  # type: ignore[arg-type]
            else:
                found["content"] = content
        return {key: found[key] for key in state}

    def _header(self, name: object, value: object) -> bytes:
        assert isinstance(name, bytes)  # noqa: S101 - what makes a list a header
        assert isinstance(value, bytes)  # noqa: S101
        if name.lower() not in SECRET_HEADERS:
            return self.blanker.data(value)
        self.secrets += 1
        return blank_secret(value)

    def body(self, body: bytes, coding: str) -> bytes:
        """Return a body without values; one that is packed is opened and packed anew."""
        opened = _opened(body, coding) if coding else None
        if opened is None:
            payload = text_payload(body)
            payload.content_encoding = tuple(word.strip() for word in coding.split(",") if word)
            blanked = self.blanker.data(overwritten(body, self.blanker.spans(payload)))
            if coding and blanked != body:
                self.dropped_bodies += 1
            return blanked
        blanked = self.blanker.data(opened)
        return body if blanked == opened else _packed(blanked, coding)

    def text(self, text: str) -> str:
        """Return text with other addresses of the client, and without values."""
        return self.blanker.text(self.mapped(text))

    # -- values of JSON

    def _json(self, value: object) -> object:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self._json(item) for item in value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            blanked = self.blanker.text(str(value))
            return value if blanked == str(value) else 0
        return value

    def _object(self, found: dict[str, object]) -> dict[str, object]:
        name, value = found.get("name"), found.get("value")
        if isinstance(name, str) and isinstance(value, str):
            is_cookie = "httpOnly" in found or "expires" in found
            if is_cookie or name.lower().encode("utf-8", "replace") in SECRET_HEADERS:
                self.secrets += 1
                secret = blank_secret(value.encode("utf-8", "replace")).decode("ascii", "replace")
                found = found | {"value": secret}
        text = found.get("text")
        if str(found.get("encoding")).lower() == "base64" and isinstance(text, str):
            try:
                body = self.blanker.data(base64.b64decode(text))
                found = found | {"text": base64.b64encode(body).decode()}
            except (binascii.Error, ValueError):
                found = found | {"text": ""}
        return {self.text(key): self._json(item) for key, item in found.items()}


def blank_secret(value: bytes) -> bytes:
    """Return a credential as filler; the names of cookies stay."""
    if b"=" in value:
        return _PAIR.sub(lambda match: match[1] + b"x" * len(match[2]), value)
    scheme, blank, secret = value.partition(b" ")
    return scheme + blank + b"x" * len(secret) if blank else filler(value)


def _is_header(value: list[object]) -> bool:
    return len(value) == 2 and all(isinstance(item, bytes) for item in value)


def _coding(headers: object) -> str:
    """Return the content coding that headers declare, lower case; ``''``: none."""
    for pair in headers if isinstance(headers, list) else ():
        if isinstance(pair, list) and _is_header(pair) and pair[0].lower() == b"content-encoding":
            return bytes(pair[1]).decode("ascii", "replace").strip().lower()
    return ""


def _resized(headers: object, size: int) -> object:
    """Return headers whose Content-Length, if there is one, is right again."""
    if not isinstance(headers, list):
        return headers
    return [
        [pair[0], b"%d" % size]
        if isinstance(pair, list) and _is_header(pair) and pair[0].lower() == b"content-length"
        else pair
        for pair in headers
    ]


def _opened(body: bytes, coding: str) -> bytes | None:
    if coding not in {"gzip", "x-gzip", "deflate"}:
        return None
    machine = zlib.decompressobj(47)
    try:
        data = machine.decompress(body, _INFLATED)
    except zlib.error:
        return None
    return None if machine.unconsumed_tail or machine.unused_data or not machine.eof else data


def _packed(data: bytes, coding: str) -> bytes:
    return zlib.compress(data) if coding == "deflate" else gzip.compress(data, mtime=0)


def encode(value: object) -> bytes:
    """Return a value as a typed netstring, the encoding of mitmproxy's dumps."""
    if isinstance(value, bytes):
        return _framed(value, b",")
    if isinstance(value, str):
        return _framed(value.encode("utf-8", "surrogateescape"), b";")
    if value is None:
        return _framed(b"", b"~")
    if isinstance(value, bool):
        return _framed(b"true" if value else b"false", b"!")
    if isinstance(value, int):
        return _framed(b"%d" % value, b"#")
    if isinstance(value, float):
        return _framed(repr(value).encode(), b"^")
    if isinstance(value, dict):
        parts = [encode(part) for pair in value.items() for part in pair]
        return _framed(b"".join(parts), b"}")
    if isinstance(value, list | tuple):
        return _framed(b"".join(map(encode, value)), b"]")
    raise TypeError(f"no typed netstring holds {type(value).__name__}")


def _framed(payload: bytes, kind: bytes) -> bytes:
    return b"%d:" % len(payload) + payload + kind
