import hashlib
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bundle.folder import files_in, open_bundle
from audit.bundle.layout import MANIFEST
from audit.errors import CaptureError
from audit.evidence.capture import read_capture
from audit.evidence.context import EvidenceContext
from audit.readers.onion import OnionConfig
from audit.tables.evidence import CaptureEvidence
from audit.tables.reference import parse_reference
from audit.tables.rows import TABLES
from tests.evidence import bundles
from tests.readers import dumps, onions, wire
from tests.readers.test_har import entry


@pytest.fixture(scope="module")
def tiny() -> CaptureEvidence:
    return read_capture(open_bundle(bundles.TINY))


def rows(evidence: CaptureEvidence, table: str, **where: object) -> list[dict]:
    found = evidence.tables[table].to_dict("records")
    return [row for row in found if all(row[name] == value for name, value in where.items())]


def test_both_taps_of_a_recording_show_their_controls(tiny):
    assert {(state.tap, state.control_found, state.truncated) for state in tiny.taps} == {
        ("packets", True, ()), ("proxy", True, ()),
    }  # fmt: skip
    assert tiny.capabilities == {
        "packets.all_interfaces",
        "process.attribution",
        "dns.seen",
        "tls.metadata",
    }
    assert tiny.sees_all
    assert not tiny.truncated


def test_an_exchange_that_both_taps_read_is_one_row_with_both_places(tiny):
    app = rows(tiny, "http_requests", process="app")
    assert len(app) == 3
    for row in app:
        assert row["taps"] == ("proxy", "packets")
        assert row["ref"].startswith("flows.mitm#")
        assert row["also"].startswith("packets.pcapng#")
        assert row["recipient"] == "shop.example"
        assert row["phase"] == "first-launch"
    assert len(tiny.tables["conversations"]["conversation"].dropna().unique()) == len(
        tiny.tables["conversations"]["conversation"].dropna()
    )
    assert tiny.coverage["missed_by_proxy"] == []


def test_only_the_requests_with_a_token_are_the_recorders(tiny):
    own = rows(tiny, "http_requests", process="control")
    assert len(own) == 4
    assert all(len(row["path"]) == 33 for row in own)
    assert {row["process"] for row in rows(tiny, "conversations", recipient="198.18.25.1")} == {
        "control",
        "os",
    }


def test_a_hit_opens_to_the_same_bytes_in_both_taps(tiny):
    sent = rows(tiny, "identifier_hits", direction="sent")
    assert {row["kind"] for row in sent} == {"ad_id", "email", "message"}
    flows = (bundles.TINY / "flows.mitm").read_bytes()
    email = "camille.lindqvist8723@example.org"
    (hit,) = [row for row in sent if row["kind"] == "email"]
    ref, also = parse_reference(hit["ref"]), parse_reference(hit["also"])
    assert (ref.end - ref.start, also.end - also.start) == (len(email), len(email))
    assert email.encode() in flows
    assert email not in repr(tiny.coverage)
    assert also.file == "packets.pcapng"


def test_the_kernels_own_packets_are_the_systems(tiny):
    assert {row["proto"] for row in rows(tiny, "conversations", process="os")} == {"arp", "icmp6"}


def test_the_digest_locates_the_capture(tiny):
    bundle = open_bundle(bundles.TINY)
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(bundle.manifest.files.items()))
    assert tiny.digest == hashlib.sha256(lines.encode()).hexdigest()
    assert rows(tiny, "captures")[0]["digest"] == tiny.digest


def test_every_table_is_there_and_every_row_has_a_recipient(tiny):
    assert tiny.tables.keys() == TABLES.keys()
    for table in (
        "conversations",
        "http_requests",
        "http_responses",
        "dns_queries",
        "tls_handshakes",
        "identifier_hits",
    ):
        assert tiny.tables[table]["recipient"].notna().all()
        assert tiny.tables[table]["seen_as"].notna().all()
        assert (tiny.tables[table]["capture"] == "tiny-intercepted").all()


def test_reading_twice_gives_the_same(tiny):
    again = read_capture(open_bundle(bundles.TINY))
    assert all(again.tables[name].equals(tiny.tables[name]) for name in TABLES)
    assert again.coverage == tiny.coverage
    assert again.limits == tiny.limits


