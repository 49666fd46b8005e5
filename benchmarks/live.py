"""The live add-on: requests a second through mitmdump with it, against mitmdump without, in pairs.

    python benchmarks/live.py [--requests 3000] [--times 5]

prints its section of RESULTS.md. Server, client and proxy are processes of their own on 127.0.0.1;
the judge, in one more, searches for ten thousand patterns and judges by the Session policy. Both
proxies have the same options. The judge may lag behind: how long it takes to the end is told, too.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))

from audit.bundle.identity import Identifier, Identity, make_identity
from audit.checks.targets import locate_target
from audit.evidence.context import EvidenceContext
from audit.identifiers.needles import make_anchors, make_needles
from audit.live import proxy as live_proxy
from audit.live.judge import LiveJudge
from audit.live.proxy import LiveProxy, judge_quietly

TITLE = "Live"
LOAD = Path(__file__).with_name("live_load.py")
CONNECTIONS = 8
PATTERNS = 10_000
WARM = 200
"""Requests before it is measured."""


def subject(patterns: int = PATTERNS) -> tuple[Identity, int]:
    """Return enough identifiers that their forms are ten thousand patterns, and how many."""

    found: list[Identifier] = []
    while True:
        values = (f"05{secrets.token_hex(32)}" for _ in range(20))
        found += [Identifier(kind="account_id", value=value, canary=True) for value in values]
        count = len(make_anchors(make_needles(tuple(found))).texts)
        if count >= patterns:
            return make_identity(found), count


@dataclass(frozen=True, slots=True)
class Through:
    """One run of the load through a proxy."""

    rate: float
    cpu_ms: float
    """Processor time of the proxy a request, milliseconds."""
    judged: int
    lag_s: float
    """Seconds from the last answer to the last judgement."""


def cpu_of(pid: int) -> float:
    """Return processor seconds of a process (proc(5), utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(port: int, server: int, requests: int) -> float:
    command = [sys.executable, LOAD, "ask", str(port), str(server), str(CONNECTIONS), str(requests)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def plain(server: int, requests: int, folder: Path) -> Through:
    """Run the load through mitmdump with an add-on that does nothing but say where it listens."""
    script = folder / "plain.py"
    script.write_text(
        "import os\nfrom mitmproxy import ctx\nfrom audit.live.flowpipe import READY, frame\n"
        "class Ready:\n"
        "    def running(self):\n"
        "        ports = [a[1] for a in ctx.master.addons.get('proxyserver').listen_addrs()]\n"
        "        os.write(int(os.environ['AUDIT_LIVE_PIPE']), frame(READY, ports[0]))\n"
        "addons = [Ready()]\n"
    )
    kept, live_proxy._ADDON = live_proxy._ADDON, script  # noqa: SLF001
    try:
        with LiveProxy() as proxy:
            proxy.wait_ready()
            ask(proxy.port or 0, server, WARM)
            before = cpu_of(proxy.pid)
            rate = requests / ask(proxy.port or 0, server, requests)
            return Through(rate, 1000 * (cpu_of(proxy.pid) - before) / requests, 0, 0.0)
    finally:
        live_proxy._ADDON = kept  # noqa: SLF001


def judged(server: int, requests: int, identity: Identity) -> Through:
    """Run the load through the add-on, the judge beside it in a process of its own."""
    with subprocess.Popen(
        [sys.executable, __file__, "--judge", *(item.value for item in identity.identifiers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as judge:
        if judge.stdin is None or judge.stdout is None:
            raise RuntimeError("no pipes")
        port, pid = map(int, judge.stdout.readline().split())
        ask(port, server, WARM)
        before = cpu_of(pid)
        seconds = ask(port, server, requests)
        cpu_ms = 1000 * (cpu_of(pid) - before) / requests
        begin = perf_counter()
        judge.stdin.write("stop\n")
        judge.stdin.flush()
        flows = int(judge.stdout.readline())
        return Through(requests / seconds, cpu_ms, flows, perf_counter() - begin)


def judge_here(values: list[str]) -> None:
    """Be the judge: print the proxy's port, judge until told to stop, print how many flows."""
    import threading

    identity = make_identity([Identifier(kind="account_id", value=v, canary=True) for v in values])
    policy, target = locate_target(None, "session")
    moment = datetime.now(UTC)
    context = EvidenceContext.of(policy, target.file, as_of=moment, identity=identity)
    judge = LiveJudge(policy, target, context, moment, lambda text: text)
    judge.prepare()
    with LiveProxy() as proxy:
        proxy.wait_ready()
        print(proxy.port, proxy.pid, flush=True)
        judge_quietly()
        threading.Thread(target=lambda: (sys.stdin.readline(), proxy.stop()), daemon=True).start()
        for batch in proxy.batches():
            judge.judge(batch)
    print(judge.flows, flush=True)


def section(requests: int = 3000, times: int = 5) -> str:
    identity, patterns = subject()
    pairs: list[tuple[Through, Through]] = []
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, LOAD, "serve"], stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        if server.stdout is None:
            raise RuntimeError("no pipe")
        port = int(server.stdout.readline())
        for _ in range(times):
            first = plain(port, requests, Path(folder))
            pairs.append((first, judged(port, requests, identity)))
        server.kill()
    return report(
        pairs, requests, f"{patterns:,} patterns, {len(identity.identifiers)} identifiers"
    )


def report(pairs: list[tuple[Through, Through]], requests: int, searched: str) -> str:
    """Return the section."""
    costs = [with_.cpu_ms / without.cpu_ms for without, with_ in pairs]
    ratios = [with_.rate / without.rate for without, with_ in pairs]
    what = f"{requests:,} POST requests over {CONNECTIONS} kept connections, {len(pairs)} pairs"
    lines = [
        f"{what} in turn; the judge searches for {searched} in every form.",
        "",
        "| proxy | requests/s | ratio, pair by pair | CPU of the proxy a request | ratio |",
        "|---|---|---|---|---|",
    ]
    for name, runs in (("plain mitmdump", 0), ("with `audit live`", 1)):
        rate = median(pair[runs].rate for pair in pairs)
        cpu = median(pair[runs].cpu_ms for pair in pairs)
        spread = f"median {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        ratio, cost = (spread, f"median {median(costs):.3f}") if runs else ("", "")
        lines.append(f"| {name} | {rate:,.0f} | {ratio} | {cpu:.3f} ms | {cost} |")
    judged_all = min(with_.judged for _, with_ in pairs)
    lag = median(with_.lag_s for _, with_ in pairs)
    lines += [
        "",
        f"Every run judged {judged_all:,} of {requests + WARM:,} flows, {lag:.1f} s after the end.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        judge_here(sys.argv[2:])
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--requests", type=int, default=3000)
        parser.add_argument("--times", type=int, default=5)
        chosen = parser.parse_args()
        print(section(chosen.requests, chosen.times))
