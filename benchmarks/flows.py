"""Flows: a mitmproxy dump to tables against mitmproxy's ``FlowReader``, in pairs.

    python benchmarks/flows.py [--flows 4000] [--times 7]

prints its section of RESULTS.md. Each figure is that of a fresh process which reads the dump once,
by its own clock, imports not counted: ``FlowReader`` walks over all flows and keeps none;
``read_flows`` makes and keeps all rows (headers, bodies decoded, JSON, content judged) and every
payload that the identifier search goes over. A third program makes the same rows of the flows
that ``FlowReader`` gives.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from measure import CACHE

TITLE = "Flows"
FLOWS = 4000
KINDS = ("mixed", "calls")
_CLOCK = """
import json, resource, sys, time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
path = Path(sys.argv[1])
{imports}
wall, cpu = time.perf_counter(), time.process_time()
{work}
print(json.dumps([
    time.perf_counter() - wall, time.process_time() - cpu,
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, count,
]))
"""
PROGRAMS = {
    "`read_flows`": _CLOCK.format(
        imports="from audit.readers.mitm import FlowOptions, read_flows",
        work="""
found = read_flows(path, FlowOptions(capture="bench"))
assert not found.truncated
count = sum(map(len, found.rows.values())), len(found.payloads)
""",
    ),
    "`FlowReader`": _CLOCK.format(
        imports="from mitmproxy.io import FlowReader",
        work="""
with path.open("rb") as file:
    count = sum(1 for _ in FlowReader(file).stream())
""",
    ),
    "the same rows of `FlowReader`": _CLOCK.format(
        imports="""
from mitmproxy.io import FlowReader
from audit.readers.flow_rows import FlowRows
from audit.readers.flow_state import Flow
""",
        work="""
rows = FlowRows(capture="bench")
with path.open("rb") as file:
    for number, flow in enumerate(FlowReader(file).stream(), start=1):
        rows.add(Flow.of(flow.get_state(), number, "flows.mitm"))
found = rows.finish()
count = sum(map(len, found.rows.values())), len(found.payloads)
""",
    ),
}
OURS, PEER, SAME = PROGRAMS


@dataclass(frozen=True, slots=True)
class Reading:
    """One process that read a dump."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    count: object


def dump(kind: str, flows: int) -> Path:
    """Return the dump, written anew where it is not there yet."""
    path = CACHE / f"flows-{kind}-{flows}.mitm"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        script = Path(__file__).with_name("make_flows.py")
        command = [sys.executable, "-W", "ignore", script, path, "--flows", str(flows)]
        subprocess.run([*command, "--kind", kind], check=True)
    return path


def read(program: str, path: Path) -> Reading:
    """Run one of the programs."""
    command = [sys.executable, "-c", PROGRAMS[program], str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Reading(*json.loads(done.stdout))


def section(flows: int = FLOWS, times: int = 7) -> str:
    """Measure; return the section as Markdown."""
    text = (
        f"Input: `python benchmarks/make_flows.py FILE --flows {flows} --kind KIND`, seed 1; the"
        " mixes stand in that script. `FlowReader` gives objects and drops them; `read_flows` keeps"
        " all rows and the bytes to search. Imports are not counted."
    )
    lines = [
        text,
        "",
        "| dump | program | wall s | CPU s | flows/s | peak MiB |",
        "|---|---|---|---|---|---|",
    ]
    verdicts = []
    for kind in KINDS:
        path = dump(kind, flows)
        found: dict[str, list[Reading]] = {name: [] for name in PROGRAMS}
        for _ in range(times):
            for name in PROGRAMS:
                found[name].append(read(name, path))
        for name, readings in found.items():
            seconds = median(one.seconds for one in readings)
            cpu = median(one.cpu_seconds for one in readings)
            peak = max(one.peak_mib for one in readings)
            lines.append(
                f"| {kind}, {path.stat().st_size / 1e6:.0f} MB | {name} | {seconds:.2f} |"
                f" {cpu:.2f} | {flows / seconds:,.0f} | {peak:.0f} |"
            )
        rows, payloads = found[OURS][0].count  # type: ignore[misc]
        alone, alike = (_ratios(found, name) for name in (PEER, SAME))
        verdicts.append(
            f"- {kind}: **{alone[times // 2]:.1f}x `FlowReader` alone** (median of {times} pairs,"
            f" {alone[0]:.1f} to {alone[-1]:.1f}, by CPU time), {alike[times // 2]:.1f}x"
            f" `FlowReader` with the same {rows:,} rows and {payloads:,} payloads made of what it"
            " gives."
        )
    return "\n".join([*lines, "", *verdicts])


def _ratios(found: dict[str, list[Reading]], peer: str) -> list[float]:
    pairs = zip(found[OURS], found[peer], strict=True)
    return sorted(theirs.cpu_seconds / ours.cpu_seconds for ours, theirs in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--times", type=int, default=7)
    given = parser.parse_args()
    print(section(given.flows, given.times))


if __name__ == "__main__":
    main()
