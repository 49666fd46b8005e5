"""The talk with client and peer, a JSON line an action, and the journal that comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from audit.bundle.identity import Identifier
from audit.bundle.journal import JournalLine, JournalWriter, now
from audit.errors import CaptureError
from audit.tables.vocabulary import ACTIONS, KINDS, PHASES

_NOTE_CHARACTERS: Final = 500
_VALUE_CHARACTERS: Final = 10_000
_MOST_LINES: Final = 10_000
"""Far more than any journey takes; bounds what a driver may make us keep."""
_FACTS: Final = ("account", "text_sha256", "file_sha256", "url_sha256")
_PROVEN_BY: Final = {
    "app.message.send": ("app.message.receive", "text_sha256"),
    "app.attachment.send": ("app.attachment.receive", "file_sha256"),
}
"""Action of the client -> the peer's action and the fact that names it."""


@dataclass(slots=True, kw_only=True)
class Heard:
    """One line of a driver."""

    action: str | None
    ok: bool
    phase: str | None
    note: str
    facts: dict[str, str]
    identifiers: list[Identifier]


def parse_driver_line(line: bytes, who: str, number: int) -> Heard:
    """Read one line; raises :class:`CaptureError` saying what is wrong with it."""
    place = f"line {number} of the {who}"
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise CaptureError(
            f"the {who} wrote something that is no JSON line",
            source=place,
            hint="a driver's standard output is for its lines alone, all else belongs to stderr",
        ) from None
    if not isinstance(data, dict) or "action" not in data:
        raise CaptureError(f"the {who} wrote a line without an action", source=place)
    action, phase = data["action"], data.get("phase")
    if action is not None and action not in ACTIONS:
        raise CaptureError(
            f"the {who} reports an unknown action {str(action)[:60]!r}",
            source=place,
            hint="actions are a closed vocabulary, see docs/reference/vocabularies.md",
        )
    if phase is not None and phase not in PHASES:
        raise CaptureError(f"the {who} names an unknown phase {str(phase)[:60]!r}", source=place)
    return Heard(
        action=action,
        ok=data.get("ok", True) is True,
        phase=phase,
        note=_note(data.get("note")),
        facts=_facts(data.get("facts"), place),
        identifiers=_identifiers(data.get("identifiers"), place),
    )


def _note(data: Any) -> str:
    """Return a note as text that can be written down, cut to a sensible length."""
    text = str(data) if data is not None else ""
    return text[:_NOTE_CHARACTERS].encode(errors="replace").decode()


def _facts(data: Any, place: str) -> dict[str, str]:
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(_is_text(value) for value in data.values()):
        raise CaptureError("facts are an object of texts", source=place)
    unknown = data.keys() - set(_FACTS)
    if unknown:
        raise CaptureError(
            f"unknown fact {min(unknown)[:60]!r}", source=place, hint=f"known: {', '.join(_FACTS)}"
        )
    return dict(data)


def _identifiers(data: Any, place: str) -> list[Identifier]:
    if data is None:
        return []
    found = []
    for entry in data if isinstance(data, list) else [None]:
        if (
            not isinstance(entry, dict)
            or entry.get("kind") not in KINDS
            or not _is_text(entry.get("value"))
        ):
            raise CaptureError("an identifier is not {kind, value} with a known kind", source=place)
        found.append(Identifier(entry["kind"], entry["value"]))
    return found


def _is_text(value: Any) -> bool:
    """Whether this is a text of a sensible length that can be written down."""
    if not isinstance(value, str) or len(value) > _VALUE_CHARACTERS:
        return False
    return not any(0xD800 <= ord(character) < 0xE000 for character in value)


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """What was said so far."""

    journal: JournalWriter
    to_client: Callable[[dict[str, Any]], None]
    to_peer: Callable[[dict[str, Any]], None]
    learned: Callable[[list[Identifier]], None]
    """Takes identifiers of the subject as they become known."""
    blank: Callable[[str], str]
    """Takes the subject's values out of a note."""
    phase: str = "install"
    acknowledges: bool = False
    """Whether the client waits for word that its line is in the journal, and says the phase."""
    client_lines: list[Heard] = field(default_factory=list)
    peer_lines: list[Heard] = field(default_factory=list)
    trouble: CaptureError | None = None
    """The first line that was not as agreed."""
    _counts: dict[str, int] = field(default_factory=dict)

    def hear_client(self, line: bytes) -> None:
        """Take a line of the client."""
        if heard := self._hear(line, "client"):
            self.client_lines.append(heard)
            self.learned(heard.identifiers)
            if self.acknowledges:
                self.phase = heard.phase or self.phase
            self._write(heard, "script")
            if self.acknowledges:
                self.to_client({"noted": len(self.client_lines)})
            if heard.action == "account.create":
                self.phase = "steady"
                if account := heard.facts.get("account"):
                    self.learned([Identifier("account_id", account)])
                    self.to_peer({"client": {"account": account}})

    def hear_peer(self, line: bytes) -> None:
        """Take a line of the peer."""
        if heard := self._hear(line, "peer"):
            self.peer_lines.append(heard)
            if heard.action == "account.create" and (account := heard.facts.get("account")):
                self.learned([Identifier("contact_id", account)])
                self.to_client({"peer": {"account": account}})
            self._write(heard, "peer")

    def _hear(self, line: bytes, who: str) -> Heard | None:
        if not line.strip():
            return None
        self._counts[who] = self._counts.get(who, 0) + 1
        if self._counts[who] > _MOST_LINES:
            self.trouble = self.trouble or CaptureError(
                f"the {who} wrote more than {_MOST_LINES} lines", source=f"the {who}"
            )
            return None
        try:
            return parse_driver_line(line, who, self._counts[who])
        except CaptureError as error:
            self.trouble = self.trouble or error
            return None

    def _write(self, heard: Heard, driver: str) -> None:
        self.journal.write(
            JournalLine(
                ts=now(),
                driver=driver,
                action=heard.action,
                phase=heard.phase or self.phase,
                ok=heard.ok,
                note=self.blank(heard.note),
                facts=heard.facts,
            )
        )

    def record(
        self, action: str | None, phase: str, note: str = "", *, ts: str | None = None
    ) -> None:
        """Note what the recorder did itself (at ``ts``, default: now); the phase holds then."""
        self.phase = phase
        self.journal.write(
            JournalLine(
                ts=ts or now(),
                driver="recorder",
                action=action,
                phase=phase,
                note=note,
                corroborated_by="recorder" if action else None,
            )
        )

    def peer_has_all(self) -> bool:
        """Whether the peer told of everything that the client says it sent."""
        told = {
            (line.action, line.facts.get(fact))
            for line in self.peer_lines
            for fact in ("text_sha256", "file_sha256")
        }
        sent = [
            (*_PROVEN_BY[line.action], line)
            for line in self.client_lines
            if line.action in _PROVEN_BY and line.ok
        ]
        return all((action, line.facts.get(fact)) in told for action, fact, line in sent)

    def has_done(self, actions: set[str]) -> bool:
        """Whether the client reported every one of these actions."""
        return actions <= {line.action for line in self.client_lines if line.action}
