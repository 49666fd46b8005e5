"""Runs this toolkit on a part of the suite: its real command line, default settings.

    python benchmarks/leaks/runner.py PART IDENTITY

Every file of the part is imported (``audit import``) into a bundle of its own; what is printed are
the rows of ``audit tables BUNDLE identifier_hits``. ``onion-keys.json`` is laid into the bundle, as
a recorder does. This file knows the suite's contract and nothing of the toolkit's inside.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

AUDIT = (sys.executable, "-m", "audit.cli.main")
FILES = ("http.har", "http.mitm", "flows.mitm", "packets.pcap", "onion.mitm")
_RECORD = re.compile(r"#([0-9]+)")


def main() -> None:
    part, identity = map(Path, sys.argv[1:3])
    files = [part / name for name in FILES if (part / name).exists()]
    print(json.dumps({"reads": [path.name for path in files]}))
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            for row in hits(path, identity, Path(folder) / path.name):
                print(json.dumps(finding(path.name, row)))


def hits(path: Path, identity: Path, bundle: Path) -> list[dict[str, object]]:
    """Import one file and return the rows of ``identifier_hits``."""
    command = [*AUDIT, "import", str(path), "-o", str(bundle), "--identity", str(identity)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    if path.name == "onion.mitm":
        _add_keys(bundle, path.with_name("onion-keys.json"))
    command = [*AUDIT, "tables", str(bundle), "identifier_hits", "--format", "json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def _add_keys(bundle: Path, keys: Path) -> None:
    """Lay the keys of the nodes into a bundle, with their digest in its manifest."""
    shutil.copyfile(keys, bundle / keys.name)
    path = bundle / "capture.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"][keys.name] = hashlib.sha256(keys.read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest), encoding="utf-8")


def finding(file: str, row: dict[str, object]) -> dict[str, object]:
    """Return a row in the shape that the scorer reads."""
    found = {
        "file": file,
        "recipient": row["recipient"],
        "kind": row["kind"],
        "form": row["form"],
        "location": row["location"],
        "excerpt": row["excerpt"],
    }
    record = _RECORD.search(str(row["ref"]))
    if file == "onion.mitm" and record:
        found["record"] = int(record[1])
    return found


if __name__ == "__main__":
    main()
