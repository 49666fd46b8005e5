"""``python -m audit.lab.planter --out FILE``: plants leaks and notes what was planted.

``AUDIT_PERSONA`` names the file with the person's values, ``AUDIT_ECHO`` the recorder's control
echo (``address:port``). Behind a proxy of the environment only HTTP, TLS and WebSocket carry
leaks, and nobody is looked up or asked: nothing else would stay in the lab.

``FILE`` (``planted.json``) is a list of leaks; beside it ``FILE``'s name with ``-acts`` lists what
else was done: ``lookup`` of a name that is never contacted, and ``stun``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from audit.errors import AuditError, SetupError
from audit.lab.addresses import STUN_NAME, UNCONTACTED_NAME
from audit.lab.planter.forms import Subject
from audit.lab.planter.leaks import (
    PLACES,
    RAW_PLACES,
    Leak,
    draw_echo_leak,
    draw_leak,
    read_subjects,
)
from audit.lab.planter.sending import NotSentError, Sender

FEWEST: Final = 12
MOST: Final = 20


def draw_run(
    rng: random.Random, subjects: Sequence[Subject], *, count: int, proxied: bool
) -> list[Leak]:
    """Draw the leaks of one run: at least one over plain HTTP and one over TLS."""
    places = [place for place in PLACES if not (proxied and place in RAW_PLACES)]
    leaks = [draw_leak(rng, subjects, places=places) for _ in range(count)]
    for index, scheme in enumerate(("http", "https")):
        if not any(leak.scheme == scheme for leak in leaks):
            leak = draw_leak(rng, subjects, places=("query", "body"))
            leaks[index] = replace(leak, scheme="https" if scheme == "https" else "http")
    return leaks


def plant(rng: random.Random, persona: dict[str, Any], echo: str | None, count: int) -> list[Any]:
    """Send the leaks; returns the items of ``planted.json``."""
    subjects = read_subjects(persona)
    if not subjects:
        raise SetupError("the persona has no value to plant", source=os.environ["AUDIT_PERSONA"])
    sender = Sender(rng)
    proxied = bool(sender.proxies)
    items: list[Any] = [
        {**leak.to_json(), **_send(sender, leak)}
        for leak in draw_run(rng, subjects, count=count, proxied=proxied)
    ]
    if echo:
        leak = draw_echo_leak(rng, subjects, echo)
        items.append({**leak.to_json(), **_send(sender, leak, echo)})
    return items


def ask_around(rng: random.Random) -> list[Any]:
    """Look a name up and speak STUN; returns the items of ``planted-acts.json``."""
    sender = Sender(rng)
    if sender.proxies:
        return []  # no proxy carries them: they would leave the machine
    return [
        {"act": "lookup", "name": UNCONTACTED_NAME, "answered": sender.look_at_beacon()},
        {"act": "stun", "name": STUN_NAME, "answered": sender.speak_stun()},
    ]


def _send(sender: Sender, leak: Leak, echo: str | None = None) -> dict[str, Any]:
    try:
        sender.send(leak, echo)
    except NotSentError as error:
        return {"sent": False, "why": str(error)}
    return {"sent": True}


def main(argv: list[str] | None = None) -> int:
    """Plant, write the note, and return 0 where everything got out."""
    parser = argparse.ArgumentParser(prog="python -m audit.lab.planter", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where planted.json is written")
    parser.add_argument("--echo", default=os.environ.get("AUDIT_ECHO"), help="address:port")
    parser.add_argument("--seed", type=int, help="repeats a run")
    parser.add_argument("--count", type=int, help=f"leaks; {FEWEST} to {MOST} are drawn otherwise")
    options = parser.parse_args(argv)
    seed = secrets.randbits(48) if options.seed is None else options.seed
    rng = random.Random(seed)  # noqa: S311 - a run can be repeated by its seed
    count = options.count or rng.randint(FEWEST, MOST)
    try:
        items = plant(rng, _read_persona(), options.echo or None, count)
        acts = ask_around(rng)
    except AuditError as error:
        print(f"planter: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    _write(options.out, [{**item, "seed": seed} for item in items])
    _write(options.out.with_stem(options.out.stem + "-acts"), acts)
    lost = [item["why"] for item in items if item.get("why")]
    for why in lost:
        print(f"planter: not sent: {why}", file=sys.stderr)  # noqa: T201
    return 1 if lost else 0


def _write(path: Path, items: list[Any]) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(items, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def _read_persona() -> dict[str, Any]:
    path = os.environ.get("AUDIT_PERSONA")
    if not path:
        raise SetupError("AUDIT_PERSONA does not name a file")
    try:
        persona = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError(f"the persona cannot be read: {error}", source=path) from None
    if not isinstance(persona, dict):
        raise SetupError("the persona is no JSON object", source=path)
    return persona


if __name__ == "__main__":
    sys.exit(main())
