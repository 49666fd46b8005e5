"""Runs PyPI ``privacy-flow-inspector`` on a part; ``INSPECTOR`` names its command.

    python privacy_flow_inspector.py PART IDENTITY

It reads HTTP archives, the requests alone. The identifiers are its personas (values of five
letters and more); its detectors of patterns know nothing of a subject and are left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    part, identity = map(Path, sys.argv[1:3])
    print(json.dumps({"reads": ["http.har"]}))
    archive = part / "http.har"
    if not archive.exists():
        return
    known = json.loads(identity.read_text(encoding="utf-8"))["identifiers"]
    kinds = {f"{item['kind']}-{number}": item["kind"] for number, item in enumerate(known)}
    personas = [
        f"[[persona]]\nlabel = {json.dumps(label)}\nvalue = {json.dumps(item['value'])}\n"
        for label, item in zip(kinds, known, strict=True)
        if len(item["value"].strip()) >= 5
    ]
    with tempfile.TemporaryDirectory() as folder:
        config, report = Path(folder, "config.toml"), Path(folder, "report.json")
        first = '[first_party]\ndomains = ["first.example"]\n'
        config.write_text("version = 1\n" + first + "".join(personas), encoding="utf-8")
        command = [os.environ.get("INSPECTOR", "privacy-flow-inspector"), "scan", "-q"]
        command += ["--fail-on", "never", "--config", str(config), "--json", str(report)]
        subprocess.run([*command, str(archive)], check=True, stdout=subprocess.DEVNULL)
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
    for item in findings:
        label = item["title"].partition(" sent to ")[0]
        if label in kinds:
            print(json.dumps({
                "file": archive.name, "recipient": item["recipient"], "kind": kinds[label],
                "location": item["channel"],
            }))  # fmt: skip


if __name__ == "__main__":
    main()
