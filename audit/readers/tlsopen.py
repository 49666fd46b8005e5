"""One direction of a TLS connection opened record by record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from audit.readers.tlsciphers import Opener, Suite
from audit.readers.tlshello import ALERT, APPLICATION, CHANGE_CIPHER, HANDSHAKE, messages_of
from audit.readers.tlskeys import next_secret, tls13_opener

_KEY_UPDATE, _FINISHED = 24, 20
_CLOSE_NOTIFY: Final = 0
_UNOPENED_LIMIT: Final = 64
"""Records that may stay closed at the start (handshake without its secret, refused early data)."""
_HANDSHAKE_LIMIT: Final = 1 << 20


class Lane(Protocol):
    """Opens the records of one direction in order."""

    is_proven: bool
    """Whether a record opened: the secrets fit."""
    needed: bool
    """Whether there was a protected record at all."""
    is_stuck: bool
    """Whether a record did not open that should have: nothing after it can be opened."""
    is_closed: bool
    """Whether close_notify was seen."""
    alert_in_handshake: bool
    """Whether an alert broke off the handshake."""
    handshake: list[tuple[int, bytes]]
    """Handshake messages that were protected: type and body."""

    def open(self, kind: int, header: bytes, fragment: bytes) -> bytes | None:
        """Return the application data in a record, ``None`` where it holds none."""


@dataclass(slots=True)
class _Epoch:
    opener: Opener
    secret: bytes
    is_traffic: bool
    sequence: int = 0


class SecretLane:
    """TLS 1.3: tries the keys of early data, handshake and traffic in turn, each from record 0."""

    def __init__(
        self, suite: Suite, early: bytes | None, handshake: bytes | None, traffic: bytes
    ) -> None:
        self._suite = suite
        self._epochs = [
            _Epoch(tls13_opener(suite, secret), secret, is_traffic=secret is traffic)
            for secret in (early, handshake, traffic)
            if secret is not None
        ]
        self._unopened = 0
        self._settled = False
        self._messages = bytearray()
        self.is_proven = self.needed = self.is_stuck = self.is_closed = False
        self.alert_in_handshake = False
        self.handshake: list[tuple[int, bytes]] = []

    def open(self, kind: int, header: bytes, fragment: bytes) -> bytes | None:
        """Return the application data in a record, ``None`` where it holds none."""
        if kind == ALERT:
            self.alert_in_handshake = True
        if kind != APPLICATION:
            return None
        self.needed = True
        for index, epoch in enumerate(self._epochs):
            inner = epoch.opener.open(epoch.sequence, header, fragment)
            if inner is not None:
                del self._epochs[:index]
                epoch.sequence += 1
                self.is_proven = True
                self._settled |= epoch.is_traffic
                return self._unwrapped(inner, epoch)
        self._unopened += 1
        self.is_stuck = self._settled or self._unopened > _UNOPENED_LIMIT
        return None

    def _unwrapped(self, inner: bytes, epoch: _Epoch) -> bytes | None:
        inner = inner.rstrip(b"\0")
        if not inner:
            return None
        kind, text = inner[-1], inner[:-1]
        if kind == APPLICATION:
            return text
        if kind == ALERT and len(text) == 2:
            self.is_closed = text[1] == _CLOSE_NOTIFY
            self.alert_in_handshake |= not epoch.is_traffic and text[1] != _CLOSE_NOTIFY
        elif kind == HANDSHAKE:
            self._note(text, epoch)
        return None

    def _note(self, text: bytes, epoch: _Epoch) -> None:
        if len(self._messages) < _HANDSHAKE_LIMIT:
            self._messages += text
        whole = list(messages_of(bytes(self._messages)))
        del self._messages[: sum(4 + len(body) for _, body in whole)]
        for kind, body in whole:
            if kind == _KEY_UPDATE and epoch.is_traffic:
                epoch.secret = next_secret(self._suite, epoch.secret)
                epoch.opener = tls13_opener(self._suite, epoch.secret)
                epoch.sequence = 0
            elif not epoch.is_traffic:
                self.handshake.append((kind, body))


class SuiteLane:
    """TLS 1.2: one key from ChangeCipherSpec on."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._sequence = -1
        self.is_proven = self.needed = self.is_stuck = self.is_closed = False
        self.alert_in_handshake = False
        self.handshake: list[tuple[int, bytes]] = []

    def open(self, kind: int, header: bytes, fragment: bytes) -> bytes | None:
        """Return the application data in a record, ``None`` where it holds none."""
        if kind == CHANGE_CIPHER:
            self.is_stuck = self._sequence >= 0  # renegotiated: other keys, which no log line names
            self._sequence = max(self._sequence, 0)
            return None
        if self._sequence < 0:
            self.alert_in_handshake |= kind == ALERT
            return None
        self.needed = True
        text = self._opener.open(self._sequence, header, fragment)
        if text is None:
            self.is_stuck = True
            return None
        self._sequence += 1
        self.is_proven = True
        if kind == ALERT and len(text) == 2:
            self.is_closed = text[1] == _CLOSE_NOTIFY
        return text if kind == APPLICATION else None
