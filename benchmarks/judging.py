"""Judging: a million requests against every check of the Session policy.

    python benchmarks/judging.py [--rows 1000000]

prints its section of RESULTS.md. The rows are drawn with a fixed seed: one per cent of them differ
(ten thousand tuples of host, method, path, headers and body), and beside that all of them do. What
is measured is ``evaluate`` alone, in one process, the frames being there already.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

from audit.checks.evaluate import evaluate
from audit.checks.load import load_policy
from audit.checks.policy import Policy
from audit.checks.targets import find_policy, load_target
from audit.tables.evidence import CaptureEvidence, OnionState, PerformedAction, TapState
from audit.tables.frames import columns_of, make_frame
from audit.tables.rows import TABLES
from audit.tables.vocabulary import ACTIONS, CAPABILITIES, KINDS

TITLE = "Judging"
ROWS = 1_000_000
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
_AGENTS = ("WhatsApp", "WhatsApp", "WhatsApp", None, "okhttp/4.12.0")
_HOSTS = 400


def tuples(count: int, seed: int = 1) -> list[dict[str, object]]:
    """Return that many different requests of a client that keeps most promises."""
    draw = random.Random(seed)
    defaults = {name: column.default for name, column in columns_of("http_requests").items()}
    found = []
    for number in range(count):
        node = draw.randrange(_HOSTS)
        body = {
            "method": "store",
            "params": {"namespace": draw.randrange(40), "data": f"v{number}"},
        }
        headers = {"host": f"203.0.113.{node % 250}", "content-length": str(number)}
        found.append(
            defaults
            | {
                "capture": "bench",
                "ref": f"flows.mitm#{number}",
                "ts": "2025-12-31T12:00:00Z",
                "host": None if node % 3 else f"host{node}.example",
                "responder_ip": f"203.0.113.{node % 250}",
                "recipient": f"203.0.113.{node % 250}",
                "peer_role": "storage_node" if node % 3 else "seed" if node < 3 else None,
                "method": draw.choice(("POST", "POST", "GET")),
                "path": f"/storage_rpc/v1/{number}",
                "query": "",
                "headers": json.dumps(headers, sort_keys=True),
                "json": json.dumps(body, sort_keys=True),
                "user_agent": draw.choice(_AGENTS),
                "content": "readable",
                "layer": draw.choice((0, 0, 1, 3)),
                "conversation": f"tcp 192.0.2.10:{number % 60000} > 203.0.113.{node % 250}:22021",
            }
        )
    return found


def capture(rows: int, distinct: int) -> CaptureEvidence:
    """Return a capture with ``rows`` requests, ``distinct`` of them different."""
    draw = random.Random(2)
    frame = make_frame("http_requests", tuples(distinct))
    if distinct < rows:
        picks = [draw.randrange(distinct) for _ in range(rows)]
        frame = frame.iloc[picks].reset_index(drop=True)
    tables = {name: make_frame(name, []) for name in TABLES} | {"http_requests": frame}
    return CaptureEvidence(
        capture="bench",  # type: ignore[arg-type]
        digest="0" * 64,
        vantage="netns",
        pass_="intercepted",  # noqa: S106
        install="bench",
        device="bench",
        tables=tables,
        capabilities=frozenset(CAPABILITIES),
        taps=(TapState(tap="packets", control_found=True),),
        sees_all=True,
        planted_kinds=frozenset(KINDS),
        onion=OnionState(keys=True, seen=1, opened=1),
        actions=tuple(
            PerformedAction(
                name=name, ok=True, corroborated_by="recorder", ts="2025-12-31T12:00:00Z"
            )
            for name in ACTIONS
        ),
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of ``evaluate``."""

    seconds: float
    cpu_seconds: float
    findings: int


def measure(policy: Policy, rows: int, distinct: int) -> Measured:
    """Judge once, and return how long it took and how many findings there are."""
    evidence = capture(rows, distinct)
    target = load_target(policy, "any")
    begin, cpu = perf_counter(), process_time()
    judged = evaluate(policy, target, [evidence], AS_OF, lambda text: text)
    seconds, cpu_seconds = perf_counter() - begin, process_time() - cpu
    return Measured(seconds, cpu_seconds, sum(len(v.findings) for v in judged.verdicts))


def section(rows: int = ROWS) -> str:
    policy = load_policy(find_policy("session"))
    what = f"`evaluate` over {rows:,} requests and all {len(policy.checks)} checks of the Session"
    lines = [
        f"{what} policy, one process; the goal is 5 s where one per cent differ.",
        "",
        "| different tuples | seconds | CPU seconds | requests a CPU second | findings |",
        "|---|---|---|---|---|",
    ]
    for distinct in (rows // 100, rows):
        found = measure(policy, rows, distinct)
        rate = f"{rows / found.cpu_seconds:,.0f}"
        times = f"{found.seconds:.2f} | {found.cpu_seconds:.2f} | {rate}"
        lines.append(f"| {distinct:,} | {times} | {found.findings} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    print(section(parser.parse_args().rows))
