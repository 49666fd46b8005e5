"""How long commands take that people wait for."""

from __future__ import annotations

import sys
from pathlib import Path

from measure import CACHE, in_turn, middle

TITLE = "Commands"
TIMES = 7
ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "captures" / "sample"
DEMO = ROOT / "captures" / "demo"
REACH = {"audit --help": 0.3, "audit run": 2.0}
"""Seconds of wall time that design asks for, by the command's beginning."""


def section() -> str:
    """Measure help, a run on the sample, and runs on the demo's bundles, if they are here."""
    audit = [sys.executable, "-m", "audit.cli.main"]
    out = ["--out", str(CACHE / "report"), "--exit-zero"]
    commands = {
        "audit --help": [*audit, "--help"],
        "audit run captures/sample": [*audit, "run", str(SAMPLE), *out],
    }
    for client in ("session-python", "sessionpy-messenger"):
        passes = [DEMO / f"{client}-{each}" for each in ("passive", "intercepted")]
        if all(each.is_dir() for each in passes):
            name = f"audit run, both passes of {client}"
            commands[name] = [*audit, "run", *map(str, passes), *out]
    commands["python -c 'import pandas'"] = [sys.executable, "-c", "import pandas"]
    for command in commands.values():
        in_turn({"": command}, 1)  # bytecode and templates are compiled once
    rows = [
        "| command | wall, s | processor, s | peak, MiB | reach, s |",
        "|---|---|---|---|---|",
    ]
    for name, runs in in_turn(commands, TIMES).items():
        one = middle(runs)
        reach = next((f"{REACH[key]}" for key in REACH if name.startswith(key)), "")
        figures = f"{one.seconds:.2f} | {one.cpu_seconds:.2f} | {one.peak_mib:.0f}"
        rows.append(f"| `{name}` | {figures} | {reach} |")
    return "\n".join([f"Medians of {TIMES} runs, in turn.", "", *rows])
