import random

import brotli
import pytest

from audit.evidence.capture import read_capture
from tests.evidence import bundles
from tests.readers import dumps, wire

ADDRESS = "198.51.100.77"
CODED = [(b"Content-Encoding", b"gzip")]


def hits(folder, **parts) -> list[dict]:
    found = read_capture(bundles.make_bundle(folder / "b", **parts))
    return found.tables["identifier_hits"].to_dict("records")


@pytest.mark.parametrize("seed", range(5))
def test_four_bytes_inside_ciphertext_are_no_address(tmp_path, seed):
    noise = random.Random(seed).randbytes(3000)
    body = noise[:1000] + wire.packed(ADDRESS) + noise[1000:]
    flow = dumps.http_flow(body=body, headers=[(b"Content-Type", b"application/octet-stream")])
    assert hits(tmp_path, flows=[flow], identifiers=[("address", ADDRESS)]) == []


def test_a_hit_names_the_place_and_inherits_what_its_row_knows(tmp_path):
    flow = dumps.http_flow(path="/a?mail=bob%40example.org", headers=[(b"Host", b"api.example")])
    (hit,) = hits(
        tmp_path,
        flows=[flow],
        identifiers=[("email", "bob@example.org")],
        journal=[bundles.line("app.idle", "recorder")],
    )
    assert (hit["location"], hit["form"], hit["recipient"], hit["seen_as"]) == (
        "query mail",
        "percent",
        "api.example",
        "client",
    )
    assert (hit["phase"], hit["process"], hit["capture"], hit["transport"]) == (
        "steady",
        "app",
        "c1",
        "tls-intercepted",
    )
    head = b"POST /a?mail=bob%40example.org HTTP/1.1\r\n"
    start = head.index(b"bob")
    assert hit["ref"] == f"flows.mitm#1:request.head@{start}-{start + 17}"


def test_an_answer_is_searched_as_received(tmp_path):
    (hit,) = hits(
        tmp_path,
        flows=[dumps.http_flow(answer=b"bob@example.org")],
        identifiers=[("email", "bob@example.org")],
    )
    assert (hit["direction"], hit["recipient"]) == ("received", "api.example")


def test_what_the_search_cut_is_told_with_its_direction(tmp_path):
    bomb = brotli.compress(bytes(8 * 2**20))
    flow = dumps.http_flow(body=bomb, headers=[(b"Content-Encoding", b"br")])
    bundle = bundles.make_bundle(
        tmp_path / "b", flows=[flow], identifiers=[("email", "bob@example.org")]
    )
    found = read_capture(bundle)
    assert any(
        body.direction == "sent" and body.text.startswith("flows.mitm#1:request.body: ")
        for body in found.unread
    )
    assert not found.truncated


def test_an_answer_of_a_wrong_coding_is_an_unread_body_and_cuts_no_tap(tmp_path):
    flow = dumps.http_flow(answer=bytes(range(128, 256)) * 4, answer_headers=CODED)
    found = read_capture(
        bundles.make_bundle(tmp_path / "b", flows=[flow], identifiers=[("email", "b@example.org")])
    )
    assert [body.direction for body in found.unread] == ["received"]
    assert not found.truncated
    assert all(not state.truncated for state in found.taps if state.tap == "proxy")


def test_the_detectors_controls_are_listed_and_are_no_hits(tmp_path):
    found = read_capture(
        bundles.make_bundle(tmp_path / "b", flows=[], identifiers=[("email", "bob@example.org")])
    )
    controls = found.tables["controls"]
    planted = controls[controls["tap"].isna()]
    assert len(planted) > 20
    assert set(planted["process"]) == {"control"}
    missing = tuple(planted[planted["found"] == False]["name"])  # noqa: E712 - a column of objects
    assert found.detector_missing == missing
    assert found.tables["identifier_hits"].empty
