import gzip
import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.inputs import INPUTS, is_input, recognise
from tests.readers import dumps, wire
from tests.readers.test_har import entry
from tests.readers.test_pcapdroid_csv import table
from tests.readers.test_privacy_report import CONTACT, lines
from tests.readers.test_trackercontrol import ALL, LINE

PCAP = wire.pcap(wire.frames(wire.TcpTalk().open().close().packets))
HAR = json.dumps({"log": {"version": "1.2", "entries": [entry()]}}).encode()
KINDS = {
    "packet capture (pcap, pcapng, gzipped or not)": PCAP,
    "HTTP archive (HAR)": HAR,
    "Apple App Privacy Report (NDJSON)": lines(CONTACT),
    "PCAPdroid export (CSV)": table(),
    "TrackerControl export (CSV)": (ALL + LINE).encode(),
}


@pytest.mark.parametrize("name", ["x", "x.json", "x.csv", "x.pcap", "x.har", "x.mitm"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_is_told_by_its_content_whatever_it_is_called(tmp_path, name, kind, pack):
    path = tmp_path / name
    path.write_bytes(pack(KINDS[kind]))
    assert recognise(path).name == kind


def test_a_dump_is_told_by_its_content(tmp_path):
    path = dumps.write_dump(tmp_path, dumps.http_flow())
    assert recognise(path.rename(tmp_path / "x.pcap")).name == "mitmproxy dump"


def test_an_archive_may_be_packed_as_mitmproxy_packs_it(tmp_path):
    (tmp_path / "x").write_bytes(zlib.compress(HAR))
    assert recognise(tmp_path / "x").name == "HTTP archive (HAR)"


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_is_told_in_both_byte_orders(tmp_path, order):
    (tmp_path / "x").write_bytes(struct.pack(order + "III", 0x0A0D0D0A, 28, 0x1A2B3C4D))
    assert recognise(tmp_path / "x").tap == "packets"


@pytest.mark.parametrize(
    ("name", "tap"), [("x.pcap", "packets"), ("x.har", "proxy"), ("x.mitm", "proxy")]
)
def test_the_name_decides_where_the_content_says_nothing(tmp_path, name, tap):
    (tmp_path / name).write_bytes(b"")
    assert recognise(tmp_path / name).tap == tap


def test_what_is_no_capture_is_refused_in_a_sentence_that_says_what_was_tried(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"hello")
    with pytest.raises(CaptureError) as problem:
        recognise(tmp_path / "x.txt")
    assert all(kind.name in str(problem.value) for kind in INPUTS)
    (tmp_path / "y").write_bytes(b"")
    with pytest.raises(CaptureError, match="the file is empty"):
        recognise(tmp_path / "y")


@pytest.mark.parametrize(
    ("name", "said"),
    [(".", "this is a folder"), ("none.pcap", "no such file"), ("*.pcap", "no file matches")],
)
def test_what_is_no_file_is_named_as_what_it_is(tmp_path, name, said):
    with pytest.raises(CaptureError, match=said):
        recognise(tmp_path / name)


def test_places_in_a_bundle_differ():
    assert len({kind.place for kind in INPUTS}) == len(INPUTS)


@given(st.binary(max_size=300) | st.binary(max_size=60).map(gzip.compress))
def test_any_bytes_are_of_some_kind_or_of_none(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "x"
    path.write_bytes(data)
    assert is_input(path) in {True, False}
