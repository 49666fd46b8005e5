"""What a recorded browser left: ``storage/browser.jsonl`` to rows, values to search, and proof.

The recorder's own page and what it planted there make rows of ``controls`` and nothing else. A
kind that this version does not know is passed over with a remark; anything that is no line of the
schema is a :class:`CaptureError`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from audit.bundle.layout import BROWSER, BROWSER_SCHEMA, CONTROL_HOST
from audit.errors import CaptureError
from audit.readers.browser_cookies import CookieJar
from audit.readers.browser_values import host_of, identifying_bits
from audit.readers.endpoint import moment_of
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference

_CONTROL_CALL: Final = "canvas.toDataURL"
_SHARED_WORKER: Final = "worker.shared"
_STORAGE_AREAS: Final = frozenset({"cookie", "local", "indexed", "cache"})
_MOST_BYTES: Final = 1 << 28
_MOST_LINE: Final = 1 << 20
VALUES: Final = "browser_values"
"""Rows that own stored values while they are searched; no table of evidence."""


@dataclass(slots=True, kw_only=True)
class BrowserEvidence:
    """What the file gave."""

    extract: Extract = field(default_factory=Extract)
    capabilities: frozenset[str] = frozenset()
    """``browser.storage`` and ``browser.scripts``, where their controls were found again."""
    answered: tuple[tuple[str, str], ...] = ()
    """Moment (UTC) and answer of each question of consent, or of a visit without any."""


def read_browser(path: Path, capture: str) -> BrowserEvidence:
    """Read the file of one capture; raises :class:`CaptureError` naming the line."""
    reader = _Reader(capture)
    for number, line in _lines(path, reader.extract):
        kind = line["kind"]
        take = _KINDS.get(kind)
        if take is None:
            reader.limit(f"facts of the kind {kind[:40]!r} in {BROWSER} are not read")
            continue
        try:
            take(reader, number, line)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CaptureError(
                f"not a fact of the kind {kind!r}: {error}", source=f"{BROWSER}:{number}"
            ) from None
    return reader.finished()


def _lines(path: Path, extract: Extract) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the lines as objects; a last line that was cut is told."""
    read = 0
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(_MOST_LINE):
            number += 1
            read += len(raw)
            if read > _MOST_BYTES:
                extract.truncated.append(f"{BROWSER} exceeds {_MOST_BYTES} bytes: the rest unread")
                return
            if not raw.endswith(b"\n"):
                if len(raw) >= _MOST_LINE:
                    raise CaptureError("a line is too long", source=f"{BROWSER}:{number}")
                extract.truncated.append(f"{BROWSER} ends in the middle of line {number}")
                return
            try:
                line = json.loads(raw)
            except (ValueError, RecursionError) as error:
                raise CaptureError(f"no JSON: {error}", source=f"{BROWSER}:{number}") from None
            if not isinstance(line, dict) or not _is_dated(line):
                raise CaptureError("no line with ts and kind", source=f"{BROWSER}:{number}")
            if number == 1 and line.get("schema") != BROWSER_SCHEMA:
                raise CaptureError(
                    f"not of schema {BROWSER_SCHEMA}",
                    source=BROWSER,
                    hint="another version wrote it: record again",
                )
            yield number, line


def _is_dated(line: dict[str, Any]) -> bool:
    return isinstance(line.get("kind"), str) and moment_of(line.get("ts")) is not None


