"""Who was spoken to: a name for each server, and how it is known."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence

from audit.readers.endpoint import is_address
from audit.tables.frames import Row

Tables = Mapping[str, Sequence[Row]]
_NAMED_TABLES = (
    "http_requests", "http_responses", "websocket_messages", "tls_handshakes", "conversations",
    "stun_messages", "dns_queries",
)  # fmt: skip


class Names:
    """Names of servers by what the capture itself says."""

    def __init__(self, tables: Tables) -> None:
        self._by_address: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._by_sni: dict[object, str] = {}
        self._by_header: dict[object, str] = {}
        for row in tables.get("dns_queries", ()):
            answers = row.get("answers")
            for answer in answers if isinstance(answers, tuple) else ():
                if is_address(str(answer)):
                    asked = (str(row.get("ts") or ""), str(row.get("name") or ""))
                    self._by_address[str(answer)].append(asked)
        for asked_for in self._by_address.values():
            asked_for.sort()
        for row in tables.get("tls_handshakes", ()):
            if row.get("sni") and row.get("conversation"):
                self._by_sni.setdefault(row["conversation"], str(row["sni"]))
        for row in tables.get("http_requests", ()):
            if row.get("host") and row.get("conversation") and not row.get("layer"):
                self._by_header.setdefault(row["conversation"], str(row["host"]))

    def name(self, row: Row) -> None:
        """Fill in ``host``, ``host_basis`` and ``recipient`` of one row of traffic."""
        host = row.get("host")
        if row.get("layer"):
            row["host_basis"] = "route" if host else None
        else:
            row["host"], row["host_basis"] = self._host(row, str(host) if host else None)
        row["recipient"] = row.get("host") or row.get("responder_ip") or "unknown"

    def _host(self, row: Row, host: str | None) -> tuple[str | None, str | None]:
        conversation = row.get("conversation")
        by_header, by_sni = self._by_header.get(conversation), self._by_sni.get(conversation)
        if host:
            return host, "sni" if host == by_sni and host != by_header else "host"
        if by_header or by_sni:
            return by_header or by_sni, "host" if by_header else "sni"
        name = self._asked(row.get("responder_ip"), str(row.get("ts") or ""))
        return name, "dns" if name else None

    def _asked(self, address: object, ts: str) -> str | None:
        """Return the name last asked before ``ts`` that was answered with the address."""
        asked = self._by_address.get(str(address))
        if not asked:
            return None
        before = bisect_right(asked, (ts, "\U0010ffff"))
        return asked[max(before - 1, 0)][1] or None


def name_rows(tables: Tables) -> list[str]:
    """Name the servers in all tables of traffic; return what is odd about it, a sentence each."""
    names = Names(tables)
    for table in _NAMED_TABLES:
        for row in tables.get(table, ()):
            names.name(row)
    return _contradictions(tables)


def _contradictions(tables: Tables) -> list[str]:
    sni = {row["conversation"]: row["sni"] for row in tables.get("tls_handshakes", ())
           if row.get("sni") and row.get("conversation")}  # fmt: skip
    odd = sum(
        1
        for row in tables.get("http_requests", ())
        if not row.get("layer")
        and row.get("host")
        and row.get("conversation") in sni
        and sni[row["conversation"]] != row["host"]
    )
    if not odd:
        return []
    return [f"{odd} requests name another host in their head than in the TLS handshake"]
