"""The journal as evidence: phases by time, actions, and what proves each.

The recorder's own word about corroboration is not read: it is derived from the lines themselves,
so that a line that says ``corroborated_by: peer`` proves nothing.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Sequence

from audit.bundle.identity import Identity
from audit.bundle.journal import JournalLine
from audit.bundle.layout import JOURNAL
from audit.bundle.manifest import Manifest
from audit.evidence.persons import persons_of
from audit.evidence.visited import WebProof
from audit.readers.endpoint import moment_of
from audit.tables.evidence import PerformedAction
from audit.tables.frames import Row
from audit.tables.vocabulary import RECORDER_ACTIONS

_AFTER = {"account.create": "steady", "app.remove": "removed"}
"""Action -> phase that it leads into."""
_RECEIVED = ".receive"
"""End of the actions whose ``account`` is that of the sender."""


class Phases:
    """Phase of the journey at a moment.

    A line's phase holds from the line on; from the first launch until an account was made it is
    ``account-create``, and what :data:`_AFTER` names begins with its line. Lines of the peer say
    nothing of the client.
    """

    def __init__(self, journal: Sequence[JournalLine]) -> None:
        dated = [
            (moment, line)
            for line in journal
            if line.driver != "peer" and (moment := moment_of(line.ts)) is not None
        ]
        dated.sort(key=lambda step: step[0])
        self._moments = [moment for moment, _ in dated]
        self._phases = _phases([line for _, line in dated])

    def at(self, ts: object) -> str | None:
        """Return the phase at a moment of a ``ts`` column; ``None`` without journal or date."""
        if not self._moments or not isinstance(ts, str):
            return None
        return self._phases[bisect_right(self._moments, ts)]


def _phases(lines: list[JournalLine]) -> list[str]:
    """Return the phase before the first line, then the one after each line."""
    if not lines:
        return []
    names = [line.action for line in lines]
    made = names.index("account.create") if "account.create" in names else -1
    launched = names.index("app.first-launch") if "app.first-launch" in names else made
    found = [lines[0].phase if lines[0].action != "app.first-launch" else "install"]
    for number, line in enumerate(lines):
        if launched <= number < made:
            found.append("account-create")
        else:
            found.append(_AFTER.get(line.action or "", line.phase))
    return found


def corroboration(
    line: JournalLine, journal: Sequence[JournalLine], identity: Identity, manifest: Manifest
) -> str | None:
    """Return what proves an action: a word of ``corroborated_by``; ``None``: nothing does."""
    if line.action is None or line.driver == "peer":
        return None
    if manifest.vantage == "import":
        return f"vouched by {manifest.vouched_by}" if manifest.vouched_by else None
    if line.driver == "recorder":
        return "recorder" if line.action in RECORDER_ACTIONS else None
    if line.driver == "manual":
        return "manual"
    peers = [other for other in journal if other.driver == "peer" and other.ok]
    return "peer" if _is_confirmed(line, peers, identity) else None


def _is_confirmed(line: JournalLine, peers: list[JournalLine], identity: Identity) -> bool:
    accounts = _values(identity, "account_id")
    text, file = line.facts.get("text_sha256"), line.facts.get("file_sha256")
    if line.action == "account.create":
        # to repeat an account proves nothing: the recorder itself tells the peer its name
        return any(
            str(other.action).endswith(_RECEIVED) and other.facts.get("account") in accounts
            for other in peers
        )
    if line.action == "app.message.send":
        canaries = {hashlib.sha256(_utf8(v)).hexdigest() for v in _values(identity, "message")}
        return text in canaries and any(
            other.action == "app.message.receive"
            and other.facts.get("account") in accounts
            and other.facts.get("text_sha256") == text
            for other in peers
        )
    if line.action == "app.attachment.send":
        return file is not None and any(
            other.action == "app.attachment.receive"
            and other.facts.get("account") in accounts
            and other.facts.get("file_sha256") == file
            for other in peers
        )
    if line.action == "app.message.receive":
        return text is not None and any(
            other.action == "app.message.send" and other.facts.get("text_sha256") == text
            for other in peers
        )
    return False


def _values(identity: Identity, kind: str) -> set[str]:
    return {item.value for item in identity.identifiers if item.kind == kind}


def _utf8(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _proven_by_rows(
    journal: Sequence[JournalLine],
    identity: Identity,
    manifest: Manifest,
    proof: Callable[[], WebProof],
) -> set[int]:
    """Return the numbers of the lines, from 1, that rows prove."""
    said = [
        number
        for number, line in enumerate(journal, start=1)
        if line.driver == "script" and (line.action or "").startswith("web.")
    ]
    if not said or manifest.vantage == "import":
        return set()
    rows = proof()
    return {
        number
        for number in said
        if rows.confirms(journal[number - 1], journal[: number - 1], identity)
    }


def event_rows(
    journal: Sequence[JournalLine],
    identity: Identity,
    manifest: Manifest,
    proof: Callable[[], WebProof] | None = None,
) -> list[Row]:
    """Return the rows of ``events``: every action of the journal, the peer's included.

    ``proof`` collects the rows that can prove what a visitor of a website did; it is called where
    somebody says that there was one.
    """
    proven = _proven_by_rows(journal, identity, manifest, proof) if proof is not None else set()
    persons = persons_of(journal, identity)
    return [
        {
            "capture": manifest.id,
            "ref": f"{JOURNAL}#{number}",
            "ts": moment_of(line.ts),
            "process": "app" if line.driver in {"script", "manual"} else None,
            "phase": line.phase,
            "name": line.action,
            "ok": line.ok,
            "driver": line.driver,
            "corroborated_by": "rows"
            if number in proven
            else corroboration(line, journal, identity, manifest),
            "subject_hash": persons.get(number),
        }
        for number, line in enumerate(journal, start=1)
        if line.action is not None
    ]


def performed_actions(rows: Sequence[Row]) -> tuple[PerformedAction, ...]:
    """Return the client's actions of ``event_rows``, without those of the peer."""
    return tuple(
        PerformedAction(
            name=str(row["name"]),
            ok=bool(row["ok"]),
            corroborated_by=None if row["corroborated_by"] is None else str(row["corroborated_by"]),
            ts=str(row["ts"] or ""),
        )
        for row in rows
        if row["driver"] != "peer"
    )
