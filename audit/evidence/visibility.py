"""What a capture could and could not see: capabilities, limits, and what the proxy missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.bundle.manifest import Manifest
from audit.evidence.processes import is_others
from audit.evidence.roles import LOOPBACK
from audit.readers.endpoint import responder_of
from audit.readers.tlslog import TlsOutcome
from audit.tables.frames import Row
from audit.tables.vocabulary import OPENED_TRANSPORTS, Tap

Tables = Mapping[str, Sequence[Row]]
_VANTAGE_LIMITS = {
    "netns": (),
    "socket-tap": ("the client's own address as others see it was not seen",),
    "proxy": (
        "what the client sent around the recording proxy was not seen",
        "name look-ups, true server certificates and the client's own address were not seen",
    ),
    "wireguard": ("traffic outside the tunnel was not seen",),
    "browser": ("what other programs sent was not seen",),
    "import": (
        "an import has no tap control of the recorder: it can show violations, not their absence",
    ),
}


def capabilities(manifest: Manifest, proven: frozenset[Tap]) -> frozenset[str]:
    """Return what the capture supplies; a tap that did not show its control supplies nothing."""
    found: set[str] = set()
    if manifest.vantage == "netns" and "packets" in proven:
        found |= {"packets.all_interfaces", "dns.seen", "tls.metadata"}
    if manifest.vantage == "netns" and proven:
        found.add("process.attribution")
    return frozenset(found)


def sees_all(manifest: Manifest, proven: frozenset[Tap]) -> bool:
    """Whether everything the client sent was seen, on every interface that it had."""
    return "packets.all_interfaces" in capabilities(manifest, proven)


def limits(manifest: Manifest, tables: Tables, missing: Sequence[Tap]) -> list[str]:
    """Return what this vantage cannot see, in plain words."""
    found = list(_VANTAGE_LIMITS[manifest.vantage])
    if manifest.vantage == "import":
        processes = {
            (row.get("process"), row.get("process_basis"))
            for rows in tables.values()
            for row in rows
        }
        if ("app", "declared") in processes:
            found.append("that the traffic is the app's was declared, not observed")
        elif not any(process == "app" for process, _ in processes):
            why = "the capture is mixed: " if manifest.mixed else ""
            found.append(f"{why}no row could be tied to the app")
        if manifest.vouched_by:
            found.append(f"the journal rests on the word of {manifest.vouched_by}")
    elif is_intercepted(manifest):
        found.append("in the intercepted pass servers saw the proxy, not the client itself")
    found += [f"the {tap} tap did not show its control: nothing passes on it" for tap in missing]
    found += [
        f"the {rung.name} vantage did not work on this machine: {rung.reason}"
        for rung in manifest.ladder
        if not rung.works and rung.reason
    ]
    sealed = sum(1 for row in tables.get("conversations", ()) if is_sealed(row))
    if sealed:
        found.append(f"{sealed} conversations of the client could not be opened")
    return found


def is_intercepted(manifest: Manifest) -> bool:
    """Whether a proxy stood between client and servers."""
    return manifest.pass_ == "intercepted"  # noqa: S105 - a pass of recording, no password


def is_sealed(row: Row) -> bool:
    """Whether a conversation of the client has payload whose bytes were never had."""
    return (
        row.get("process") in {"app", "unknown"}
        and not is_others(row)
        and row.get("transport") not in OPENED_TRANSPORTS
        and row.get("payload_bytes") != 0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySide:
    """What the proxy of a capture says, conversations named as in the packets."""

    has_flows: bool
    """Whether there is a dump or an archive, be it empty."""
    has_packets: bool
    outcomes: Mapping[str, TlsOutcome]
    """Conversation -> how its TLS ended at the proxy."""
    flowed: frozenset[object]
    """Conversations that became flows, or entries of an archive."""
    onward: frozenset[object] = frozenset()
    """The proxy's own onward connections."""
    ends: frozenset[str] = frozenset()
    """``address:port`` of what its flows were sent to: servers, and explicit proxies."""
    carries_dns: bool = False
    """Whether name look-ups went through it: some are among its flows."""
    carries_udp: bool = False
    """Whether UDP went through it: some is among its flows."""


