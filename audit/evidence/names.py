"""Who was spoken to: a name for each server, and how it is known.

What a client says of a server (Host, SNI) is its own word. It names the server only where an answer
to a name look-up bears it out; else it stays as a claim, see ``docs/decisions/0003``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from audit.evidence.owners import owner_of
from audit.readers.endpoint import is_address, plain_address
from audit.readers.listing import LISTED
from audit.tables.frames import Row
from audit.tables.vocabulary import CLAIMED

Tables = Mapping[str, Sequence[Row]]
Stated = Mapping[str, Sequence[str]]
"""Address -> names that a file itself states."""
_NAMED_TABLES = (
    "http_requests", "http_responses", "websocket_messages", "tls_handshakes", "conversations",
    "stun_messages", "dns_queries",
)  # fmt: skip
_PLAIN_DNS: Final = frozenset({"udp", "tcp", "dot"})
"""Protocols whose answers come as messages of their own, not as a body that a client could send."""
_SHOWN: Final = 10
"""Claims that are named one by one."""
_GIVEN: Final = frozenset({LISTED, CLAIMED})
"""Bases that a reader itself gives: of names in lists that a device keeps."""
_MOST_NAMES: Final = 16
"""Names of one server that are listed in its row."""


class Names:
    """Names of servers by what the capture itself says."""

    def __init__(
        self,
        tables: Tables,
        resolvers: frozenset[str] = frozenset(),
        *,
        all_lookups: bool = False,
        stated: Stated | None = None,
    ) -> None:
        self._all_lookups = all_lookups
        # where every look-up was seen, nobody else's word is needed
        self._stated: Stated = {} if all_lookups else stated or {}
        self._by_address: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._answers: dict[str, set[str]] = defaultdict(set)
        self._by_sni: dict[object, str] = {}
        self._by_header: dict[object, str] = {}
        self.claims: set[tuple[str, str]] = set()
        """Names that nothing bears out, each with the address it was said of."""
        self.words: set[str] = set()
        """Names accepted on the client's word: of them no look-up was seen."""
        for row in tables.get("dns_queries", ()):
            is_asked = not row.get("layer") and row.get("protocol") in _PLAIN_DNS
            if is_asked and str(row.get("server")) in resolvers:
                self._learn(row)
        for asked_for in self._by_address.values():
            asked_for.sort()
        self._looked_up = {
            address: tuple(dict.fromkeys(name for _, name in asked_for))[:_MOST_NAMES]
            for address, asked_for in self._by_address.items()
        }
        for row in tables.get("tls_handshakes", ()):
            if row.get("sni") and row.get("conversation"):
                self._by_sni.setdefault(row["conversation"], str(row["sni"]))
        for row in tables.get("http_requests", ()):
            if row.get("host") and row.get("conversation") and not row.get("layer"):
                self._by_header.setdefault(row["conversation"], str(row["host"]))

    def _learn(self, row: Row) -> None:
        """Note the addresses that an answer gives for the name that was asked for."""
        answers, name = row.get("answers"), str(row.get("name") or "")
        for answer in answers if isinstance(answers, tuple) else ():
            if is_address(str(answer)):
                address = plain_address(str(answer))
                self._by_address[address].append((str(row.get("ts") or ""), name))
                self._answers[name].add(address)

    def name(self, row: Row) -> None:
        """Fill in ``host``, ``host_basis`` and ``recipient`` of one row of traffic."""
        host, address = row.get("host"), row.get("responder_ip")
        if row.get("layer"):
            row["host_basis"] = "route" if host else None
        elif row.get("host_basis") not in _GIVEN:
            row["host"], row["host_basis"] = self._host(row, str(host) if host else None)
        is_claim = row["host_basis"] == CLAIMED
        row["recipient"] = (None if is_claim else row.get("host")) or address or "unknown"

    def all_of(self, row: Row) -> tuple[str, ...]:
        """Return every name that the capture gives the server of a conversation, with the basis."""
        conversation, address = row.get("conversation"), row.get("responder_ip")
        plain = plain_address(str(address)) if address else ""
        found = [(row.get("host"), row.get("host_basis"))]
        found.append((self._by_sni.get(conversation), "sni"))
        found.append((self._by_header.get(conversation), "host"))
        found += [(name, "dns") for name in self._looked_up.get(plain, ())]
        found += [(name, LISTED) for name in self._stated.get(plain, ())]
        listed = dict.fromkeys(f"{name} ({basis})" for name, basis in found if name)
        return tuple(listed)[:_MOST_NAMES]

    def _host(self, row: Row, host: str | None) -> tuple[str | None, str | None]:
        conversation = row.get("conversation")
        by_header, by_sni = self._by_header.get(conversation), self._by_sni.get(conversation)
        said = host or by_header or by_sni
        if said:
            is_sni = said == by_sni and said != by_header
            return said, self._basis(said, row.get("responder_ip"), "sni" if is_sni else "host")
        name = self._asked(row.get("responder_ip"), str(row.get("ts") or ""))
        if name is None and row.get("responder_ip"):
            listed = self._stated.get(plain_address(str(row["responder_ip"])), ())
            return (listed[0], LISTED) if listed else (None, None)
        return name, "dns" if name else None

    def _basis(self, said: str, address: object, basis: str) -> str:
        """Return ``basis`` where look-ups bear a name out, or none can be expected to."""
        answered = self._answers.get(said)
        if answered and address is not None and plain_address(str(address)) in answered:
            return basis
        if answered or self._all_lookups:
            self.claims.add((said, str(address)))
            return CLAIMED
        self.words.add(said)
        return basis

    def _asked(self, address: object, ts: str) -> str | None:
        """Return the name last asked before ``ts`` that was answered with the address."""
        asked = self._by_address.get(plain_address(str(address))) if address else None
        if not asked:
            return None
        before = bisect_right(asked, (ts, "\U0010ffff"))
        return asked[max(before - 1, 0)][1] or None


