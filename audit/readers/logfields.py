"""What fields of records hold: addresses, user agents, e-mail, kinds of a pattern, or text.

Values are looked at, names decide only what a text is. ``Chrome/145.0.0.0``, ``05:00:00`` and
``logo@2x.png`` are none of it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from audit.errors import UsageError

ADDRESS: Final = "address"
EMAIL: Final = "email"
USER_AGENT: Final = "user_agent"
TEXT: Final = "text"
_V4: Final = re.compile(
    rb"(?<![\w./%-])(?:::ffff:)?((?:\d{1,3}\.){3}\d{1,3})(?![\w%-]|\.\w|/\d*[a-zA-Z.])"
)
_V6: Final = re.compile(rb"(?<![\w:.%-])\[?([0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3})(?![\w.:-])")
_TELLING: Final = re.compile(rb"(?=[^:]*:)(?=.*\d).{6}")
"""Inside a text ``a::b`` is a name of code, not an address."""
MAIL: Final = re.compile(
    rb"(?:@|%40)((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24})(?![\w-])"
)
"""An e-mail address from its sign on (RFC 5321 §4.1.2, domains of letters and digits)."""
_BEFORE: Final = re.compile(rb"[A-Za-z0-9._+-]\Z")
_NO_MAIL: Final = frozenset(
    b"png jpg jpeg gif svg webp avif ico css js mjs map woff ttf json html htm php pdf txt".split()
)
"""Endings of files, which ``name@2x.png`` has and no domain (IANA root zone)."""
_WORDS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")
_SERVER_SIDE: Final = re.compile(
    r"(^|_)(server|upstream|listen|local|dest|destination|origin|edge|backend|host)(_|$)"
)
"""Words in names of fields whose addresses are the party's own."""
_EMPTY: Final = frozenset([b"", b"-", b'""', b"null", b"None", b"none", b"(null)", b"unknown"])
_ADDRESS_NAMES: Final = frozenset(
    ["ip", "client_ip", "remote_addr", "remote_ip", "x_forwarded_for", "addr", "address"]
)


@lru_cache(maxsize=65536)
def snake(name: str) -> str:
    """Return a field's name in lower case with ``_``: ``ClientIP`` becomes ``client_ip``."""
    parts = (_WORDS.findall(part) for part in re.split(r"[^A-Za-z0-9]+", name))
    return "_".join(word.lower() for found in parts for word in found)


@lru_cache(maxsize=65536)
def person_address(text: bytes) -> bool:
    """Whether a text is an address that may be a person's: none of this machine, or of nobody."""
    try:
        address = ipaddress.ip_address(text.strip(b"[]").decode("ascii"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def addresses_in(text: bytes) -> Iterator[bytes]:
    """Yield the addresses that stand in a text by themselves, and may be a person's."""
    if text.count(b".") >= 3:
        for match in _V4.finditer(text):
            if person_address(match[1]):
                yield match[1]
    if text.count(b":") >= 2:
        for match in _V6.finditer(text):
            whole = match[1] == text.strip(b"[] ")
            is_address = match[1].count(b":") >= 2 and (whole or _TELLING.search(match[1]))
            if is_address and person_address(match[1]):
                yield match[1]


def has_mail(text: bytes) -> bool:
    """Whether an e-mail address stands in a text, its sign percent-encoded or not."""
    return next(mails_in(text), None) is not None


def is_mail_at(text: bytes, sign: int) -> bool:
    """Whether the sign at an offset, plain or percent-encoded, is one of an e-mail address."""
    match = MAIL.match(text, sign)
    return match is not None and _is_mail(text, match)


def _is_mail(text: bytes, match: re.Match[bytes]) -> bool:
    if match[1].rsplit(b".", 1)[1].lower() in _NO_MAIL:
        return False
    start = match.start()
    before = text[max(start - 3, 0) : start]
    return before.endswith(b"%22") or _BEFORE.search(before) is not None


def mails_in(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the e-mail addresses of a text stand, by the sign: no step goes back far."""
    for match in MAIL.finditer(text):
        if _is_mail(text, match):
            start = match.start()
            before = text[max(start - 64, 0) : start]
            yield start - len(before) + len(before.rstrip(_LOCAL_BYTES)), match.end()


_LOCAL_BYTES: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-"


def is_empty(value: bytes) -> bool:
    """Whether a value says that there is none."""
    return value.strip() in _EMPTY


class FieldReader:
    """Tells what the fields of one source's records hold.

    Raises :class:`UsageError` for a pattern that is none of RE2.
    """

    def __init__(
        self, own_addresses: tuple[str, ...] = (), patterns: Mapping[str, str] | None = None
    ) -> None:
        self.own = frozenset(address.encode() for address in own_addresses)
        self._patterns: list[tuple[str, Any]] = []
        if patterns:
            import re2

            options = re2.Options()
            options.log_errors = False
            for kind, text in sorted(patterns.items()):
                try:
                    self._patterns.append((kind, re2.compile(text, options)))
                except re2.error:
                    raise UsageError(
                        f"the pattern of {kind} is not an RE2 pattern",
                        source=text,
                        hint="RE2 knows no look-around and no back-references",
                    ) from None

    def fields(self, values: Mapping[str, bytes]) -> dict[str, str]:
        """Return name of each field that holds something -> what it holds."""
        found: dict[str, str] = {}
        for name, value in values.items():
            if not is_empty(value):
                self._tell(snake(name.rpartition(".")[2]) or "field", value, found)
        return found

    def _tell(self, name: str, value: bytes, found: dict[str, str]) -> None:
        kinds = self.kinds_of(name, value)
        if USER_AGENT in kinds:
            found[name] = USER_AGENT
        elif ADDRESS in kinds and (name in _ADDRESS_NAMES or b" " not in value.strip()):
            found[name] = ADDRESS
        elif name in _ADDRESS_NAMES:
            found[f"{name}_without_address"] = TEXT
        else:
            found.setdefault(name, TEXT)
        for kind in kinds:
            if kind == ADDRESS:
                if name not in _ADDRESS_NAMES:
                    found["ip"] = ADDRESS
            else:
                found[kind] = kind

    def kinds_of(self, name: str, value: bytes) -> set[str]:
        """Return what a value holds, by the kinds that are told apart here."""
        kinds: set[str] = set()
        if not _SERVER_SIDE.search(name) and any(
            address not in self.own for address in addresses_in(value)
        ):
            kinds.add(ADDRESS)
        plain = unquote_to_bytes(value) if b"%" in value else value
        if has_mail(value) or (plain is not value and has_mail(plain)):
            kinds.add(EMAIL)
        if name.endswith(("user_agent", "useragent")):
            kinds.add(USER_AGENT)
        if self._patterns:
            text = plain.decode("latin-1")
            kinds |= {kind for kind, pattern in self._patterns if pattern.search(text)}
        return kinds