def missed_by_proxy(
    manifest: Manifest, tables: Tables, proxy: ProxySide
) -> list[dict[str, object]]:
    """Return the conversations that the packets saw and the proxy did not read, with the reason.

    Intercepted captures with both taps alone; name look-ups, loopback and what the kernel or
    another program sent are none of the proxy's business. A conversation that did become a flow
    stands here too where the packets show requests of which the proxy has none.
    """
    has_both = proxy.has_flows and proxy.has_packets
    if not is_intercepted(manifest) or (manifest.vantage == "import" and not has_both):
        return []
    lacking = _lacking(tables)
    found = []
    for row in tables.get("conversations", ()):
        name = row.get("conversation")
        if row.get("taps") == ("proxy",) or not _concerns_proxy(row, proxy):
            continue
        is_flow = name in proxy.flowed
        reason = lacking.get(name) if is_flow else _missed(row, tables, proxy, lacking)
        if reason is not None:
            found.append(
                {
                    "capture": manifest.id,
                    "conversation": name,
                    "recipient": row.get("recipient"),
                    "reason": reason,
                    "bytes": total_bytes(row),
                }
            )
    return found


def _lacking(tables: Tables) -> dict[object, str]:
    """Return, for each conversation that both taps read, how many requests the proxy lacks."""
    seen: Counter[object] = Counter()
    lacking: Counter[object] = Counter()
    for row in tables.get("http_requests", ()):
        taps = row.get("taps")
        if row.get("conversation") and not row.get("layer") and isinstance(taps, tuple):
            seen[row["conversation"]] += "packets" in taps
            lacking[row["conversation"]] += taps == ("packets",)
    return {
        name: f"{count} of {seen[name]} requests in it became no flow"
        for name, count in lacking.items()
        if count
    }


def _concerns_proxy(row: Row, proxy: ProxySide) -> bool:
    if row.get("process") == "os" or is_others(row) or row.get("conversation") in proxy.onward:
        return False
    return not (
        (
            row.get("peer_role") == LOOPBACK
            and responder_of(row.get("conversation")) not in proxy.ends
        )
        or (row.get("only_dns") and not proxy.carries_dns)
        or not row.get("payload_bytes")
    )


def _missed(
    row: Row, tables: Tables, proxy: ProxySide, lacking: Mapping[object, str]
) -> str | None:
    """Return why a conversation became no flow; ``None`` where nothing in it could."""
    proto = str(row.get("proto"))
    if proto in _UDP and not (proxy.carries_udp or row.get("only_dns")):
        return f"the recording proxy carries no {_udp_name(row, tables)}"
    if proto not in {"tcp", *_UDP}:
        return None
    outcome = proxy.outcomes.get(str(row.get("conversation")))
    if outcome is None:
        return "no flow: the proxy has no record of it"
    if outcome.outcome == "decrypted":
        was_had = row.get("transport") in OPENED_TRANSPORTS
        is_silent = was_had and row.get("content") in {None, "empty"}
        is_silent = is_silent and row.get("conversation") not in lacking
        return None if is_silent else "TLS was opened, but no flow came of it"
    return f"TLS {outcome.outcome.replace('-', ' ')}" + (
        f": {outcome.reason}" if outcome.reason else ""
    )


_UDP = ("udp", "quic")


def _udp_name(row: Row, tables: Tables) -> str:
    conversation = row.get("conversation")
    if any(r.get("conversation") == conversation for r in tables.get("stun_messages", ())):
        return "UDP (STUN)"
    is_quic = row.get("proto") == "quic" or any(
        r.get("conversation") == conversation for r in tables.get("tls_handshakes", ())
    )
    return "UDP (QUIC)" if is_quic else "UDP"


def total_bytes(row: Row) -> int:
    """Return the bytes of a conversation, on the wire where packets were seen."""
    both = [row.get(name) for name in ("bytes_out", "bytes_in")]
    counted = [value for value in both if isinstance(value, int)]
    if counted:
        return sum(counted)
    payload = row.get("payload_bytes")
    return payload if isinstance(payload, int) else 0
