"""tshark as the oracle: packets, conversations with bytes, DNS names, SNI and JA3 of real files.

Each disagreement is listed in docs/agreement.md with who is right and why; anything else fails.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from audit.readers.packets import PacketOptions, read_packets
from tests.readers.test_packets import FILES, frames_of, need

pytestmark = pytest.mark.system

FIELDS = (
    "frame.number", "frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport",
    "tcp.dstport", "udp.srcport", "udp.dstport", "frame.protocols", "dns.qry.name",
    "tls.handshake.extensions_server_name", "tls.handshake.ja3", "dtls.handshake.ja3",
    "http.request.method", "http.request.uri", "http2.headers.method", "http2.headers.path",
)  # fmt: skip

LIST = Path(__file__).parents[2] / "docs/agreement.md"
EXCEPTIONS = {
    file: what.split()
    for file, what, _ in re.findall(
        r"^\| ([\w.-]+\.pcap[\w.]*) \| ([a-z0-9 ]+) \| (us|tshark|both) \| .+ \|$",
        LIST.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}
LAB = sorted((Path(__file__).parents[2] / "captures").glob("**/packets.pcapng"))
both = pytest.mark.parametrize(
    "path", [*FILES, *LAB] or [None], ids=lambda path: path and f"{path.parent.name}/{path.name}"
)


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
        "http": requests(rows),
    }  # fmt: skip


def requests(rows):
    """Method and target of each HTTP/1 and HTTP/2 request; an absolute target without its host."""
    found = Counter()
    for row in rows:
        for version, target in (("http.request", "uri"), ("http2.headers", "path")):
            pairs = zip(row[f"{version}.method"], row[f"{version}.{target}"], strict=False)
            found.update((method, bare(uri)) for method, uri in pairs if method and uri)
    return {pair: count for pair, count in found.items() if pair[0] != "CONNECT"}


def bare(target):
    return re.sub(r"^https?://[^/]*", "", target) or "/"


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
        "http": dict(
            Counter(
                (row["method"], row["path"] + (f"?{row['query']}" if row["query"] else ""))
                for row in rows.get("http_requests", [])
            )
        ),
    }


@both
def test_tshark_sees_the_same(path):
    wanted, found = theirs(tshark(need(path))), ours(path)
    excused = EXCEPTIONS.get(path.name.rpartition("__")[2], [])
    for what, value in wanted.items():
        assert (found[what] == value) != (what in excused), (what, found[what], value)


def test_the_list_names_files_that_are_there_and_says_what_differs():
    names = {path.name.rpartition("__")[2] for path in FILES}
    assert len(EXCEPTIONS) == LIST.read_text(encoding="utf-8").count(".pcap") > 0
    assert not FILES or not EXCEPTIONS.keys() - names
    known = {"packets", "conversations", "dns", "sni", "ja3", "http"}
    assert all(set(what) <= known for what in EXCEPTIONS.values())
