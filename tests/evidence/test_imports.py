import hashlib

import pytest

from audit.bundle.identity import Identifier, make_identity
from audit.bundle.journal import JournalLine
from audit.errors import CaptureError, UsageError
from audit.evidence.context import EvidenceContext
from audit.evidence.imports import BareOptions, import_file, import_files
from audit.readers.inputs import is_input
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
def test_other_files_are_refused_with_what_was_tried(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"x")
    assert not is_input(path)
    with pytest.raises(CaptureError, match=r"tried: packet capture .*HAR.*PCAPdroid"):
        import_file(path)


@pytest.mark.parametrize("name", ["x.pcap", "X.PCAPNG", "x.pcapng.gz", "x.har", "x.mitm"])
def test_a_file_that_is_not_there_is_one_error(tmp_path, name):
    assert not is_input(tmp_path / name)
    with pytest.raises(CaptureError, match="there is no such file"):
        import_file(tmp_path / name)


def test_a_folder_and_a_pattern_are_named_as_such(tmp_path):
    with pytest.raises(CaptureError, match="this is a folder"):
        import_file(tmp_path)
    with pytest.raises(CaptureError, match="no file matches this pattern"):
        import_file(tmp_path / "*.pcap")


def test_a_file_is_told_by_its_content_whatever_its_name(tmp_path):
    found = import_file(pcap_file(tmp_path, "report.json"))
    assert [state.tap for state in found.taps] == ["packets"]


def test_two_files_of_one_tap_do_not_go_together(tmp_path):
    with pytest.raises(UsageError, match=r"two files of one tap: a\.pcap and b\.pcap"):
        import_files([pcap_file(tmp_path, "a.pcap"), pcap_file(tmp_path, "b.pcap")])


def test_packets_and_a_dump_of_one_recording_are_reconciled(tmp_path):
    flow = dumps.http_flow(
        method="GET", path="/?id=1", headers=[(b"Host", b"api.example")], body=b"",
        client_conn=dumps.client((wire.CLIENT, 40_000), tls=False),
        server_conn=dumps.server((wire.SERVER, 80)),
    )  # fmt: skip
    found = import_files([pcap_file(tmp_path), dumps.write_dump(tmp_path, flow)])
    (request,) = found.tables["http_requests"].to_dict("records")
    assert request["taps"] == ("proxy", "packets")
    assert (found.pass_, found.coverage["missed_by_proxy"]) == ("intercepted", [])
    assert [state.tap for state in found.taps] == ["packets", "proxy"]


def test_an_empty_dump_beside_packets_missed_everything(tmp_path):
    found = import_files([pcap_file(tmp_path), dumps.write_dump(tmp_path)])
    (missed,) = found.coverage["missed_by_proxy"]
    assert missed["conversation"] == f"tcp {wire.CLIENT}:40000 > {wire.SERVER}:80"
    assert missed["reason"] == "no flow: the proxy has no record of it"


def test_an_empty_dump_is_an_empty_capture(tmp_path):
    found = import_file(dumps.write_dump(tmp_path))
    assert all(
        frame.empty for name, frame in found.tables.items() if name not in {"captures", "controls"}
    )


def test_a_capture_says_when_it_begins_by_its_own_rows(tmp_path):
    found = import_file(pcap_file(tmp_path))
    assert found.tables["captures"]["ts"][0] == found.tables["conversations"]["ts"].min()


@pytest.mark.parametrize("vouched_by", [None, "A. Person"])
def test_a_journal_hides_no_digest_of_a_value_as_a_control(tmp_path, vouched_by):
    token = hashlib.md5(b"c0dul7drr2px", usedforsecurity=False).hexdigest()
    asked = f"GET /{token} HTTP/1.1\r\nHost: {wire.SERVER}\r\n\r\n".encode()
    talk = wire.TcpTalk().open().sent(asked).close()
    path = tmp_path / "a.pcap"
    path.write_bytes(wire.pcap(wire.frames(talk.packets)))
    echo = {"token": token, "scheme": "http", "echo": f"{wire.SERVER}:80", "taps": "packets"}
    line = JournalLine(ts="2023-11-14T22:13:20Z", driver="recorder", control=echo)
    subject = make_identity([Identifier("serial", "C0DUL7DRR2PX")])
    options = BareOptions(journal=(line,), vouched_by=vouched_by)
    found = import_files([path], EvidenceContext(identity=subject), options)
    assert list(found.tables["identifier_hits"]["process"]) == ["app"]
    assert list(found.tables["http_requests"]["process"]) == ["app"]


def test_tokens_of_a_journal_that_nobody_vouches_for_hide_nothing(tmp_path):
    token = "0123456789abcdef" * 2
    asked = f"GET /{token} HTTP/1.1\r\nHost: {wire.SERVER}\r\n\r\n".encode()
    path = tmp_path / "a.pcap"
    path.write_bytes(wire.pcap(wire.frames(wire.TcpTalk().open().sent(asked).close().packets)))
    echo = {"token": token, "scheme": "http", "echo": f"{wire.SERVER}:80", "taps": "packets"}
    line = JournalLine(ts="2023-11-14T22:13:20Z", driver="recorder", control=echo)
    for vouched_by, process in ((None, "app"), ("A. Person", "control")):
        options = BareOptions(journal=(line,), vouched_by=vouched_by)
        found = import_files([path], options=options)
        assert list(found.tables["http_requests"]["process"]) == [process]


def test_the_name_of_a_file_shows_no_value_of_the_subject(tmp_path):
    subject = make_identity([Identifier("email", "mira@lumbardan.example")])
    path = pcap_file(tmp_path, "mira@lumbardan.example.pcap")
    found = import_file(path, EvidenceContext(identity=subject))
    assert "mira" not in found.capture
    assert not found.tables["http_requests"]["ref"].str.contains("mira").any()
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_cut_journal_is_said(tmp_path):
    options = BareOptions(journal_cut=("journal.jsonl ends in the middle of line 2",))
    found = import_files([pcap_file(tmp_path)], options=options)
    assert found.truncated == options.journal_cut
