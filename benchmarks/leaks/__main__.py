"""``python -m benchmarks.leaks generate | run | score``; see README.md."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .generate import SETS, parts, write_suite
from .score import Score, score

SHOWN = 40
"""Missed leaks and false findings that are printed."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("generate", help="write a suite")
    make.add_argument("folder", type=Path)
    make.add_argument("--seed", type=int, default=1)
    make.add_argument("--sets", default=",".join(SETS))
    make.add_argument("--limit", type=int, help="draw as many of each set")
    start = commands.add_parser("run", help="run a tool over every part")
    start.add_argument("folder", type=Path)
    start.add_argument("runner", help="command that gets PART and IDENTITY")
    start.add_argument("--out", type=Path, required=True, help="folder for what it prints")
    start.add_argument("--jobs", type=int, default=1, help="parts at once")
    start.add_argument("--timeout", type=int, default=3600, help="seconds for one part")
    tell = commands.add_parser("score", help="compare with the truth")
    tell.add_argument("folder", type=Path)
    tell.add_argument("findings", type=Path)
    tell.add_argument("--json", action="store_true", help="print every miss as a line of JSON")
    given = parser.parse_args()
    if given.command == "generate":
        sets = given.sets.split(",")
        print(write_suite(given.folder, given.seed, sets, limit=given.limit), "messages")
    elif given.command == "run":
        run(given.folder, shlex.split(given.runner), given.out, given.timeout, given.jobs)
    else:
        result = score(given.folder, sorted(given.findings.glob("*.jsonl")))
        if given.json:
            for item in (*result.missed, *result.false):
                print(json.dumps(item))
        else:
            print("\n".join(report(result)))
        sys.exit(0 if not (result.missed or result.false) else 1)


def run(folder: Path, runner: list[str], out: Path, timeout: int = 3600, jobs: int = 1) -> None:
    """Run a tool over every part; its output goes to a file named for the part."""
    out.mkdir(parents=True, exist_ok=True)

    def run_part(part: Path) -> None:
        command = [*runner, str(part), str(folder / "identity.json")]
        with (out / f"{part.name}.jsonl").open("wb") as file:
            subprocess.run(command, stdout=file, check=True, timeout=timeout)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run_part, parts(folder)))


def report(result: Score) -> Iterator[str]:
    """Yield a score as text."""
    total, found = result.planted["all",], result.found["all",]
    yield f"recall {result.recall:.6f}: {found} of {total} leaks"
    yield f"false findings {len(result.false)}, clean messages {result.clean}"
    for axis, value in sorted(key for key in result.planted if len(key) == 2):
        count = result.planted[axis, value]
        got = result.found[axis, value]
        yield f"  {axis:10} {value:32} {got:8} of {count:8}" + ("" if got == count else "  <")
    for item in result.missed[:SHOWN]:
        plant = item["plants"][0]
        yield f"missed {item['part']}/{item['file']} {item['message']} {plant}"
    for item in result.false[:SHOWN]:
        yield f"false {item}"


if __name__ == "__main__":
    main()
