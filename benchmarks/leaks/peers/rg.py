"""Runs ripgrep on a part: every value as it is, letters of any case, in the HTTP archive.

    python rg.py PART IDENTITY

The archive has one entry a line, so that a line names its message.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    part, identity = map(Path, sys.argv[1:3])
    print(json.dumps({"reads": ["http.har"]}))
    archive = part / "http.har"
    if not archive.exists():
        return
    lines = archive.read_text(encoding="utf-8").splitlines()
    for item in json.loads(identity.read_text(encoding="utf-8"))["identifiers"]:
        value = item["value"].strip().splitlines()[0]
        command = ["rg", "--fixed-strings", "--ignore-case", "--line-number", "--no-heading"]
        command += ["--color=never", "--max-columns=1", "--", value, str(archive)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        for found in done.stdout.splitlines():
            entry = json.loads(lines[int(found.partition(":")[0]) - 1].strip().rstrip(","))
            host = urlsplit(entry["request"]["url"]).hostname
            print(json.dumps({"file": archive.name, "recipient": host, "kind": item["kind"]}))


if __name__ == "__main__":
    main()
