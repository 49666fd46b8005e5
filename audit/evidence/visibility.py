"""What a capture could and could not see: capabilities, limits, and what the proxy missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.bundle.manifest import Manifest
from audit.evidence.roles import LOOPBACK
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
        found.append(
            "the capture is mixed: no row could be tied to the app"
            if manifest.mixed
            else "that the traffic is the app's was declared, not observed"
        )
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
        and row.get("transport") not in OPENED_TRANSPORTS
        and row.get("payload_bytes") != 0
    )


def missed_by_proxy(
    manifest: Manifest,
    tables: Tables,
    outcomes: Mapping[str, TlsOutcome],
    flowed: frozenset[object],
) -> list[dict[str, object]]:
    """Return the conversations that the packets saw and the proxy did not read, with the reason.

    ``flowed`` are the conversations that became flows (an archive names none). Intercepted captures
    alone; name look-ups, loopback and what the kernel or the recorder sent are none of the proxy's
    business.
    """
    if not is_intercepted(manifest) or (manifest.vantage == "import" and not flowed):
        return []
    return [
        {
            "capture": manifest.id,
            "conversation": row.get("conversation"),
            "recipient": row.get("recipient"),
            "reason": reason,
            "bytes": total_bytes(row),
        }
        for row in tables.get("conversations", ())
        if row.get("conversation") not in flowed
        and (reason := _missed(row, tables, outcomes)) is not None
    ]


def _missed(row: Row, tables: Tables, outcomes: Mapping[str, TlsOutcome]) -> str | None:
    """Return why the proxy did not read a conversation; ``None`` where it did or need not."""
    if row.get("process") in {"os", "control"} or row.get("peer_role") == LOOPBACK:
        return None
    if row.get("only_dns"):
        return None
    if not row.get("payload_bytes") or row.get("taps") == ("proxy",):
        return None
    proto = str(row.get("proto"))
    if proto != "tcp":
        return f"the recording proxy carries no {_udp_name(row, tables)}" if proto in _UDP else None
    outcome = outcomes.get(str(row.get("conversation")))
    if outcome is None:
        return "no flow: the proxy has no record of it"
    if outcome.outcome == "decrypted":
        was_had = row.get("transport") in OPENED_TRANSPORTS
        return None if was_had else "TLS was opened, but no flow came of it"
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
