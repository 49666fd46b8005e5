import json

from audit.evidence import coverage
from audit.evidence.capture import read_capture
from audit.model.result import Coverage
from tests.evidence import bundles
from tests.readers import dumps


def talk(recipient: str = "a", size: int = 10, **more) -> dict:
    return {
        "recipient": recipient,
        "process": "app",
        "transport": "plaintext",
        "content": "readable",
        "bytes_out": size,
        "bytes_in": 0,
    } | more


def test_shares_count_the_client_alone():
    tables = {
        "conversations": [
            talk(),
            talk(transport="metadata-only", content=None, size=5),
            talk(process="unknown", size=7),
            talk(process="control"),
            talk(process="os"),
        ]
    }
    found = coverage.shares(tables)
    assert found["conversations"]["transport"] == {"metadata-only": 1, "plaintext": 2}
    assert found["bytes"]["transport"] == {"metadata-only": 5, "plaintext": 17}
    assert found["unattributed"] == {"conversations": 1, "bytes": 7}


def test_recipients_are_listed_once_a_process():
    rows = [
        talk("b"),
        talk("a", peer_role="seed"),
        talk("a", peer_role="seed"),
        talk("a", process="os"),
    ]
    found = coverage.recipients({"conversations": rows})
    assert [(r["recipient"], r["role"], r["process"], r["conversations"], r["bytes"]) for r in found] == [
        ("a", None, "os", 1, 10), ("a", "seed", "app", 2, 20), ("b", None, "app", 1, 10),
    ]  # fmt: skip


def span(start: str, end: str) -> dict:
    return talk(first_seen=f"2026-01-01T00:00:{start}Z", last_seen=f"2026-01-01T00:00:{end}Z")


def test_close_spans_are_joined():
    rows = [
        span("09.000000", "09.500000"),
        span("01.000000", "02.000000"),
        span("02.900000123", "03.000000"),
        span("01.200000", "01.300000"),
    ]
    (found,) = coverage.timeline({"conversations": rows}, "c1")
    assert [[s[17:19] for s in one] for one in found["spans"]] == [["01", "03"], ["09", "09"]]


def test_an_undated_conversation_has_no_span():
    assert coverage.timeline({"conversations": [talk(first_seen=None)]}, "c1") == []


def test_who_got_what_counts_what_was_sent():
    hit = {
        "recipient": "a",
        "kind": "email",
        "layer": 0,
        "seen_as": "client",
        "direction": "sent",
        "process": "app",
    }
    hits = [
        hit | {"form": "hex"},
        hit | {"form": "base64"},
        hit | {"form": "hex", "direction": "received"},
        hit | {"process": "control"},
    ]
    (found,) = coverage.who_got_what(hits)
    assert (found["forms"], found["count"]) == (["base64", "hex"], 2)


def test_a_captures_coverage_fits_the_result(tmp_path):
    bundle = bundles.make_bundle(
        tmp_path / "b",
        flows=[dumps.http_flow()],
        journal=[bundles.line("app.idle", "recorder", note="n")],
    )
    found = read_capture(bundle).coverage
    Coverage.model_validate(found)
    json.dumps(found)
    assert found["actions"] == [
        {"capture": "c1", "name": "app.idle", "phase": "steady", "ok": True, "driver": "recorder",
         "corroborated_by": "recorder", "ts": "2023-11-14T22:13:20.000000Z", "note": "n"},
    ]  # fmt: skip
