"""A small policy to lint and to run, for the tests of this room."""

from __future__ import annotations

import hashlib
from pathlib import Path

from audit.checks.load import load_policy
from audit.checks.policy import Policy

TEXT = "We do not keep your address.\nWe never talk to trackers.\n"
POLICY = f"""\
schema: audit/policy@1
id: example
title: Example policy
editions: [{{id: first, text: source.txt, sha256: {hashlib.sha256(TEXT.encode()).hexdigest()}, url: unknown, retrieved: unknown}}]
clauses:
  - {{id: address, section: One, quote: We do not keep your address.}}
  - {{id: trackers, section: One, quote: We never talk to trackers.}}
"""
PACK = """\
schema: audit/pack@1
id: example
version: 1.0.0
license: Apache-2.0
requires: audit>=0.1
vars:
  journey: {type: 'list[action]', default: [app.idle]}
  good_hosts: {type: 'list[host]', default: [good.example]}
  iface: {type: text, settable: true}
peer_roles:
  server: {host|domain: '${good_hosts}'}
"""
CHECK = """\
schema: audit/check@1
id: example.trackers
title: No tracker
version: 1.0.0
severity: high
clause: {policy: example, id: trackers, quote: We never talk to trackers., reading: None is contacted.}
observe:
  - {capability: process.attribution}
exercise:
  - {id: idle, actions: [app.idle]}
expect:
  - {id: none, assert: none, from: conversations, where: {process: app}, match: {host|domain: tracker.example}, message: '{recipient} was contacted'}
tests:
  - {name: quiet, actions: [app.idle], verdict: pass}
  - {name: not run, verdict: inconclusive}
  - {name: unseen, without: [process.attribution], verdict: not_observable}
  - {name: tracked, rows: {conversations: [{host: tracker.example}]}, verdict: fail}
"""


def write_policy(folder: Path, *checks: str, **files: str) -> Path:
    """Write a small policy; ``files`` are further files by path (``/`` as ``__``)."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {"policy.yaml": POLICY, "pack.yaml": PACK, "source.txt": TEXT}
    written |= {f"checks/{number}.yaml": text for number, text in enumerate(checks)}
    written |= {name.replace("__", "/") + ".yaml": text for name, text in files.items()}
    for name, text in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def make_policy(folder: Path, *checks: str) -> Policy:
    return load_policy(write_policy(folder, *(checks or (CHECK,))))
