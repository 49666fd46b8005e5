"""tshark as the oracle: packets, conversations with bytes, DNS names, SNI and JA3 of real files.

Each disagreement is listed with who is right and why; anything else fails.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter

import pytest

from audit.readers.packets import PacketOptions, read_packets
from tests.readers.test_packets import frames_of, need, sample

pytestmark = pytest.mark.system

FIELDS = (
    "frame.number", "frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport",
    "tcp.dstport", "udp.srcport", "udp.dstport", "frame.protocols", "dns.qry.name",
    "tls.handshake.extensions_server_name", "tls.handshake.ja3", "dtls.handshake.ja3",
)  # fmt: skip

NOT_READ = "link type not read here (said in 'truncated')"
EXCEPTIONS = {
    "fuzz-2021-10-13.pcap": ("packets", "tshark shows a record that the file cuts off"),
    "someip_sd_sample.pcap": ("conversations", f"PPI: {NOT_READ}"),
    "nflog-http.pcap": ("conversations", f"NFLOG: {NOT_READ}"),
    "radiotap.pcap": ("conversations dns", f"radiotap: {NOT_READ}"),
    "wlanmon.pcap": ("conversations dns", f"802.11: {NOT_READ}"),
    "quic-fuzz-overflow.pcapng": (
        "conversations",
        "first fragment: tshark names no ports until whole",
    ),
    "dns-inverse-query.pcap": ("dns", "an inverse query (RFC 1035 §6.4) asks no name"),
    "icmp-destunreach-udp.pcap": ("dns", "the name stands in the packet that an ICMP error quotes"),
    "quic_t51.pcap": ("sni ja3", "Google's own QUIC T051, not read here"),
    "quicdoq.pcap": ("ja3", "tshark 4.0 does not decrypt QUIC on this port"),
    "irc-starttls.pcap": ("ja3", "tshark 4.0 does not see TLS start inside IRC"),
    "dtls13-wolfssl.pcap": ("ja3", "two hellos, retried with a cookie: the last one counts here"),
}


def tshark(path):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    command = [
        "tshark",
        "-n",
        "-r",
        str(path),
        "-T",
        "fields",
        "-E",
        "separator=/t",
        "-E",
        "aggregator=|",
    ]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "aren't valid" not in done.stderr, done.stderr
    rows = [dict(zip(FIELDS, line.split("\t"), strict=False)) for line in done.stdout.splitlines()]
    return [{name: row.get(name, "").split("|") for name in FIELDS} for row in rows]


def endpoint(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def outer_conversation(row):
    layers = row["frame.protocols"][0].split(":")
    proto = next((name for name in layers if name in {"tcp", "udp", "icmp", "icmpv6", "sctp"}), "")
    if proto not in {"tcp", "udp"}:
        return None
    version = next(name for name in layers if name in {"ip", "ipv6"})
    ends = [
        endpoint(row[f"{version}.{side}"][0], row[f"{proto}.{side}port"][0])
        for side in ("src", "dst")
    ]
    return proto, *sorted(ends)


def theirs(rows):
    packets, size = Counter(), Counter()
    for row in rows:
        key = outer_conversation(row)
        if key is not None:
            packets[key] += 1
            size[key] += int(row["frame.len"][0])
    return {
        "packets": len(rows),
        "conversations": {key: (packets[key], size[key]) for key in packets},
        "dns": {name.lower() for row in rows for name in row["dns.qry.name"]} - {"", "<root>"},
        "sni": {n.lower() for row in rows for n in row["tls.handshake.extensions_server_name"]} - {""},
        "ja3": {
            name
            for row in rows
            for field in ("tls.handshake.ja3", "dtls.handshake.ja3")
            for name in row[field]
        } - {""},
    }  # fmt: skip


def ours(path):
    rows = read_packets(path, PacketOptions(capture="sample", file=path.name)).rows
    conversations = {}
    for row in rows.get("conversations", []):
        proto, one, _, two = row["conversation"].split(" ")
        if proto in {"tcp", "udp"} and row["originator_port"] is not None:
            key = (proto, *sorted([one, two]))
            counts = row["packets_out"] + row["packets_in"], row["bytes_out"] + row["bytes_in"]
            conversations[key] = counts
    handshakes = rows.get("tls_handshakes", [])
    return {
        "packets": len(frames_of(path)),
        "conversations": conversations,
        "dns": {row["name"] for row in rows.get("dns_queries", [])} - {""},
        "sni": {row["sni"] for row in handshakes} - {None},
        "ja3": {row["ja3"] for row in handshakes},
    }


@sample
def test_tshark_sees_the_same(path):
    wanted, found = theirs(tshark(need(path))), ours(path)
    excused = EXCEPTIONS.get(path.name.rpartition("__")[2], ("", ""))[0].split()
    for what, value in wanted.items():
        assert (found[what] == value) != (what in excused), (what, found[what], value)
