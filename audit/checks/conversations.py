"""Facts about conversations that several questions need, worked out once for all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from audit.checks.encoding import EncodedTable, Flags
from audit.checks.union import Union
from audit.tables.vocabulary import OPENED_TRANSPORTS

_PAYLOAD_PROTOCOLS: Final = frozenset({"tcp", "udp", "quic"})
_DNS_PORTS: Final = frozenset({53, 5353, 5355})
"""DNS (RFC 1035), multicast DNS (RFC 6762) and LLMNR (RFC 4795) over UDP."""
_MESSAGES: Final = ("http_requests", "http_responses", "websocket_messages")


def flags_of(
    table: EncodedTable, column: str, test: Callable[[object], bool], *, absent: bool
) -> Flags:
    """Return which rows have a value that passes ``test``; asked once a distinct value."""
    encoded = table.encoded(column)
    answers = np.array([test(value) for value in encoded.distinct] + [absent], dtype=bool)
    flags: Flags = answers[encoded.codes]
    return flags


def is_proven(table: EncodedTable) -> Flags:
    """Return the events that worked and that something proves: the others exercise nothing."""
    worked = flags_of(table, "ok", lambda value: value is True, absent=False)
    flags: Flags = worked & (table.encoded("corroborated_by").codes >= 0)
    return flags


def conversations_of(union: Union) -> EncodedTable:
    """Return the conversations; they are layer 0, whether or not a reader said so."""

    def make() -> EncodedTable:
        table = union.table("conversations")
        said = table.encoded("layer").codes >= 0
        return table if table.size and said.all() else table.with_constant("layer", 0)

    return union.remember("conversations", make)


def carries_payload(union: Union) -> Flags:
    """Return which conversations have payload over TCP, UDP or QUIC and are no name look-up."""

    def make() -> Flags:
        table = conversations_of(union)
        carried = flags_of(table, "proto", _PAYLOAD_PROTOCOLS.__contains__, absent=False)
        filled = flags_of(table, "payload_bytes", bool, absent=True)
        flags: Flags = carried & filled & ~_is_name_lookup(union)
        return flags

    return union.remember("carries payload", make)


def _is_name_lookup(union: Union) -> Flags:
    """Return which conversations are DNS over UDP and nothing else.

    A conversation that names no 5-tuple is one by its port.
    """
    table = conversations_of(union)
    by_port = flags_of(table, "responder_port", _DNS_PORTS.__contains__, absent=False)
    unnamed = table.encoded("conversation").codes < 0
    udp = flags_of(table, "proto", lambda value: value == "udp", absent=False)
    pure = flags_of(table, "only_dns", lambda value: value is True, absent=False)
    flags: Flags = udp & (pure | (unnamed & by_port))
    return flags


def is_opened(union: Union) -> Flags:
    """Return the conversations whose bytes could be had: in clear, with keys, by interception."""
    return union.remember(
        "opened",
        lambda: flags_of(
            conversations_of(union), "transport", OPENED_TRANSPORTS.__contains__, absent=False
        ),
    )


def has_messages(union: Union) -> Flags:
    """Return the conversations whose messages are rows of their own."""
    return union.remember(
        "has messages",
        lambda: _is_among(conversations_of(union), [union.table(name) for name in _MESSAGES]),
    )


def _is_among(table: EncodedTable, others: Iterable[EncodedTable]) -> Flags:
    """Return the rows whose conversation, in the same capture, another table names."""
    known = {pair for other in others for pair in _named(other)}
    encoded = table.encoded("conversation")
    origins = table.origin.tolist()
    return np.array(
        [
            code >= 0 and (origin, encoded.distinct[code]) in known
            for origin, code in zip(origins, encoded.codes.tolist(), strict=True)
        ],
        dtype=bool,
    )


def _named(table: EncodedTable) -> Iterable[tuple[int, object]]:
    import pandas as pd

    encoded = table.encoded("conversation")
    width = len(encoded.distinct) + 1
    for pair in pd.unique(table.origin * width + encoded.codes + 1).tolist():
        origin, code = divmod(pair, width)
        if code:
            yield origin, encoded.distinct[code - 1]
