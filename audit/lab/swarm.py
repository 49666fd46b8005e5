"""What one storage node keeps, which nodes keep an account, and the storage server's rules.

Source: storage server ``rpc/request_handler.{h,cpp}`` and ``common/namespace.h`` (2024-07).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Final

TTL_MIN_MS: Final = 10_000
TTL_MAX_PUBLIC_MS: Final = 14 * 24 * 3600 * 1000
TTL_MAX_OWN_MS: Final = 30 * 24 * 3600 * 1000
STORE_TOLERANCE_MS: Final = 10_000
"""How far into the future a message may be dated, and how long it may be expired."""
SIGNATURE_TOLERANCE_MS: Final = 60_000
MAX_MESSAGE_BYTES: Final = 76_800
RETRIEVE_MAX_BYTES: Final = 7_800_000
SWARM_SIZE: Final = 3
MAX_MESSAGES: Final = 10_000
"""Messages one node keeps for all accounts together; the stand-in refuses more."""


def is_public_inbox(namespace: int) -> bool:
    """Whether anybody may store there: every namespace divisible by ten."""
    return namespace % 10 == 0


def is_public_outbox(namespace: int) -> bool:
    """Whether it holds one message that anybody may read: -1, -21, -41 and so on."""
    return namespace < 0 and -namespace % 20 == 1


def is_open_for_reading(namespace: int) -> bool:
    """Whether messages are given out without a signature."""
    return namespace == -10 or is_public_outbox(namespace)


def swarm_index(account: bytes, swarms: int) -> int:
    """Return which swarm keeps an account (prefix and 32-byte key): its key folded to 64 bits."""
    folded = 0
    for start in range(1, 33, 8):
        folded ^= int.from_bytes(account[start : start + 8], "big")
    return folded % swarms


def message_hash(account: bytes, namespace: int, data: bytes) -> str:
    """Return a message's hash: BLAKE2b-256, base64 without padding (43 characters)."""
    text = str(namespace).encode() if namespace else b""
    digest = hashlib.blake2b(account + text + data, digest_size=32).digest()
    return base64.b64encode(digest).decode("ascii").rstrip("=")


@dataclass(slots=True, kw_only=True)
class Message:
    """A stored message."""

    hash: str
    namespace: int
    timestamp_ms: int
    expiry_ms: int
    data: bytes


@dataclass(slots=True)
class Mailboxes:
    """The messages that one node keeps, in the order of arrival."""

    _boxes: dict[bytes, dict[str, Message]] = field(default_factory=dict)
    _count: int = 0

    def store(self, account: bytes, message: Message) -> bool:
        """Keep a message; returns whether it was new.

        One with the same hash is not stored twice; its expiry grows if the new one is later.
        Raises ``OverflowError`` when full.
        """
        box = self._boxes.setdefault(account, {})
        known = box.get(message.hash)
        if known is not None:
            known.expiry_ms = max(known.expiry_ms, message.expiry_ms)
            return False
        if self._count >= MAX_MESSAGES:
            raise OverflowError("the stand-in is full")
        if is_public_outbox(message.namespace):
            for old in [old for old in box.values() if old.namespace == message.namespace]:
                self._drop(account, old.hash)
        box[message.hash] = message
        self._count += 1
        return True

    def _drop(self, account: bytes, hash_: str) -> None:
        if self._boxes.get(account, {}).pop(hash_, None) is not None:
            self._count -= 1

    def expire(self, account: bytes, now_ms: int) -> None:
        """Forget what has expired."""
        for message in list(self._boxes.get(account, {}).values()):
            if message.expiry_ms <= now_ms:
                self._drop(account, message.hash)

    def retrieve(
        self,
        account: bytes,
        namespace: int,
        *,
        after: str,
        max_bytes: int,
        max_count: int | None,
    ) -> tuple[list[Message], bool]:
        """Return the messages that arrived after one, and whether more are left.

        ``after`` is a hash; empty or unknown: all. Sizes count base64 text, as the storage server
        does; one message always fits.
        """
        found = [m for m in self._boxes.get(account, {}).values() if m.namespace == namespace]
        for position, message in enumerate(found):
            if message.hash == after:
                found = found[position + 1 :]
                break
        taken: list[Message] = []
        size = 0
        for message in found:
            size += len(message.data) * 4 // 3 + 100
            if taken and (size > max_bytes or (max_count and len(taken) >= max_count)):
                return taken, True
            taken.append(message)
        return taken, False

    def delete(self, account: bytes, hashes: list[str]) -> list[str]:
        """Delete messages by hash; returns those that were there, sorted."""
        there = sorted(hash_ for hash_ in set(hashes) if hash_ in self._boxes.get(account, {}))
        for hash_ in there:
            self._drop(account, hash_)
        return there

    def select(
        self, account: bytes, namespace: int | None, *, before_ms: int | None = None
    ) -> list[Message]:
        """Return the messages of one namespace (``None``: all) up to a time, by hash."""
        return sorted(
            (
                message
                for message in self._boxes.get(account, {}).values()
                if namespace in {None, message.namespace}
                and (before_ms is None or message.timestamp_ms <= before_ms)
            ),
            key=lambda message: message.hash,
        )

    def find(self, account: bytes, hash_: str) -> Message | None:
        """Return one message, ``None`` where it is not kept."""
        return self._boxes.get(account, {}).get(hash_)
