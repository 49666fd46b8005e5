"""The open leak suite (``benchmarks/leaks/``): this toolkit and its peers, in one table.

    python benchmarks/leak_suite.py [--seed 1] [--limit 1000] [--jobs 2]

prints its section of RESULTS.md. Peers come from their registries into ``.cache``; one that does
not install is left out, and why is said.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from leaks.__main__ import run
from leaks.generate import write_suite
from leaks.score import Score, score
from measure import CACHE

TITLE = "Leak suite"
SEED = 1
JOBS = os.cpu_count() or 1
"""Parts of the suite that are run at once: all of it takes half an hour on two quiet cores."""
HERE = Path(__file__).resolve().parent / "leaks"
PEERS = CACHE / "peers"
TRACKHAR = "trackhar@1.0.0"
INSPECTOR = "privacy-flow-inspector==0.3.0"
AXES = ("form", "location")


def trackhar() -> list[str]:
    """Install the peer if need be; return its runner. Raises what ``npm`` fails with."""
    entry = PEERS / "node_modules/trackhar/dist/index.js"
    if not entry.exists():
        PEERS.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(PEERS)]
        subprocess.run([*command, TRACKHAR], check=True, stdout=subprocess.DEVNULL)
    os.environ["TRACKHAR"] = str(entry)
    return ["node", str(HERE / "peers/trackhar.mjs")]


def inspector() -> list[str]:
    """Install the peer into an environment of its own; return its runner."""
    command = PEERS / "inspector/bin/privacy-flow-inspector"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS / "inspector")], check=True)
        pip = [str(PEERS / "inspector/bin/python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, INSPECTOR], check=True)
    os.environ["INSPECTOR"] = str(command)
    return [sys.executable, str(HERE / "peers/privacy_flow_inspector.py")]


def ripgrep() -> list[str]:
    """Return the runner of ripgrep. Raises ``OSError`` where it is not installed."""
    if not shutil.which("rg"):
        raise FileNotFoundError("rg is not installed")
    return [sys.executable, str(HERE / "peers/rg.py")]


TOOLS = {
    "this toolkit": lambda: [sys.executable, str(HERE / "runner.py")],
    "`trackhar` 1.0.0": trackhar,
    "`privacy-flow-inspector` 0.3.0": inspector,
    "`rg`, the values as they are": ripgrep,
}
"""Name -> installs it and returns its runner; all but the first read the HTTP archive alone."""


def section(seed: int = SEED, limit: int | None = None, jobs: int = JOBS) -> str:
    """Measure; return the section as Markdown."""
    suite = CACHE / f"leaks-{seed}-{limit or 'all'}"
    shutil.rmtree(suite, ignore_errors=True)
    total = write_suite(suite, seed, limit=limit)
    size = f"{total:,} messages" + (f" (at most {limit:,} of each set)" if limit else "")
    told = (
        f"Input: `python -m benchmarks.leaks generate SUITE --seed {seed}`, {size}; what they are"
        " stands in [leaks/README.md](leaks/README.md). Default settings. Peers are run on the part"
        " that they can read: the requests, answers and WebSocket messages of `http.har`."
    )
    head = "| tool | leaks in what it reads | found | recall | clean messages | false findings |"
    lines = [told, "", f"{head} messages/s |", "|---|---|---|---|---|---|---|"]
    archive: dict[str, Score] = {}
    for name, prepare in TOOLS.items():
        out = CACHE / f"leaks-found-{len(archive)}"
        shutil.rmtree(out, ignore_errors=True)
        try:
            runner = prepare()
        except (OSError, subprocess.CalledProcessError) as error:
            lines.append(f"| {name} | not run: {error} | | | | | |")
            continue
        start = time.monotonic()
        run(suite, runner, out, jobs=jobs)
        seconds = time.monotonic() - start
        found = sorted(out.glob("*.jsonl"))
        if not archive:
            lines.append(_row(f"{name}, all files", score(suite, found), seconds))
        archive[name] = score(suite, found, only=["http.har"])
        lines.append(_row(f"{name}, `http.har`", archive[name], seconds if len(archive) > 1 else 0))
    lines += ["", "Recall on `http.har`, by form and by location:", ""]
    for axis in AXES:
        lines += [*_table(axis, archive), ""]
    return "\n".join(lines).rstrip()


def _row(name: str, result: Score, seconds: float) -> str:
    total, found = result.planted["all",], result.found["all",]
    speed = f"{(total + result.clean) / seconds:,.0f}" if seconds else ""
    return (
        f"| {name} | {total:,} | {found:,} | {_share(found, total)} | {result.clean:,}"
        f" | {len(result.false):,} | {speed} |"
    )


def _share(found: int, total: int) -> str:
    """Return a recall that says 1 only where nothing was missed."""
    return "1.0" if found == total else f"{min(found / max(1, total), 0.9999):.4f}"


def _table(axis: str, results: dict[str, Score]) -> list[str]:
    first = next(iter(results.values()))
    values = sorted(key[1] for key in first.planted if key[0] == axis)
    lines = [f"| {axis} | leaks | " + " | ".join(results) + " |", "|---" * (len(results) + 2) + "|"]
    for value in values:
        key = (axis, value)
        shares = [_share(result.found[key], result.planted[key]) for result in results.values()]
        lines.append(f"| {value} | {first.planted[key]:,} | " + " | ".join(shares) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--jobs", type=int, default=JOBS)
    given = parser.parse_args()
    print(section(given.seed, given.limit, given.jobs))


if __name__ == "__main__":
    main()
