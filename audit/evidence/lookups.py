"""Name look-ups: which conversations are nothing else, and whose answers count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from audit.bundle.manifest import Manifest
from audit.tables.extract import Extract
from audit.tables.frames import Row

Tables = Mapping[str, Sequence[Row]]
_OTHERS: Final = (
    "http_requests", "http_responses", "websocket_messages", "tls_handshakes", "stun_messages",
)  # fmt: skip
_DNS_PORT: Final = 53
"""RFC 1035."""


def mark_lookups(extract: Extract) -> None:
    """Fill in ``only_dns`` of every conversation: it carried DNS messages and nothing else."""
    tables = extract.rows
    asked = _named(tables, "dns_queries")
    rows = tables.get("conversations", [])
    beside = {
        rows[payload.row].get("conversation")
        for payload in extract.payloads
        if payload.table == "conversations" and payload.data and not payload.seams
    }
    beside |= {name for table in _OTHERS for name in _named(tables, table)}
    for row in rows:
        name = row.get("conversation")
        row["only_dns"] = name in asked and name not in beside


def _named(tables: Tables, table: str) -> set[object]:
    return {row.get("conversation") for row in tables.get(table, ())} - {None}


def resolvers_of(tables: Tables, manifest: Manifest) -> frozenset[str]:
    """Return the addresses whose answers count, and that have the role of a resolver.

    They stand in the manifest. A capture whose manifest names none has those that were asked on
    the port of DNS in conversations that carried nothing else.
    """
    if manifest.network.resolvers:
        return frozenset(manifest.network.resolvers)
    return frozenset(
        str(row.get("responder_ip"))
        for row in tables.get("conversations", ())
        if row.get("only_dns") and row.get("responder_port") == _DNS_PORT
    )


def lookup_conversations(tables: Tables) -> frozenset[object]:
    """Return the conversations that are name look-ups and nothing else."""
    rows = tables.get("conversations", ())
    return frozenset(row.get("conversation") for row in rows if row.get("only_dns")) - {None}
