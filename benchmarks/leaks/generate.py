"""Writes a suite: messages in parts, the identity file, and the truth."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from . import plan
from .clean import clean
from .har import write_har
from .message import Message
from .mitm import write_mitm
from .onion import write_onion
from .pcap import write_pcap
from .plan import Case
from .subject import Value, draw_subject

PART = 5_000
"""Messages of one part: a folder that fits in the memory of any tool."""
SAMPLE = 50_000
CLEAN = 10_000
SETS = ("product", "further", "pairs", "sample", "clean")
"""What a suite consists of."""
FILES = {
    "http": ("http.har", "http.mitm"),
    "archive": ("http.har",),
    "dump": ("http.mitm",),
    "flows": ("flows.mitm",),
    "packets": ("packets.pcap",),
    "onion": ("onion.mitm",),
}
"""Where the messages of each sort stand; those of HTTP in both files (of the product: in one)."""
Entry = tuple[Message, dict[str, Any]]


def write_suite(
    folder: Path, seed: int, sets: Iterable[str] = SETS, *, limit: int | None = None
) -> int:
    """Write a suite and return its messages' number; ``limit`` draws as many of each set."""
    values = draw_subject(seed)
    folder.mkdir(parents=True, exist_ok=True)
    _write_identity(folder / "identity.json", values)
    total = 0
    with (folder / "truth.jsonl").open("w", encoding="utf-8") as truth:
        for name in sets:
            entries = _entries(name, values, seed, limit, total)
            for number in range(1_000_000):
                part = list(islice(entries, PART))
                if not part:
                    break
                place = f"{name}-{number:03d}"
                records = _write_part(folder / place, [message for message, _ in part], seed)
                for message, told in part:
                    told["records"] = records[message.id]
                    truth.write(json.dumps({"part": place, "set": name, **told}) + "\n")
                total += len(part)
    return total


def _entries(
    name: str, values: list[Value], seed: int, limit: int | None, total: int
) -> Iterator[Entry]:
    if name == "clean":
        made = clean(values, seed, min(CLEAN, limit or CLEAN))
        for number, (what, kind, message) in enumerate(made, total + 1):
            message.number = number
            yield message, _told(message) | {"look_alike": what, "of": kind, "plants": []}
        return
    number = total
    for case in _cases(name, values, seed, limit):
        planted = plan.plant(case, number + 1, seed)
        if planted is None:
            continue
        number += 1
        message = planted.message
        if name == "product" and message.file == "http":
            message.file = ("archive", "dump")[number % 2]
        told = {
            "kind": case.value.kind,
            "value": case.value.text,
            "form": case.form.family,
            "way": case.form.name,
            "containers": case.containers,
            "steps": planted.steps,
            "location": case.location,
        }
        yield message, _told(message) | {"plants": [told]}


def _cases(name: str, values: list[Value], seed: int, limit: int | None) -> Iterable[Case]:
    if name == "sample":
        return plan.sample(values, seed, SAMPLE if limit is None else limit)
    made = {
        "product": lambda: plan.product(values),
        "further": lambda: plan.further(values),
        "pairs": lambda: plan.pairs(values, seed),
    }[name]()
    if limit is None:
        return made
    cases = list(made)
    return random.Random(f"limit {name} {seed}").sample(cases, min(limit, len(cases)))


def _told(message: Message) -> dict[str, Any]:
    return {
        "message": message.id,
        "files": FILES[message.file],
        "recipient": message.recipient,
        "address": message.address,
    }


def _write_identity(path: Path, values: list[Value]) -> None:
    found = [{"kind": item.kind, "value": item.text, "canary": True} for item in values]
    text = json.dumps({"schema": "audit/identity@1", "identifiers": found}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _write_part(folder: Path, messages: list[Message], seed: int) -> dict[str, dict[str, int]]:
    """Write the files of a part; return message -> file -> number of its entry or flow."""
    folder.mkdir(exist_ok=True)
    held = {
        file: [message for message in messages if file in FILES[message.file]]
        for file in dict.fromkeys(file for files in FILES.values() for file in files)
    }
    for file, own in held.items():
        if own and file == "http.har":
            write_har(folder / file, own)
        elif own and file == "packets.pcap":
            write_pcap(folder / file, own, seed)
        elif own and file == "onion.mitm":
            write_onion(folder, own, seed)
        elif own:
            write_mitm(folder / file, own)
    records: dict[str, dict[str, int]] = {message.id: {} for message in messages}
    for file, own in held.items():
        for number, message in enumerate(own, 1):
            if file != "packets.pcap":
                records[message.id][file] = number
    return records


def parts(folder: Path) -> list[Path]:
    """Return the folders of a suite's parts."""
    return sorted(path for path in folder.iterdir() if path.is_dir())


def read_truth(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of the truth file."""
    with (folder / "truth.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)
