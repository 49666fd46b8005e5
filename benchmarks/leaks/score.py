"""Compares what a tool found with the truth."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .generate import read_truth

_ID = re.compile(r"\bm[0-9]{7}\b")


@dataclass
class Score:
    """Counts of one tool."""

    planted: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """(axis, value) -> leaks in the files that the tool reads."""
    found: Counter[tuple[str, ...]] = field(default_factory=Counter)
    clean: int = 0
    """Clean messages in those files."""
    false: list[dict[str, Any]] = field(default_factory=list)
    """Findings of a kind that was not planted in their message."""
    missed: list[dict[str, Any]] = field(default_factory=list)
    """Leaks without a finding, as the truth tells them, with their file."""

    @property
    def recall(self) -> float:
        """Return the share of leaks that were found."""
        return self.found["all",] / max(1, self.planted["all",])


def read_findings(paths: Iterable[Path]) -> tuple[dict[str, set[str]], list[dict[str, Any]]]:
    """Read what runners printed: part -> files read, and the findings with their part.

    A file is named for its part, such as ``product-000.jsonl``.
    """
    reads: dict[str, set[str]] = {}
    found: list[dict[str, Any]] = []
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            if "reads" in item:
                reads.setdefault(path.stem, set()).update(item["reads"])
            else:
                found.append(item | {"part": path.stem})
    return reads, found


def score(folder: Path, findings: Iterable[Path], only: Iterable[str] = ()) -> Score:
    """Compare findings with the truth of a suite; ``only`` names the files that count.

    A leak is found if one finding of its file names its message and its kind. A finding whose
    message has no leak of that kind is a false one; so is one that names no message.
    """
    reads, found = read_findings(findings)
    if only:
        reads = {part: files & set(only) for part, files in reads.items()}
        found = [item for item in found if item["file"] in only]
    lines = [line for line in read_truth(folder) if reads.get(line["part"])]
    by_address = {line["address"]: line["message"] for line in lines}
    by_record = {
        (line["part"], file, number): line["message"]
        for line in lines
        for file, number in line["records"].items()
    }
    told: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for item in found:
        name = by_record.get((item["part"], item["file"], item.get("record", 0)))
        name = name or _message(item, by_address)
        told[item["part"], item["file"], name].add(item["kind"])
    result = Score()
    known = set()
    for line, file in _in_files(lines, reads):
        kinds = told.get((line["part"], file, line["message"]), set())
        known.add((line["part"], file, line["message"]))
        planted = {plant["kind"] for plant in line["plants"]}
        result.clean += not planted
        result.false += [line | {"file": file, "found": kind} for kind in kinds - planted]
        for plant in line["plants"]:
            for axis in _axes(line, plant, file):
                result.planted[axis] += 1
                result.found[axis] += plant["kind"] in kinds
            if plant["kind"] not in kinds:
                result.missed.append(line | {"file": file})
    result.false += [
        {"message": key[2], "part": key[0], "file": key[1], "found": sorted(kinds)}
        for key, kinds in told.items()
        if key not in known
    ]
    return result


def _in_files(
    lines: list[dict[str, Any]], reads: dict[str, set[str]]
) -> Iterator[tuple[dict[str, Any], str]]:
    for line in lines:
        for file in line["files"]:
            if file in reads[line["part"]]:
                yield line, file


def _message(item: dict[str, Any], by_address: dict[str, str]) -> str:
    recipient = str(item.get("message") or item.get("recipient"))
    named = _ID.search(recipient)
    return named[0] if named else by_address.get(recipient.strip("[]"), recipient)


def _axes(line: dict[str, Any], plant: dict[str, Any], file: str) -> Iterator[tuple[str, ...]]:
    yield ("all",)
    yield "set", line["set"]
    yield "file", file
    yield "kind", plant["kind"]
    yield "form", plant["form"]
    yield "location", plant["location"]
    for name in dict.fromkeys(plant["containers"]):
        yield "container", name
