"""``make fuzz``: damaged files for half of the time, coverage-guided inputs for the other half."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from fuzz.child import fitting
from fuzz.corpus import ROOT, load
from fuzz.entries import ENTRIES, Entry

MEMORY_MIB = 2048
"""Resident memory of one guided process."""
CASE_S = 25
"""Wall time of one input."""


def main() -> None:
    """Run both kinds; exit 1 where anything was found, with the input that does it kept."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "fuzz")
    parser.add_argument("--corpus", type=Path, help="Folder of further files to damage.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--entries", default="", help="Names, separated by blanks; default: all.")
    options = parser.parse_args()
    found = options.folder / "found"
    found.mkdir(parents=True, exist_ok=True)
    chosen = [one for one in ENTRIES if not options.entries or one.name in options.entries.split()]
    site = options.folder / "site"
    guided = site.is_dir()
    if not guided:
        print("atheris is not installed ('make fuzz' does it): damaged files only", flush=True)
    share = options.seconds / 2 if guided else options.seconds
    failed = damaged(options, found, share)
    files = load(options.corpus)
    for entry in chosen if guided else ():
        seconds = max(2, int((options.seconds - share) / len(chosen)))
        failed |= bred(entry, files, options.folder, found, seconds)
    sys.exit(1 if failed else 0)


def damaged(options: argparse.Namespace, found: Path, seconds: float) -> bool:
    """Damage files in a process of its own; a process that dies leaves the input that killed it."""
    command = [
        sys.executable, "-m", "fuzz.child", "--seed", str(options.seed), "--seconds", str(seconds),
        "--found", str(found), "--entries", options.entries,
    ]  # fmt: skip
    if options.corpus:
        command += ["--corpus", str(options.corpus)]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code not in (0, 1):
        print(f"FAULT the process died ({code}): {found}/current-{options.seed}", flush=True)
    return code != 0


def bred(entry: Entry, files: dict[str, bytes], folder: Path, found: Path, seconds: int) -> bool:
    """Run one entry under atheris, from the files that fit it and what earlier runs have bred."""
    pool = folder / "pool" / entry.name
    pool.mkdir(parents=True, exist_ok=True)
    for name in fitting(entry, files):
        data = files[name]
        if len(data) <= 1 << 16:
            (pool / name.replace("/", "_")).write_bytes(data)
    command = [
        sys.executable, "-m", "fuzz.guided", entry.name, str(pool), f"-max_total_time={seconds}",
        f"-rss_limit_mb={MEMORY_MIB}", f"-timeout={CASE_S}", f"-report_slow_units={CASE_S}", f"-artifact_prefix={found}/{entry.name}-",
        "-verbosity=0", "-print_final_stats=1", "-max_len=65536",
    ]  # fmt: skip
    path = os.pathsep.join([str(folder.absolute() / "site"), str(ROOT)])
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    runs = next((line for line in done.stdout.splitlines() if "executed_units" in line), "")
    print(f"{entry.name}: {runs.rpartition(':')[2].strip() or '?'} inputs", flush=True)
    if done.returncode:
        print(done.stdout[-3000:], flush=True)
    return done.returncode != 0


if __name__ == "__main__":
    main()
