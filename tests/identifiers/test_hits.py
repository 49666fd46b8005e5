"""Rows of hits: everything that the owner row knows, and a reference to the very bytes."""

from __future__ import annotations

import gzip

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers.detector import Detector, text_payload
from audit.identifiers.hits import INHERITED, hit_rows
from audit.tables.extract import Extract
from audit.tables.frames import make_frame
from audit.tables.reference import Reference, parse_reference

DETECTOR = Detector(
    make_identity([Identifier("serial", "C02XK1ABJG5J"), Identifier("locale", "pt-BR")])
)
OWNER = {
    "capture": "c1", "ref": "flows.mitm#3", "ts": "2026-11-24T10:00:00Z", "process": "app",
    "process_basis": "netns", "phase": "steady", "host": "api.example", "responder_ip": "203.0.113.5",
    "recipient": "api.example", "peer_role": "tracker", "layer": 0, "seen_as": "client", "taps": ("proxy",),
    "conversation": "tcp 192.0.2.10:40000 > 203.0.113.5:443", "transport": "tls-intercepted",
    "method": "POST", "content": "readable",
}  # fmt: skip


def make_extract(data: bytes, *, start: int | None = None, **fields: object) -> Extract:
    extract = Extract()
    index = extract.add("http_requests", dict(OWNER))
    payload = text_payload(data)
    payload.table, payload.row = "http_requests", index
    payload.ref = Reference(
        file="flows.mitm", records=(3,), part="request.body", start=start, end=None
    )
    for name, value in fields.items():
        setattr(payload, name, value)
    extract.payloads.append(payload)
    return extract


def test_a_row_takes_recipient_role_layer_process_phase_and_time_from_its_owner():
    rows, truncated = hit_rows(make_extract(b'{"id":"C02XK1ABJG5J"}'), DETECTOR)
    assert truncated == []
    (row,) = rows
    assert {name: row[name] for name in INHERITED if name in OWNER and name != "ref"} == {
        name: value for name, value in OWNER.items() if name in INHERITED and name != "ref"
    }
    assert (row["kind"], row["form"], row["chain"]) == ("serial", "plain", ("json",))
    assert (row["location"], row["direction"]) == ("body $.id", "sent")
    assert row["excerpt"] == '{"id":"[serial:' + row["excerpt"][15:21] + ']"}'


def test_rows_fit_their_table():
    rows, _ = hit_rows(make_extract(b'{"id":"C02XK1ABJG5J"}'), DETECTOR)
    assert len(make_frame("identifier_hits", rows)) == 1


def test_the_reference_points_at_the_bytes_inside_the_part():
    data = b"x=1&id=C02XK1ABJG5J"
    (row,) = hit_rows(make_extract(data, start=100, location="query"), DETECTOR)[0]
    ref = parse_reference(row["ref"])
    assert (ref.file, ref.records, ref.part) == ("flows.mitm", (3,), "request.body")
    assert data[ref.start - 100 : ref.end - 100] == b"C02XK1ABJG5J"


def test_values_of_low_entropy_without_meaning_make_no_row():
    assert hit_rows(make_extract(b"text in pt-BR here"), DETECTOR)[0] == []


def test_what_a_bound_cut_is_said_once_with_its_place():
    bomb = gzip.compress(b"\0" * 40_000_000, 9)
    extract = make_extract(bomb)
    extract.payloads *= 2
    rows, truncated = hit_rows(extract, DETECTOR)
    assert rows == []
    assert truncated == ["flows.mitm#3:request.body: gzip data gives more bytes than are searched"]


def test_a_payload_without_its_row_still_gives_its_hits():
    extract = make_extract(b"C02XK1ABJG5J", table="log_lines", row=7)
    (row,) = hit_rows(extract, DETECTOR)[0]
    assert "host" not in row
    assert row["kind"] == "serial"