@given(st.data())
@settings(max_examples=25)
def test_taking_files_away_never_gives_more_and_never_breaks(tmp_path_factory, tiny, data):
    folder = bundles.copy_tiny(tmp_path_factory.mktemp("less"))
    for name in data.draw(st.sets(st.sampled_from([*files_in(folder), MANIFEST]))):
        (folder / name).unlink()
    if not (folder / MANIFEST).exists():
        with pytest.raises(CaptureError):
            open_bundle(folder)
        return
    status = data.draw(st.sampled_from(["complete", "recording"]))
    less = read_capture(bundles.reseal(folder, status=status))
    assert less.capabilities <= tiny.capabilities
    assert less.sees_all <= tiny.sees_all
    assert {s.tap for s in less.taps if s.control_found} <= {
        s.tap for s in tiny.taps if s.control_found
    }
    assert {s.tap for s in less.taps} == {"packets", "proxy"}
    corroborated = {(a.name, a.corroborated_by) for a in less.actions if a.corroborated_by}
    assert corroborated <= {(a.name, a.corroborated_by) for a in tiny.actions}
    assert bool(less.truncated) == (status == "recording")


@given(st.data())
@settings(max_examples=25)
def test_any_cut_of_any_file_gives_evidence_or_one_error(tmp_path_factory, tiny, data):
    folder = bundles.copy_tiny(tmp_path_factory.mktemp("cut"))
    path = folder / data.draw(
        st.sampled_from(["flows.mitm", "packets.pcapng", "tls.jsonl", "journal.jsonl"])
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    try:
        less = read_capture(bundles.reseal(folder))
    except CaptureError:
        return
    assert less.capabilities <= tiny.capabilities


def test_a_missing_tap_is_a_tap_without_its_control(tmp_path):
    folder = bundles.copy_tiny(tmp_path)
    (folder / "packets.pcapng").unlink()
    less = read_capture(bundles.reseal(folder))
    (packets,) = [state for state in less.taps if state.tap == "packets"]
    assert not packets.control_found
    assert packets.truncated == ("the packets tap left no file in the bundle",)
    assert not less.sees_all
    assert "the packets tap did not show its control: nothing passes on it" in less.limits


def test_a_forged_journal_beside_a_capture_without_controls_proves_no_tap(tmp_path):
    bundle = bundles.make_bundle(
        tmp_path / "b", flows=[dumps.http_flow()], packets=wire.pcap(()), journal=bundles.controls()
    )
    forged = read_capture(bundle)
    assert not any(state.control_found for state in forged.taps)
    assert not forged.capabilities
    assert not forged.sees_all
    assert {row["found"] for row in rows(forged, "controls") if row["tap"]} == {False}


def test_an_intercepted_recording_by_the_proxy_alone_sees_not_all(tmp_path):
    bundle = bundles.make_bundle(
        tmp_path / "b",
        flows=[*bundles.control_flows(), dumps.http_flow()],
        journal=bundles.controls(),
        vantage="proxy",
    )
    found = read_capture(bundle)
    assert [(state.tap, state.control_found) for state in found.taps] == [("proxy", True)]
    assert not found.sees_all
    assert not found.capabilities
    assert "what the client sent around the recording proxy was not seen" in found.limits
    assert {row["process_basis"] for row in rows(found, "http_requests", process="app")} == {
        "declared"
    }


def test_onion_layers_are_judged_like_anything_else(tmp_path):
    guard, relay, target = known = onions.nodes()
    body = b'{"id": "' + bundles.ACCOUNT.encode() + b'"}'
    request, _ = onions.to_node([guard, relay], target, body)
    flow = dumps.http_flow(
        path="/onion", body=request, server_conn=dumps.server(("203.0.113.1", 22021)), headers=[]
    )
    bundle = bundles.make_bundle(
        tmp_path / "b",
        flows=[flow],
        identifiers=[("account_id", bundles.ACCOUNT)],
        files={"onion-keys.json": onions.write_keys(tmp_path, known).read_bytes()},
    )
    context = EvidenceContext(onion=OnionConfig(paths=("/onion",), salt=onions.SALT))
    found = read_capture(bundle, context)
    (hit,) = rows(found, "identifier_hits")
    assert (hit["layer"], hit["seen_as"], hit["recipient"]) == (3, "onion", "203.0.113.3")
    assert hit["ref"].startswith("flows.mitm#1:request.body/onion.3@")
    assert (found.onion.keys, found.onion.seen, found.onion.opened) == (True, 1, 1)
    assert found.planted_kinds == {"account_id"}
    without = read_capture(bundle)
    assert without.onion.seen == 0
    assert not rows(without, "identifier_hits")


def test_requests_that_stay_closed_are_said(tmp_path):
    guard, target = known = onions.nodes(2)
    flow = dumps.http_flow(path="/onion", body=onions.to_node([guard], target, b"{}")[0])
    context = EvidenceContext(onion=OnionConfig(paths=("/onion",), salt=onions.SALT))
    bare = read_capture(bundles.make_bundle(tmp_path / "a", flows=[flow]), context)
    assert "1 onion requests stay closed: the nodes' keys are not in the capture" in bare.limits
    keys = onions.write_keys(tmp_path, known[:1]).read_bytes()
    half = read_capture(
        bundles.make_bundle(tmp_path / "b", flows=[flow], files={"onion-keys.json": keys}), context
    )
    assert (half.onion.seen, half.onion.opened) == (1, 0)
    assert "1 of 1 onion requests could not be opened whole" in half.limits


def test_conversations_that_stayed_closed_count_against_the_onion(tmp_path):
    tls = '{"ts": "2023-11-14T22:13:21Z", "client": "192.0.2.10:40000", "server": "198.51.100.7:443", "outcome": "passed-through"}\n'
    context = EvidenceContext(onion=OnionConfig(paths=("/onion",), salt=onions.SALT))
    found = read_capture(bundles.make_bundle(tmp_path / "b", flows=[], tls=tls), context)
    assert found.onion.sealed == 1
    assert (
        "no onion request was seen, and 1 conversations that may hold some stayed closed"
        in found.limits
    )


def test_the_address_that_a_stun_server_told_is_received_not_sent(tmp_path):
    mapped = bytes(
        a ^ b for a, b in zip(wire.packed(wire.CLIENT), b"\x21\x12\xa4\x42", strict=True)
    )
    answer = (
        b"\x01\x01\x00\x0c\x21\x12\xa4\x42"
        + bytes(12)
        + b"\x00\x20\x00\x08\x00\x01\x00\x00"
        + mapped
    )
    packets = [
        wire.udp(
            wire.CLIENT, 5000, wire.SERVER, 3478, b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
        ),
        wire.udp(wire.SERVER, 3478, wire.CLIENT, 5000, answer),
    ]
    bundle = bundles.make_bundle(
        tmp_path / "b",
        packets=wire.pcap(wire.frames(packets)),
        identifiers=[("address", wire.CLIENT)],
    )
    hits = rows(read_capture(bundle), "identifier_hits")
    assert {(hit["kind"], hit["direction"], hit["recipient"]) for hit in hits} == {
        ("address", "received", wire.SERVER)
    }


def question(name: str, *answers: str) -> bytes:
    """One DNS query, or an answer to it."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    flags = 0x8180 if answers else 0x0100
    data = struct.pack("!HHHHHH", 7, flags, 1, len(answers), 0, 0) + labels + b"\0\0\1\0\1"
    for answer in answers:
        data += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + wire.packed(answer)
    return data


def asking(server: str, name: str, *answers: str, port: int = 5000) -> list[bytes]:
    packets = [wire.udp(wire.CLIENT, port, server, 53, question(name))]
    if answers:
        packets.append(wire.udp(server, 53, wire.CLIENT, port, question(name, *answers)))
    return packets


def calling(host: str, address: str) -> list[bytes]:
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    talk = wire.TcpTalk(server=address).open().sent(request)
    return talk.received(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").close().packets


RESOLVER = "198.51.100.53"


def captured(folder, *packets: bytes, **more) -> CaptureEvidence:
    data = wire.pcap(wire.frames(packets))
    bundle = bundles.make_bundle(folder / "b", packets=data, **{"pass": "passive"} | more)
    return read_capture(bundle, seeds())


def seeds() -> EvidenceContext:
    from audit.checks.variables import Variables
    from audit.evidence.roles import compile_roles

    rules = {"seed": {"host|domain": "seed.example"}}
    none = Variables(declared={}, values={})
    return EvidenceContext(roles=compile_roles(rules, none, {}))


def met(evidence: CaptureEvidence, address: str) -> tuple:
    (row,) = rows(evidence, "conversations", responder_ip=address)
    return row["host_basis"], row["recipient"], row["peer_role"], row["claimed_role"]


def test_a_server_that_a_look_up_names_has_its_role(tmp_path):
    asked = asking(RESOLVER, "seed.example", wire.SERVER)
    found = captured(tmp_path, *asked, *calling("seed.example", wire.SERVER))
    assert met(found, wire.SERVER) == ("host", "seed.example", "seed", None)
    assert met(found, RESOLVER) == (None, RESOLVER, "resolver", None)


FRONTED = ("claimed", wire.SERVER, None, "seed")


@pytest.mark.parametrize(
    "asked",
    [
        [],
        asking(RESOLVER, "seed.example", "198.51.100.99"),
        asking("198.51.100.66", "seed.example", wire.SERVER),
        [
            *asking(RESOLVER, "seed.example"),
            wire.udp(wire.CLIENT, 5000, RESOLVER, 53, question("seed.example", wire.SERVER)),
        ],
    ],
)
def test_a_server_that_only_the_client_calls_a_seed_is_none(tmp_path, asked):
    found = captured(tmp_path, *asked, *calling("seed.example", wire.SERVER))
    assert met(found, wire.SERVER) == FRONTED
    (request,) = rows(found, "http_requests")
    assert (request["host"], request["peer_role"]) == ("seed.example", None)
    assert any("named seed.example to 198.51.100.7" in text for text in found.limits)


def test_a_datagram_that_is_a_question_makes_no_resolver_of_its_receiver(tmp_path):
    cover = wire.udp(wire.CLIENT, 5000, "198.51.100.66", 9090, question("seed.example"))
    secret = wire.udp(wire.CLIENT, 5000, "198.51.100.66", 9090, bytes(range(256)))
    found = captured(tmp_path, cover, secret, **{"pass": "intercepted"})
    (row,) = rows(found, "conversations")
    assert (row["peer_role"], row["only_dns"]) == (None, False)
    assert [missed["recipient"] for missed in found.coverage["missed_by_proxy"]] == [
        "198.51.100.66"
    ]


def test_in_a_namespace_what_looks_like_dhcp_is_the_apps(tmp_path):
    packet = wire.udp(wire.CLIENT, 68, "255.255.255.255", 67, b"dh=canary")
    found = captured(tmp_path, packet, identifiers=[("message", "canary")])
    (hit,) = rows(found, "identifier_hits")
    assert (hit["process"], hit["recipient"]) == ("app", "255.255.255.255")


def test_another_identity_may_be_searched_for(tmp_path):
    from audit.bundle.identity import Identifier, make_identity

    bundle = bundles.make_bundle(tmp_path / "b", flows=[dumps.http_flow(body=b"bob@example.org")])
    identity = make_identity([Identifier("email", "bob@example.org")])
    assert rows(read_capture(bundle, EvidenceContext(identity=identity)), "identifier_hits")
    assert not rows(read_capture(bundle), "identifier_hits")


def test_another_identity_does_not_make_the_recorded_subject_forgotten(tmp_path):
    from audit.bundle.identity import Identifier, make_identity

    bundle = bundles.make_bundle(
        tmp_path / "b",
        flows=[dumps.http_flow(body=b"bob@example.org +15005550006")],
        identifiers=[("phone", "+15005550006")],
    )
    identity = make_identity([Identifier("email", "bob@example.org")])
    found = read_capture(bundle, EvidenceContext(identity=identity))
    assert {hit["kind"] for hit in rows(found, "identifier_hits")} == {"email", "phone"}
    assert found.planted_kinds == {"email", "phone"}


def test_values_do_not_stand_in_what_a_report_prints(tiny):
    identity = open_bundle(bundles.TINY).identity
    secret = {
        item.value
        for item in identity.identifiers
        if item.kind in {"email", "phone", "message", "ad_id", "serial"}
    }
    printed = repr(
        (tiny.coverage, tiny.limits, tiny.taps, tiny.actions, rows(tiny, "identifier_hits"))
    )
    assert not [value for value in secret if value in printed]


def test_a_file_that_cannot_be_read_is_one_error(tmp_path):
    bundle = bundles.make_bundle(tmp_path / "b", files={"flows.mitm": b"<html>"})
    with pytest.raises(CaptureError, match=r"flows\.mitm#1"):
        read_capture(bundle)
    assert isinstance(Path(bundle.folder), Path)


def test_an_imported_archive_stands_in_for_flows(tmp_path):
    log = json.dumps({"log": {"entries": [entry()]}}).encode()
    bundle = bundles.make_bundle(tmp_path / "b", files={"flows.har": log}, vantage="import")
    found = read_capture(bundle)
    assert [row["ref"] for row in rows(found, "http_requests")] == ["flows.har#1:request.head"]
    assert [(state.tap, state.control_found) for state in found.taps] == [("proxy", False)]
    assert found.coverage["missed_by_proxy"] == []


def test_two_taps_of_an_import_are_reconciled_too(tmp_path):
    packets = wire.TcpTalk(sport=443).open().sent(b"unknown").close().packets
    bundle = bundles.make_bundle(
        tmp_path / "b",
        flows=[dumps.http_flow(client_conn=dumps.client((wire.CLIENT, 41_000)))],
        packets=wire.pcap(wire.frames(packets)),
        vantage="import",
    )
    (missed,) = read_capture(bundle).coverage["missed_by_proxy"]
    assert missed["conversation"] == "tcp 192.0.2.10:40000 > 198.51.100.7:443"


def test_a_manifest_without_a_readable_time_is_read(tmp_path):
    bundle = bundles.make_bundle(tmp_path / "b", flows=[], started_at="yesterday")
    assert rows(read_capture(bundle), "captures")[0]["capture"] == "c1"
