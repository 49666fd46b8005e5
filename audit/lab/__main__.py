"""``python -m audit.lab --logs DIR [--loopback]``: the lab as a process of its own.

Prints one JSON line when every stand-in listens and ends on SIGTERM, at the end of its standard
input, or when its parent dies.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from audit.errors import AuditError, SetupError
from audit.lab.network import make_lab

_PR_SET_PDEATHSIG = 1
"""``prctl(2)``."""


def _die_with_parent() -> None:
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the call
            os.kill(os.getpid(), signal.SIGTERM)


def _watch_input(stop: Any) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    stop()


async def _run(logs: Path, *, loopback: bool) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    loop.set_exception_handler(_report)
    loop.add_signal_handler(signal.SIGTERM, done.set)
    loop.add_signal_handler(signal.SIGINT, done.set)
    lab = make_lab(logs, loopback=loopback)
    try:
        await lab.start()
    except OSError as error:
        raise SetupError(f"a stand-in cannot listen: {error.strerror or error}") from None
    print(json.dumps(lab.describe()), flush=True)  # noqa: T201 - the contract of the command
    stop = lambda: loop.call_soon_threadsafe(done.set)  # noqa: E731 - a callback, no function
    threading.Thread(target=_watch_input, args=(stop,), daemon=True).start()
    await done.wait()
    loop.set_exception_handler(lambda _loop, _context: None)  # what is cut off now was meant to be
    lab.close()


def _report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, OSError | asyncio.IncompleteReadError | TimeoutError):
        return  # connections that end early are no news to a server (ssl.SSLError is an OSError)
    print(f"lab: {context.get('message')}: {error!r}", file=sys.stderr)  # noqa: T201


def main(argv: list[str] | None = None) -> int:
    """Run the lab until told to end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m audit.lab", description=__doc__)
    parser.add_argument("--logs", type=Path, required=True, help="folder for learned.jsonl")
    parser.add_argument("--loopback", action="store_true", help="ephemeral ports of 127.0.0.1 only")
    options = parser.parse_args(argv)
    _die_with_parent()
    try:
        if not options.loopback:
            from audit.lab.interfaces import carry_addresses

            carry_addresses()  # pyroute2 runs an event loop of its own
        asyncio.run(_run(options.logs, loopback=options.loopback))
    except AuditError as error:
        print(f"lab: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except OSError as error:
        print(f"lab: {error}", file=sys.stderr)  # noqa: T201
        return SetupError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