def name_rows(
    tables: Tables,
    resolvers: frozenset[str] = frozenset(),
    *,
    all_lookups: bool = False,
    stated: Stated | None = None,
) -> list[str]:
    """Name the servers in all tables of traffic; return what is odd about it, a sentence each.

    Answers of ``resolvers`` alone count. ``all_lookups`` says that every look-up of the client in
    clear was seen: then a name that none of them gave is a claim. ``stated`` are names that the
    capture's file states by itself: they count last.
    """
    names = Names(tables, resolvers, all_lookups=all_lookups, stated=stated)
    for table in _NAMED_TABLES:
        for row in tables.get(table, ()):
            names.name(row)
            row["owner"] = _owner(table, row)
    for row in tables.get("conversations", ()):
        row["names"] = names.all_of(row)
    return [*_claims(names), *_contradictions(tables)]


def _owner(table: str, row: Row) -> str | None:
    """Return who runs the server (of a look-up: what was asked for); a mere claim has nobody."""
    if table == "dns_queries":
        return owner_of(str(row.get("name") or ""))
    if row.get("host_basis") == CLAIMED:
        return None
    said = row.get("owner")
    return owner_of(str(row.get("host") or "")) or (str(said) if said else None)


def _claims(names: Names) -> list[str]:
    claims = sorted(names.claims)
    found = [
        f"the client named {name} to {address}, which no name look-up gave for it"
        for name, address in claims[:_SHOWN]
    ]
    if len(claims) > _SHOWN:
        found.append(f"the client named {len(claims) - _SHOWN} more servers that no look-up gave")
    if names.words:
        count = len(names.words)
        which = "the name of 1 server is" if count == 1 else f"the names of {count} servers are"
        found.append(f"{which} the client's own word: no name look-up for them was seen")
    return found


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
