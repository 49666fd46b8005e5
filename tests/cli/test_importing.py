import gzip
import json
import struct

import pytest

from audit.bundle.folder import open_bundle
from audit.bundle.pcapng import secrets_block
from audit.cli.importing import ImportPlan, import_captures
from audit.errors import AuditError, CaptureError, UsageError
from audit.readers.packets import PacketOptions, read_packets
from tests.readers import dumps, wire

KEYS = b"CLIENT_RANDOM " + b"a" * 64 + b" " + b"b" * 96 + b"\n"


def pcap_bytes() -> bytes:
    request = b"GET /?id=1 HTTP/1.1\r\nHost: api.example\r\n\r\n"
    return wire.pcap(wire.frames(wire.TcpTalk().open().sent(request).close().packets))


def pcapng_bytes(order: str = "<") -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        length = struct.pack(order + "I", 12 + len(body))
        return struct.pack(order + "I", kind) + length + body + length

    section = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, 400))
    data = section + block(1, struct.pack(order + "HHI", 1, 0, 0))
    for number, frame in enumerate(wire.frames(wire.TcpTalk().open().close().packets)):
        raw = frame[1] if isinstance(frame, tuple) else frame
        head = struct.pack(order + "IIIII", 0, 0, number, len(raw), len(raw))
        data += block(6, head + raw + b"\0" * (-len(raw) % 4))
    return data


@pytest.fixture
def put(tmp_path):
    def write(name: str, data: bytes):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def imported(tmp_path, *files, **more):
    import_captures(ImportPlan(files=files, folder=tmp_path / "made", **more))
    return open_bundle(tmp_path / "made")


def packets(bundle):
    return read_packets(bundle.folder / "packets.pcapng", PacketOptions(capture="c"))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_pcap_becomes_the_same_packets_in_pcapng(tmp_path, put, pack):
    source = put("a.pcap", pcap_bytes())
    bundle = imported(tmp_path, put("a.cap", pack(pcap_bytes())))
    before, after = (
        read_packets(source, PacketOptions(capture="c", file="packets.pcapng")),
        packets(bundle),
    )
    for table in ("conversations", "http_requests"):
        drop = {"iface"}
        assert [{k: v for k, v in row.items() if k not in drop} for row in after.rows[table]] == [
            {k: v for k, v in row.items() if k not in drop} for row in before.rows[table]
        ]
    assert bundle.manifest.pass_ == "passive"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_pcapng_stays_as_it_is_but_for_the_secrets(tmp_path, put, order, pack):
    from audit.readers.capfile import CaptureFile

    data = pcapng_bytes(order)
    bundle = imported(tmp_path, put("a.pcapng", pack(data)), tls_keys=put("keys.log", KEYS))
    with CaptureFile(bundle.folder / "packets.pcapng") as made:
        count = sum(len(chunk.start) for chunk in made.chunks())
        assert made.secrets == KEYS
        assert not made.truncated
    assert count == len(wire.TcpTalk().open().close().packets)
    assert (bundle.folder / "packets.pcapng").read_bytes().endswith(data[28:])


def test_a_pcapng_without_keys_is_copied_byte_for_byte(tmp_path, put):
    data = pcapng_bytes() + secrets_block(KEYS)
    bundle = imported(tmp_path, put("a.pcapng", data))
    assert (bundle.folder / "packets.pcapng").read_bytes() == data


def test_a_pcap_that_ends_in_a_packet_keeps_what_comes_before_and_says_so(tmp_path, put):
    bundle = imported(tmp_path, put("a.pcap", pcap_bytes()[:-5]))
    assert packets(bundle).rows["http_requests"]
    assert any("a.pcap" in said for said in bundle.truncated)


def test_taps_of_one_recording_go_into_one_bundle(tmp_path, put):
    dump = dumps.write_dump(tmp_path, dumps.http_flow())
    keys = put("k", KEYS)
    bundle = imported(tmp_path, put("a.pcap", pcap_bytes()), dump, tls_keys=keys, mixed=True)
    assert sorted(bundle.manifest.files) == ["flows.mitm", "packets.pcapng"]
    assert (bundle.manifest.pass_, bundle.manifest.mixed) == ("intercepted", True)


