import hashlib

import pytest

from audit.errors import CaptureError
from audit.evidence.imports import import_file, is_capture_file
from tests.readers import dumps, wire
from tests.readers.test_har import entry


def pcap_file(folder, name: str = "a b.pcap"):
    request = b"GET /?id=1 HTTP/1.1\r\nHost: api.example\r\n\r\n"
    path = folder / name
    path.write_bytes(wire.pcap(wire.frames(wire.TcpTalk().open().sent(request).close().packets)))
    return path


def test_a_bare_packet_file_is_a_passive_import_that_proves_nothing(tmp_path):
    path = pcap_file(tmp_path)
    found = import_file(path)
    assert (found.capture, found.vantage, found.pass_) == ("a-b.pcap", "import", "passive")
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [(state.tap, state.control_found) for state in found.taps] == [("packets", False)]
    assert not found.capabilities
    assert not found.sees_all
    (request,) = found.tables["http_requests"].to_dict("records")
    assert request["ref"].startswith("a b.pcap#4:tcp.sent@")
    assert (request["process"], request["process_basis"]) == ("app", "declared")
    assert any("can show violations, not their absence" in limit for limit in found.limits)


def test_a_mixed_import_knows_no_process(tmp_path):
    found = import_file(pcap_file(tmp_path), mixed=True)
    assert set(found.tables["conversations"]["process"]) == {"unknown"}
    assert found.coverage["unattributed"]["conversations"] == 1


def test_a_bare_dump_is_an_intercepted_import(tmp_path):
    found = import_file(dumps.write_dump(tmp_path, dumps.http_flow()))
    assert (found.pass_, found.vantage) == ("intercepted", "import")
    assert found.coverage["missed_by_proxy"] == []
    assert len(found.tables["http_requests"]) == 1


def test_a_bare_archive_is_an_intercepted_import(tmp_path):
    import json

    path = tmp_path / "log.har"
    path.write_text(json.dumps({"log": {"entries": [entry()]}}))
    found = import_file(path)
    assert found.pass_ == "intercepted"
    assert found.tables["http_requests"]["ref"][0] == "log.har#1:request.head"


@pytest.mark.parametrize("name", ["x.txt", "x", "x.pcap.zip", "x.json"])
def test_other_files_are_refused_with_what_would_do(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"x")
    assert not is_capture_file(path)
    with pytest.raises(CaptureError, match=r"give a bundle's folder, or a \.pcap"):
        import_file(path)


@pytest.mark.parametrize("name", ["x.pcap", "X.PCAPNG", "x.pcapng.gz", "x.har", "x.mitm"])
def test_a_file_that_is_not_there_is_one_error(tmp_path, name):
    assert is_capture_file(tmp_path / name)
    with pytest.raises(CaptureError):
        import_file(tmp_path / name)


def test_an_empty_dump_is_an_empty_capture(tmp_path):
    found = import_file(dumps.write_dump(tmp_path))
    assert all(
        frame.empty for name, frame in found.tables.items() if name not in {"captures", "controls"}
    )
