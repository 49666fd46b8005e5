"""One process of damaged files: bounded in memory and in time a case, told apart by a seed."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path

from fuzz.corpus import load
from fuzz.entries import ENTRIES, Entry
from fuzz.mutations import mutate

MEMORY = 768 << 20
"""Address space that a case may add to what the imports took, bytes."""
SECONDS = 20
"""Processor time that a case may take."""


class TooLongError(BaseException):
    """A case went beyond its bound of time; no ``except Exception`` of a reader swallows it."""


def _too_long(*_: object) -> None:
    raise TooLongError


def bound() -> None:
    """Bound this process: memory for good, time case by case."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    now = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmSize"))
    limit = (now << 10) + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGPROF, _too_long)


def judge(entry: Entry, data: bytes) -> str | None:
    """Return what went wrong, in one line that names where; ``None`` where all is well."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        entry(data)
    except TooLongError as error:
        return f"more than {SECONDS} s at {_place(error)}"
    except MemoryError as error:
        return f"more than {MEMORY >> 20} MiB at {_place(error)}"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
        return f"{type(error).__name__}: {str(error)[:80]} at {_place(error)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "audit" in Path(frame.filename).parts] or list(frames)
    last = own[-1]
    return f"{Path(last.filename).name}:{last.lineno} {last.name}"


def fitting(entry: Entry, files: dict[str, bytes]) -> list[str]:
    """Return the files that an entry is meant for, by their endings."""
    if not entry.files:
        return sorted(files)
    return sorted(name for name in files if name.endswith(entry.files)) or sorted(files)


def main() -> None:
    """Damage files until the time is over; faults are kept in a folder, with their seeds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--found", type=Path, required=True)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--entries", default="")
    options = parser.parse_args()
    warnings.simplefilter("error")
    files = load(options.corpus)
    pool = list(files.values())
    chosen = [one for one in ENTRIES if not options.entries or one.name in options.entries.split()]
    current = options.found / f"current-{options.seed}"
    for entry in chosen:
        # whatever is imported late is imported before memory is bounded
        for data in (b"", *(files[name] for name in fitting(entry, files)[:3])):
            with contextlib.suppress(Exception):  # a fault will show itself below
                entry(data)
    bound()
    counts = dict.fromkeys((one.name for one in chosen), 0)
    spent = dict.fromkeys(counts, 0.0)
    seen: set[str] = set()
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        entry = min(chosen, key=lambda one: spent[one.name])  # to each the same time
        draw = random.Random(f"{options.seed}/{entry.name}/{counts[entry.name]}")
        name = draw.choice(fitting(entry, files))
        data = mutate(draw, files[name], pool)
        current.write_bytes(entry.name.encode() + b"\0" + data)
        begun = time.process_time()
        problem = judge(entry, data)
        spent[entry.name] += time.process_time() - begun
        counts[entry.name] += 1
        if problem and problem not in seen:
            seen.add(problem)
            kept = options.found / f"{entry.name}-{hashlib.sha256(data).hexdigest()[:12]}"
            kept.write_bytes(data)
            print(f"FAULT {entry.name} {kept.name} ({name}): {problem}", flush=True)
    current.unlink()
    print(json.dumps({"cases": counts, "faults": len(seen)}), flush=True)
    sys.exit(1 if seen else 0)


if __name__ == "__main__":
    main()