def test_lists_of_a_device_go_beside_packets(tmp_path, put):
    report = {
        "domain": "api.example",
        "timeStamp": "2021-06-06T16:15:59Z",
        "type": "networkActivity",
    }
    bundle = imported(tmp_path, put("a.pcap", pcap_bytes()), put("r", json.dumps(report).encode()))
    assert sorted(bundle.manifest.files) == ["app-privacy-report.ndjson", "packets.pcapng"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pcap", b"\xd4\xc3\xb2\xa1"),
        ("a.har", b'{"log": {'),
        ("a.mitm", b"5:hello}"),
        ("a.txt", b"x"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(tmp_path, put, name, data):
    with pytest.raises(CaptureError) as problem:
        imported(tmp_path, put(name, data))
    assert "\n" not in str(problem.value)
    assert not (tmp_path / "made").exists()


def test_an_existing_empty_folder_stays_where_an_import_is_refused(tmp_path, put):
    (tmp_path / "made").mkdir()
    with pytest.raises(CaptureError):
        imported(tmp_path, put("a.pcap", b"\xd4\xc3\xb2\xa1"))
    assert not any((tmp_path / "made").iterdir())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tls_keys": "missing"}, "there is no such file"),
        ({"journal": "missing"}, "there is no such file"),
        ({"identity": "."}, "this is a folder"),
        ({"vouched_by": "A. Person"}, "needs the --journal"),
        ({"client_addresses": ("here",)}, "no IP address: 'here'"),
    ],
)
def test_options_that_make_no_sense_are_one_sentence(tmp_path, put, more, said):
    paths = {
        key: tmp_path / value
        for key, value in more.items()
        if key in {"tls_keys", "journal", "identity"}
    }
    with pytest.raises(AuditError, match=said):
        imported(tmp_path, put("a.pcap", pcap_bytes()), **(more | paths))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("key", "data", "said"),
    [
        ("journal", b"", "has no line"),
        ("journal", b'{"schema": "audit/identity@1"}', "has no line"),
        ("tls_keys", b'{"schema": "audit/identity@1"}', "no key log"),
        ("tls_keys", b"CLIENT_RANDOM 00 00\n", "no key log"),
    ],
)
def test_a_file_of_another_kind_is_not_taken_into_a_bundle(tmp_path, put, key, data, said):
    with pytest.raises(UsageError, match=said):
        imported(tmp_path, put("a.pcap", pcap_bytes()), **{key: put("given", data)})
    assert not (tmp_path / "made").exists()


def test_a_key_log_without_a_connection_is_a_key_log(tmp_path, put):
    imported(tmp_path, put("a.pcap", pcap_bytes()), tls_keys=put("k", b"# SSL/TLS secrets\n\n"))


def test_the_name_of_a_bundle_shows_no_value_of_the_subject(tmp_path, put):
    identity = b'{"schema": "audit/identity@1", "identifiers": [{"kind": "serial", "value": "C0DUL7DRR2PX"}]}'
    plan = ImportPlan(
        files=(put("a.pcap", pcap_bytes()),),
        folder=tmp_path / "phone C0DUL7DRR2PX",
        identity=put("identity.json", identity),
    )
    manifest = import_captures(plan)
    assert manifest.id.startswith("phone-")
    assert "C0DUL7DRR2PX" not in manifest.id


def test_keys_without_packets_are_refused(tmp_path, put):
    with pytest.raises(UsageError, match="opens packets"):
        imported(tmp_path, dumps.write_dump(tmp_path, dumps.http_flow()), tls_keys=put("k", KEYS))


def test_a_folder_that_holds_something_is_not_touched(tmp_path, put):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine").write_text("x")
    with pytest.raises(UsageError, match="holds something already"):
        imported(tmp_path, put("a.pcap", pcap_bytes()))
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["mine"]


def test_any_name_of_a_folder_makes_a_capture_id(tmp_path, put):
    import_captures(ImportPlan(files=(put("a.pcap", pcap_bytes()),), folder=tmp_path / "my own ü"))
    assert open_bundle(tmp_path / "my own ü").manifest.id == "my-own--"
