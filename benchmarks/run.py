"""Run the benchmarks and write their sections of RESULTS.md anew.

    python benchmarks/run.py [MODULE ...]

A benchmark is a module beside this one with a ``TITLE`` and a ``section()`` that measures and
returns Markdown. It is listed in ``MODULES``; a section that was not measured stays as it is.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

MODULES = (
    "packets",
    "flows",
    "judging",
    "live",
    "commands",
    "identifiers",
    "leak_suite",
    "databases",
    "logs",
)
RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """# Results

Written by `make bench`. Each section says when and on what it was measured; compare figures of one
section only. Ratios are those of programs that ran in turn on the same machine.
"""


def machine() -> str:
    """Return one line about this machine."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB,"
        f" {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def main() -> None:
    names = sys.argv[1:] or MODULES
    for name in names:
        module = importlib.import_module(name)
        load = os.getloadavg()[0]
        body = module.section()
        today = datetime.now(UTC).date().isoformat()
        stamp = f"`python benchmarks/run.py {name}`, {today}, {machine()}, load before {load:.1f}."
        write(module.TITLE, f"{stamp}\n\n{body}\n")
        print(f"## {module.TITLE}\n\n{body}\n")


def write(title: str, body: str) -> None:
    """Put a section in its place; new ones come last."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else HEAD
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    sections = dict(part.split("\n\n", 1) for part in parts)
    sections[title] = body
    joined = "\n".join(f"## {name}\n\n{part.strip()}\n" for name, part in sections.items())
    RESULTS.write_text(f"{head.strip()}\n\n{joined}", encoding="utf-8")


if __name__ == "__main__":
    main()
