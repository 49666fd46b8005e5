"""HTTP Archive 1.2 (``.har``) as rows, in the dialects of mitmproxy, Chrome, Firefox and others.

An archive keeps HTTP alone, without connections; bodies are decoded already, and some are missing.
What a writer did not keep is a gap that names the entry, see :mod:`audit.readers.har_gaps`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.readers.har_archive import HarArchive, open_archive
from audit.readers.har_body import BodyReader, text_bytes
from audit.readers.har_connection import PORTS, unplaced_entry
from audit.readers.har_device import add_device
from audit.readers.har_entry import HarEntry, Untold
from audit.readers.har_gaps import Gaps
from audit.readers.har_messages import HarMessage, read_messages
from audit.readers.http_message import HttpMessage, add_payloads, host_name, split_target
from audit.readers.websocket_rows import add_websocket_message
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction, joint_content

_LEFT_OUT: Final = {
    "mitmproxy": "mitmproxy leaves TCP, UDP and DNS flows out of archives, and bodies of requests "
    "that are no POST, PUT or PATCH",
    "playwright": "Playwright leaves bodies of requests of type application/octet-stream out",
}
"""What a writer never keeps, by the first word of its name, lower case."""
_SANITIZED: Final = (
    "no entry has a Cookie, Set-Cookie or Authorization header: Chrome leaves them out of an "
    "archive that it exports as sanitized"
)
_SECRETS: Final = frozenset({b"cookie", b"set-cookie", b"authorization"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HarOptions:
    """What the reader must be told."""

    capture: str
    """Id of the capture, for the rows."""
    file: str
    """Name that references give the file."""


def read_har(path: Path, options: HarOptions) -> Extract:
    """Read an archive; raises :class:`CaptureError` for a file that is none.

    An entry that cannot be read is left out, and ``truncated`` says which.
    """
    archive = open_archive(path, options.file)
    rows = _Rows(options=options, archive=archive)
    for number, found in enumerate(archive.entries, start=1):
        try:
            entry = HarEntry.of(found, number)
            if not entry.is_local:
                rows.add(entry)
        except (ValueError, TypeError, KeyError) as error:
            rows.gaps.missing(number, "an entry was not read", str(error)[:200])
    return rows.finish()


@dataclass(slots=True, kw_only=True)
class _Rows:
    """Collects the rows of one archive."""

    options: HarOptions
    archive: HarArchive
    extract: Extract = field(default_factory=Extract)
    gaps: Gaps = field(init=False)
    _has_secrets: bool = False
    _conversations: dict[object, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gaps = Gaps(self.options.file, self.extract)

    def add(self, entry: HarEntry) -> None:
        """Add one entry; raises ``ValueError`` or ``TypeError`` for what is none."""
        request = self._request(entry)
        response = self._response(entry)
        untold, untold_answer = [*entry.untold()], [*entry.untold_answer()]
        if entry.is_cached:
            self.gaps.remark("entries were answered from the browser's cache, and are no requests")
            return
        if entry.is_held_back:
            self.gaps.remark("requests were stopped or answered by the recording program")
        if entry.entry.get("_fetchedViaServiceWorker"):
            self.gaps.remark("requests went to a service worker, which may have answered them")
        record = Reference(file=self.options.file, records=(entry.number,))
        common = self._common(entry, request)
        if common["ts"] is None:
            self.gaps.remark("entries have no time that can be read")
        messages = [
            *read_messages(
                entry.entry,
                entry.number,
                self.gaps,
                self.archive.resource,
                is_socket=entry.is_socket,
            )
        ]
        conversation = self._conversation(entry, common, record)
        self.extract.unplaced.append(unplaced_entry(entry.entry, common, str(record), entry.url))
        path, query = split_target(entry.target)
        row = common | {
            "ref": f"{record}:request.head",
            "method": entry.method.upper(),
            "path": path,
            "query": query,
        }
        agent = {"user_agent": request.header(b"user-agent")}
        index = self._add(row | agent, "http_requests", request, record, conversation)
        self._add_untold(untold, "http_requests", index, record)
        self._add_authority(entry, request, index, record)
        if response is not None:
            row |= {"ref": f"{record}:response.head", "status": entry.status}
            index = self._add(row, "http_responses", response, record, conversation)
            self._add_untold(untold_answer, "http_responses", index, record)
        for number, message in enumerate(messages, start=1):
            self._add_message(message, number, common, record, conversation)

    def finish(self) -> Extract:
        """Return everything, gaps told."""
        file, creator = self.options.file, self.archive.creator
        self.gaps.finish()
        if self.archive.ends is not None:
            whole = len(self.archive.entries)
            self.extract.truncated.append(
                f"{file}: the archive breaks off: entry {whole + 1} and what follows were not "
                f"read ({self.archive.ends})"
            )
        self.extract.limits.append(f"{file} is an HTTP archive: it holds no other protocol")
        for name, left_out in _LEFT_OUT.items():
            if creator.lower().startswith(name):
                self.extract.limits.append(f"{file}: {left_out}")
        if creator == "WebInspector" and self.extract.rows and not self._has_secrets:
            both: tuple[Direction, ...] = ("sent", "received")
            self.extract.unread += [(direction, f"{file}: {_SANITIZED}") for direction in both]
        add_device(self.extract, self.archive.log, self.options.capture, file)
        return self.extract

    # -- parts of an entry

    def _bodies(self, entry: HarEntry) -> BodyReader:
        return BodyReader(
            entry=entry.number,
            gaps=self.gaps,
            resources=self.archive.resource,
            is_mitmproxy=self.archive.creator.startswith("mitmproxy"),
        )

    def _request(self, entry: HarEntry) -> HttpMessage:
        headers = entry.headers(entry.asked)
        version = str(entry.asked.get("httpVersion") or "HTTP/1.1")
        return self._message(
            HttpMessage(
                side="request",
                first_line=text_bytes(f"{entry.method} {entry.target} {version}"),
                headers=headers,
                body=self._bodies(entry).request(entry.asked, headers),
                trailers=entry.trailers(entry.asked),
                is_decoded=True,
            )
        )

    def _response(self, entry: HarEntry) -> HttpMessage | None:
        answered, status = entry.answered, entry.status
        if answered is None or status is None:
            return None
        headers = entry.headers(answered)
        version = answered.get("httpVersion") or "HTTP/1.1"
        line = f"{version} {status} {answered.get('statusText') or ''}"
        body: bytes | None = b""
        if not entry.is_socket:
            body = self._bodies(entry).answer(
                answered, headers, method=entry.method.upper(), status=status
            )
        return self._message(
            HttpMessage(
                side="response",
                first_line=text_bytes(line),
                headers=headers,
                body=body,
                trailers=entry.trailers(answered),
                is_decoded=True,
            )
        )

    def _message(self, message: HttpMessage) -> HttpMessage:
        self._has_secrets |= any(line.name.key in _SECRETS for line in message.lines)
        return message

    def _common(self, entry: HarEntry, request: HttpMessage) -> Row:
        named = request.header(b"host") or request.header(b":authority")
        return {
            "capture": self.options.capture,
            "ts": entry.ts,
            "host": host_name(named) or host_name(entry.url.hostname),
            "responder_ip": entry.server,
            "taps": ("proxy",),
            "layer": 0,
            "transport": "tls-intercepted" if entry.url.scheme in {"https", "wss"} else "plaintext",
        }

    # -- rows

    def _conversation(self, entry: HarEntry, common: Row, record: Reference) -> Row:
        port = entry.url.port or PORTS[entry.url.scheme]
        key = (entry.url.hostname, port, str(entry.entry.get("connection")))
        row = self._conversations.get(key)
        if row is None:
            row = common | {
                "ref": str(record),
                "proto": "tcp",
                "responder_port": port,
                "first_seen": common["ts"],
                "last_seen": common["ts"],
                "payload_bytes": 0,
                "content": "empty",
            }
            self._conversations[key] = row
            self.extract.add("conversations", row)
        seen = [str(ts) for ts in (row["first_seen"], row["last_seen"], common["ts"]) if ts]
        if seen:
            row["first_seen"], row["last_seen"] = min(seen), max(seen)
        return row

    def _add(
        self, row: Row, table: str, message: HttpMessage, record: Reference, conversation: Row
    ) -> int:
        row = row | message.columns()
        index = self.extract.add(table, row)
        add_payloads(self.extract, table, index, message, record)
        _count(conversation, message.size, str(row["content"]))
        return index

    def _add_untold(self, found: list[Untold], table: str, index: int, record: Reference) -> None:
        """Hand what the archive lists apart, and shows nowhere else, to the search."""
        is_sent = table == "http_requests"
        for number, (location, detail, data) in enumerate(found, start=1):
            part = f"{'request' if is_sent else 'response'}.listed.{number}"
            self.extract.payloads.append(
                Payload(
                    table=table,
                    row=index,
                    location=location,
                    detail=detail,
                    direction="sent" if is_sent else "received",
                    data=data,
                    ref=record.of(part),
                )
            )

    def _add_authority(
        self, entry: HarEntry, request: HttpMessage, index: int, record: Reference
    ) -> None:
        """Hand what stands before the path to the search, where no header shows it."""
        user, _, host = entry.url.netloc.rpartition("@")
        named = (request.header(b"host") or request.header(b":authority") or "").lower()
        for data, is_shown in ((user, False), (host, host.lower() in named)):
            if data and not is_shown:
                self.extract.payloads.append(
                    Payload(
                        table="http_requests",
                        row=index,
                        location="header",
                        detail=":authority",
                        direction="sent",
                        data=text_bytes(data),
                        ref=record.of("request.user" if data is user else "request.host"),
                    )
                )

    def _add_message(
        self, message: HarMessage, number: int, common: Row, record: Reference, conversation: Row
    ) -> None:
        ref = record.of(f"websocket.{number}")
        content = add_websocket_message(
            self.extract,
            common | {"ref": str(ref), "ts": message.ts or common["ts"]},
            direction=message.direction,
            opcode=message.opcode,
            data=message.data,
            ref=ref,
        )
        _count(conversation, len(message.data), content)


def _count(conversation: Row, size: int, content: str) -> None:
    conversation["payload_bytes"] = int(str(conversation["payload_bytes"])) + size
    conversation["content"] = joint_content({str(conversation["content"]), content})