class _Reader:
    """Collects rows line by line."""

    def __init__(self, capture: str) -> None:
        self.extract = Extract()
        self.jar = CookieJar(capture)
        self._capture = capture
        self._site: str | None = None
        self._visit = 1
        self._stored: dict[tuple[object, ...], Row] = {}
        self._visits: dict[tuple[object, ...], set[int]] = {}
        self._searched: set[tuple[object, ...]] = set()
        self._token: str | None = None
        self._planted: tuple[int, str] | None = None
        self._areas: tuple[str, ...] = ()
        self._found: set[str] = set()
        self._blocked: set[str] = set()
        self._ended = False
        self._answers: list[tuple[str, str]] = []

    def limit(self, sentence: str) -> None:
        if sentence not in self.extract.limits:
            self.extract.limits.append(sentence)

    def _row(self, number: int, line: dict[str, Any], **columns: object) -> Row:
        return {
            "capture": self._capture, "ref": f"{BROWSER}#{number}", "ts": moment_of(line["ts"]),
            **columns,
        }  # fmt: skip

    # -- kinds -----------------------------------------------------------------------------------

    def begin(self, _number: int, _line: dict[str, Any]) -> None:
        """Take the first line: nothing of it becomes a row."""

    def end(self, _number: int, _line: dict[str, Any]) -> None:
        self._ended = True

    def visit(self, _number: int, line: dict[str, Any]) -> None:
        self._site = host_of(line["url"])
        self._visit = int(line["visit"])

    def aged(self, _number: int, line: dict[str, Any]) -> None:
        self._visit = int(line["visit"])
        self._found.clear()  # what was planted must have outlived the time
        self.jar.age(line["ts"], float(line["seconds"]))

    def control(self, number: int, line: dict[str, Any]) -> None:
        self._token = str(line["token"])
        self._planted = number, str(moment_of(line["ts"]))
        self._areas = tuple(str(area) for area in line["areas"])

    def gap(self, _number: int, line: dict[str, Any]) -> None:
        self.limit(f"the browser's record: {line['what']}")
        if line.get("blocks"):
            self._blocked.add(str(line["blocks"]))

    def cookie(self, number: int, line: dict[str, Any]) -> None:
        domain = str(line["domain"]).lstrip(".").lower()
        if domain == CONTROL_HOST:
            self._find("cookie", line["value"])
            return
        self.jar.see(number, line)
        self._search(number, line, domain, f"cookie {line['name']}", (domain, line["name"]))

    def set_cookie(self, _number: int, line: dict[str, Any]) -> None:
        host = host_of(line["url"])
        if host != CONTROL_HOST:
            self.jar.note(line, host)

    def stored(self, number: int, line: dict[str, Any]) -> None:
        area, key, value = str(line["area"]), str(line["key"]), str(line["value"])
        origin = host_of(str(line["origin"]).partition("^")[0])
        if origin == CONTROL_HOST:
            self._find(area, value if area != "cache" else key)
            return
        if line.get("cut"):
            what = f"{BROWSER}#{number}: a stored value or its key is longer than what was kept"
            self.extract.unread.append(("received", what))
        name = (line["origin"], area, key)
        visits = self._visits.setdefault(name, set())
        visits.add(int(line["visit"]))
        self._stored[name] = self._row(
            number, line, site=line["site"] or self._site, key=key, origin=origin, area=area,
            value_entropy_bits=identifying_bits(value), persistent=area != "session",
            seen_visits=len(visits),
        )  # fmt: skip
        self._search(number, line, origin, f"{area} {key}", name)

    def call(self, number: int, line: dict[str, Any]) -> None:
        frame, script = host_of(line["frame"]), host_of(line["script"])
        if frame == CONTROL_HOST:
            if line["api"] == _CONTROL_CALL:
                self._found.add("call")
            return
        if line["api"] == _SHARED_WORKER:
            self._blocked.add("scripts")
            self.limit("the browser's record: a shared worker ran where the instrument is not")
        self.extract.add("script_calls", self._row(
            number, line, site=self._site, frame=frame, script=script or frame,
            script_url=line["script"], api=str(line["api"]), calls=int(line["count"]),
            detail=line["detail"],
        ))  # fmt: skip

    def request(self, number: int, line: dict[str, Any]) -> None:
        host = host_of(line["url"])
        if host == CONTROL_HOST:
            return
        self.extract.add("page_requests", self._row(
            number, line, site=self._site, host=host, path=urlsplit(line["url"]).path or "/",
            method=line["method"], resource=line["type"], frame=host_of(line["document"]),
            initiator=line["initiator"], initiator_host=host_of(line["by"]),
        ))  # fmt: skip

    def form(self, number: int, line: dict[str, Any]) -> None:
        fields = [f"{item['type']} {item['name']}".strip() for item in line["fields"]]
        self.extract.add("page_forms", self._row(
            number, line, site=self._site, page=urlsplit(line["page"]).path or "/",
            action_host=host_of(line["action"]), action_path=urlsplit(line["action"]).path or "/",
            method=line["method"], fields=tuple(fields),
        ))  # fmt: skip

    def consent(self, _number: int, line: dict[str, Any]) -> None:
        if line["ok"] is True:
            self._answers.append((str(moment_of(line["ts"])), str(line["answer"])))
        if not line["asked"] and line["answer"] == "refuse":
            self.limit(
                "no page asked for consent in a way that the recorder knows: refusing it stands"
                " for visits in which nothing was accepted"
            )

    def picture(self, _number: int, line: dict[str, Any]) -> None:
        """Take a remark on a file; the file itself is in the bundle."""

    # -- end -------------------------------------------------------------------------------------

    def _find(self, area: str, value: object) -> None:
        if self._token and self._token in str(value):
            self._found.add(area)

    def _search(
        self,
        number: int,
        line: dict[str, Any],
        host: str | None,
        detail: str,
        name: tuple[object, ...],
    ) -> None:
        """Hand a value to the identifier search, once for each value that a place had."""
        value = str(line["value"])
        if not value or (name, value) in self._searched:
            return
        self._searched.add((name, value))
        owner = self.extract.add(
            VALUES, self._row(number, line, host=host, recipient=host, seen_as="client", layer=0)
        )
        self.extract.payloads.append(Payload(
            table=VALUES, row=owner, location="storage", detail=detail, direction="received",
            data=value.encode("utf-8", "surrogatepass"),
            ref=Reference(file=BROWSER, records=(number,), part="value"),
        ))  # fmt: skip

    def finished(self) -> BrowserEvidence:
        extract = self.extract
        extract.rows["cookies"] = self.jar.rows()
        extract.rows["web_storage"] = list(self._stored.values())
        for sentence in self.jar.limits():
            self.limit(sentence)
        if not self._ended:
            extract.truncated.append(f"{BROWSER} has no last line: the browser did not finish")
        self._add_controls()
        return BrowserEvidence(
            extract=extract, capabilities=self._capabilities(), answered=tuple(self._answers)
        )

    def _add_controls(self) -> None:
        if self._planted is None:
            return
        number, ts = self._planted
        for area in self._areas:
            self.extract.add("controls", {
                "capture": self._capture, "ref": f"{BROWSER}#{number}", "ts": ts,
                "process": "control", "name": f"browser {area}", "found": area in self._found,
            })  # fmt: skip

    def _capabilities(self) -> frozenset[str]:
        found = set()
        for name, areas in (("storage", _STORAGE_AREAS), ("scripts", frozenset({"call"}))):
            if areas <= self._found and name not in self._blocked:
                found.add(f"browser.{name}")
            elif name not in self._blocked:
                lost = ", ".join(sorted(areas - self._found))
                self.limit(f"what the recorder planted in the browser was not found again: {lost}")
        self.limit(_UNSEEN)
        return frozenset(found)


_UNSEEN: Final = (
    "the browser's instrument sees no calls inside workers (where one ran, calls are not"
    " observable) and no measuring of fonts by the size of elements or by style sheets; a page can"
    " find out that it is automated"
)
_KINDS: Final[dict[str, Callable[[_Reader, int, dict[str, Any]], None]]] = {
    "begin": _Reader.begin,
    "end": _Reader.end,
    "visit": _Reader.visit,
    "aged": _Reader.aged,
    "control": _Reader.control,
    "gap": _Reader.gap,
    "cookie": _Reader.cookie,
    "set-cookie": _Reader.set_cookie,
    "stored": _Reader.stored,
    "call": _Reader.call,
    "request": _Reader.request,
    "form": _Reader.form,
    "consent": _Reader.consent,
    "download": _Reader.picture,
    "screenshot": _Reader.picture,
}
"""Kind of a line -> what takes it."""
