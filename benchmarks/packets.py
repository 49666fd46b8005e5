"""Packets: a capture to tables against ``tshark -T fields`` with the same columns, in pairs.

    python benchmarks/packets.py [--packets 3000000] [--times 3]

prints its section of RESULTS.md. Ours is a fresh process that reads the capture into all tables
(conversations, DNS, TLS with JA3 and JA4, QUIC, STUN, HTTP); ``import`` is inside the figure.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from measure import CACHE, Run, in_turn, middle, run

TITLE = "Packets"
FIELDS = (
    "frame.number", "frame.time_epoch", "frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
    "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "dns.qry.name", "dns.a",
    "dns.aaaa", "tls.handshake.extensions_server_name", "tls.handshake.ja3",
    "tls.handshake.ja4", "quic.version",
)  # fmt: skip
PACKETS = 3_000_000
QUARTER = 4
OURS = """
import sys
from pathlib import Path
from audit.readers.packets import PacketOptions, read_packets
read_packets(Path(sys.argv[1]), PacketOptions(capture='bench'))
"""
OUTPUT = """
import sys
from pathlib import Path
from audit.readers.packets import PacketOptions, read_packets
found = read_packets(Path(sys.argv[1]), PacketOptions(capture='bench'))
seen, size, left = set(), 0, [found.rows, found.payloads]
while left:
    item = left.pop()
    if id(item) in seen:
        continue
    seen.add(id(item))
    size += sys.getsizeof(item)
    if isinstance(item, dict):
        left += [*item.keys(), *item.values()]
    elif isinstance(item, (list, tuple)):
        left += item
    elif hasattr(item, '__slots__'):
        left += [getattr(item, name) for name in item.__slots__]
print(len(found.rows['conversations']), size)
"""


def capture(packets: int, kind: str = "pcapng") -> Path:
    """Return the capture, written anew where it is not there yet."""
    path = CACHE / f"mixed-{packets}.{kind}"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        script = Path(__file__).with_name("make_capture.py")
        subprocess.run(
            [sys.executable, script, path, "--packets", str(packets), "--format", kind], check=True
        )
    return path


def ours(path: Path) -> list[str]:
    return [sys.executable, "-c", OURS, str(path)]


def tshark(path: Path) -> list[str]:
    """The peer: no name resolution, one pass, the fields that this version knows."""
    known = subprocess.run(["tshark", "-G", "fields"], capture_output=True, text=True, check=True)
    names = {line.split("\t")[2] for line in known.stdout.splitlines() if line.startswith("F\t")}
    fields = [part for name in FIELDS if name in names for part in ("-e", name)]
    return ["tshark", "-n", "-r", str(path), "-T", "fields", *fields]


def section(packets: int = PACKETS, times: int = 3) -> str:
    """Measure; return the section as Markdown."""
    whole, quarter = capture(packets), capture(packets // QUARTER)
    size = whole.stat().st_size
    ours_runs = {"pcapng": ours(whole), "pcap": ours(capture(packets, "pcap"))}
    command = f"python benchmarks/make_capture.py {whole.name} --packets {packets}"
    lines = [
        f"Input: `{command}`, {size / 1e9:.2f} GB, seed 1; the mix stands in that script.",
        "",
        "| program | wall s | CPU s | packets/s | peak MiB |",
        "|---|---|---|---|---|",
    ]

    def row(name: str, found: Run, count: int) -> None:
        lines.append(
            f"| {name} | {found.seconds:.2f} | {found.cpu_seconds:.2f}"
            f" | {count / found.seconds:,.0f} | {found.peak_mib:.0f} |"
        )

    if shutil.which("tshark"):
        peer = tshark(whole)
        found = in_turn({"ours": ours_runs["pcapng"], "tshark": peer}, times)
        mine, other = middle(found["ours"]), middle(found["tshark"])
        row("`read_packets`", mine, packets)
        row("`tshark`", other, packets)
        ratios = sorted(
            two.seconds / one.seconds
            for one, two in zip(found["ours"], found["tshark"], strict=True)
        )
        verdict = (
            f"**{ratios[len(ratios) // 2]:.1f}x tshark by the clock** (median of {times} pairs,"
            f" {ratios[0]:.1f} to {ratios[-1]:.1f}),"
            f" {other.cpu_seconds / mine.cpu_seconds:.1f}x by CPU time."
            f" Peer: `{' '.join(peer).replace(str(whole), whole.name)}`."
        )
    else:
        mine = middle([run(ours_runs["pcapng"]) for _ in range(times)])
        row("`read_packets`", mine, packets)
        verdict = "tshark is not installed here: no ratio."
    small = run(ours(quarter))
    row("`read_packets`, a quarter of the file", small, packets // QUARTER)
    row("`read_packets`, the same as pcap", run(ours_runs["pcap"]), packets)
    grown = memory(whole, mine.peak_mib, quarter, small.peak_mib)
    return "\n".join([*lines, "", verdict, "", grown])


def memory(whole: Path, peak: float, quarter: Path, small_peak: float) -> str:
    """Say how much of the memory is what comes out."""
    found = []
    for path in (whole, quarter):
        command = [sys.executable, "-c", OUTPUT, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        count, size = map(int, done.stdout.split())
        found.append((count, size / (1 << 20)))
    (many, large), (few, little) = found
    each = ((peak - large) - (small_peak - little)) / (many - few) * 1024
    return (
        f"Memory grows with conversations, not with packets: {few:,} of them make {little:.0f} MiB"
        f" of rows and payloads, {many:,} make {large:.0f} MiB. Beyond these the peak is"
        f" {small_peak - little:.0f} and {peak - large:.0f} MiB: {each:.1f} KiB a conversation."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=PACKETS)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    print(section(given.packets, given.times))


if __name__ == "__main__":
    main()
