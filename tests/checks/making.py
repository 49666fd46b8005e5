"""Evidence and policies with fixed values, for the tests of this room."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from audit.checks.evaluate import Judgement, evaluate
from audit.checks.load import load_policy
from audit.checks.policy import Policy, Target
from audit.checks.targets import target_of_nothing
from audit.model.ids import CaptureId
from audit.model.result import VerdictRecord
from audit.tables.evidence import CaptureEvidence, OnionState, PerformedAction, TapState
from audit.tables.frames import columns_of, make_frame
from audit.tables.rows import TABLES
from audit.tables.vocabulary import CAPABILITIES, KINDS

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = "We do not keep your address. We never talk to trackers.\n"

POLICY = f"""\
schema: audit/policy@1
id: example
title: Example policy
editions:
  - {{id: first, text: source.txt, sha256: {hashlib.sha256(TEXT.encode()).hexdigest()}, url: unknown, retrieved: unknown}}
clauses:
  - {{id: address, section: One, quote: We do not keep your address.}}
  - {{id: trackers, section: One, quote: We never talk to trackers., kind: promise}}
"""

PACK = """\
schema: audit/pack@1
id: example
version: 1.0.0
license: Apache-2.0
requires: audit>=0.1
vars:
  journey: {type: 'list[action]', default: [app.idle, app.message.send]}
  good_hosts: {type: 'list[host]', default: [good.example]}
  push_hosts: {type: 'list[host]', default: [push.example], settable: true}
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
clause: {policy: example, id: trackers, quote: We never talk to trackers., reading: No tracker is contacted.}
observe:
  - {capability: process.attribution}
exercise:
  - {id: idle, actions: [app.idle]}
expect:
  - {id: no-tracker, assert: none, from: conversations, where: {process: app}, match: {host|domain: tracker.example}, message: '{recipient} was contacted'}
tests:
  - {name: quiet, actions: [app.idle], verdict: pass}
"""

LIST = """\
schema: audit/list@1
id: trackers
source: made up
date: '2026-01-01'
entries: [{value: tracker.example}]
"""


def write_policy(folder: Path, *checks: str, pack: str = PACK, **files: str) -> Path:
    """Write a small policy; ``files`` are further files by path (``/`` as ``__``)."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {
        "policy.yaml": POLICY,
        "pack.yaml": pack,
        "source.txt": TEXT,
        "lists/trackers.yaml": LIST,
        **{f"checks/{number}.yaml": text for number, text in enumerate(checks)},
        **{name.replace("__", "/") + ".yaml": text for name, text in files.items()},
    }
    for name, text in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@cache
def empty_frame(table: str):
    return make_frame(table, [])


def make_policy(folder: Path, *checks: str, pack: str = PACK) -> Policy:
    return load_policy(write_policy(folder, *(checks or (CHECK,)), pack=pack))


def make_row(table: str, /, **values) -> dict[str, object]:
    row = {name: column.default for name, column in columns_of(table).items()}
    row |= {"capture": "one", "ref": f"{table}#1", "ts": "2026-03-01T11:00:00Z"} | values
    if "recipient" in row and row["recipient"] is None:
        row["recipient"] = row["host"] or row["responder_ip"]
    return row


def make_action(
    name: str, by: str | None = "recorder", *, ok: bool = True, ts="2026-03-01T11:00:00Z"
):
    return PerformedAction(name=name, ok=ok, corroborated_by=by, ts=ts)


def make_capture(
    name: str = "one",
    *,
    actions=("app.idle", "app.message.send"),
    rows: dict[str, list[dict]] | None = None,
    **changes,
) -> CaptureEvidence:
    """Return a capture in which everything was seen, done and proven, unless told otherwise."""
    filled = {table: empty_frame(table) for table in TABLES} | {
        table: make_frame(
            table,
            [
                make_row(table, **({"capture": name, "ref": f"{table}#{number}"} | row))
                for number, row in enumerate(rows[table], start=1)
            ],
        )
        for table in rows or {}
    }
    values = {
        "capture": CaptureId(name),
        "digest": hashlib.sha256(name.encode()).hexdigest(),
        "vantage": "netns",
        "pass_": "intercepted",
        "install": name,
        "device": "device",
        "tables": filled,
        "capabilities": frozenset(CAPABILITIES)
        - {"transport.opened", "onion.opened", "identifiers.planted"},
        "taps": (
            TapState(tap="packets", control_found=True),
            TapState(tap="proxy", control_found=True),
        ),
        "sees_all": True,
        "planted_kinds": frozenset(KINDS),
        "onion": OnionState(keys=True, seen=2, opened=2),
        "actions": tuple(
            action if isinstance(action, PerformedAction) else make_action(action)
            for action in actions
        ),
    }
    return CaptureEvidence(**(values | changes))


def judge(
    policy: Policy, *captures: CaptureEvidence, target: Target | None = None, as_of=AS_OF
) -> Judgement:
    return evaluate(policy, target or target_of_nothing(policy), captures, as_of, str)


def verdict(
    policy: Policy, *captures: CaptureEvidence, target: Target | None = None
) -> VerdictRecord:
    """Return the verdict of a policy's only check."""
    (found,) = judge(policy, *captures, target=target).verdicts
    return found
