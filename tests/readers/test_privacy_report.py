import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.privacy_report import PRIVACY_REPORT
from tests.readers.listed import holds_for_any, read

CONTACT = {
    "domain": "Api.Example.com", "firstTimeStamp": "2021-06-06T16:15:48Z", "context": "",
    "timeStamp": "2021-06-06T18:15:59+02:00", "domainType": 2, "initiatedType": "AppInitiated",
    "hits": 10, "type": "networkActivity", "domainOwner": "", "bundleID": "com.example.App1",
}  # fmt: skip
ACCESS = {
    "accessor": {"identifier": "com.example.calendar", "identifierType": "bundleID"},
    "category": "contacts", "identifier": "8A4054BB", "kind": "intervalBegin",
    "timeStamp": "2021-08-06T15:46:13.532-07:00", "type": "access",
}  # fmt: skip
OLD_CONTACT = {
    "domain": "api.example.com", "hasApp.bundleName": "com.example.App1", "effectiveUserId": 501,
    "timeStamp": "2021-06-17T21:22:07Z",
}  # fmt: skip
OLD_ACCESS = {
    "stream": "com.apple.privacy.accounting.stream.tcc", "accessor": "com.example.App1",
    "tccService": "kTCCServicePhotos", "identifier": "1", "kind": "event",
    "timestamp": "2021-06-17T21:22:07Z", "version": 3,
}  # fmt: skip


def lines(*records: dict) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_a_contact_is_a_conversation_of_which_nothing_but_the_name_is_known():
    found = read(PRIVACY_REPORT, lines(CONTACT))
    (row,) = found.rows["conversations"]
    assert row["host"] == "api.example.com"
    assert (row["host_basis"], row["transport"]) == ("listed", "metadata-only")
    assert (row["process_name"], row["process_basis"]) == ("com.example.App1", "bundle-id")
    assert row["first_seen"] == "2021-06-06T16:15:48.000000Z"
    assert row["last_seen"] == "2021-06-06T16:15:59.000000Z"
    assert row["taps"] == ("device",)
    assert {"bytes_out", "bytes_in", "payload_bytes", "packets_out", "responder_port"}.isdisjoint(
        row
    )
    assert "1 contacts with domains, made 10 times" in found.limits[0]


def test_the_name_is_searched_where_it_stands():
    data = lines(ACCESS, CONTACT | {"domain": "canary.api.example"})
    (payload,) = read(PRIVACY_REPORT, data).payloads
    line = data.split(b"\n")[payload.ref.records[0] - 1]
    assert line[payload.ref.start : payload.ref.end] == payload.data == b"canary.api.example"


def test_what_a_person_browsed_is_a_browsers():
    found = read(PRIVACY_REPORT, lines(CONTACT | {"initiatedType": "NonAppInitiated"}))
    assert found.rows["conversations"][0]["process"] == "browser"
    assert any("a person opened in the app" in limit for limit in found.limits)


def test_an_access_is_a_line_of_a_log_and_no_traffic():
    found = read(PRIVACY_REPORT, lines(ACCESS))
    (row,) = found.rows["log_lines"]
    assert (row["source"], row["dataset"]) == ("app-privacy-report", "access")
    assert row["ts"] == "2021-08-06T22:46:13.532000Z"
    assert json.loads(row["fields"]) == {
        "category": "contacts", "identifier": "8A4054BB", "kind": "intervalBegin",
        "program": "com.example.calendar",
    }  # fmt: skip
    assert "conversations" not in found.rows


def test_the_schema_of_the_beta_is_read_too():
    found = read(PRIVACY_REPORT, lines(OLD_ACCESS, OLD_CONTACT))
    assert found.rows["conversations"][0]["process_name"] == "com.example.App1"
    fields = json.loads(found.rows["log_lines"][0]["fields"])
    assert (fields["tccService"], fields["program"]) == ("kTCCServicePhotos", "com.example.App1")


def test_a_bare_address_is_an_address():
    (row,) = read(PRIVACY_REPORT, lines(CONTACT | {"domain": "198.51.100.7"})).rows["conversations"]
    assert (row["host"], row["responder_ip"]) == (None, "198.51.100.7")


@pytest.mark.parametrize(
    "line",
    [b"{", b"7", b"[]", b'{"type": "other"}', b'{"type": "networkActivity", "domain": 7}',
     b'{"type": "networkActivity", "domain": ""}', b'{"type": "access", "accessor": 7}', b"[" * 9999],
)  # fmt: skip
def test_a_bad_line_is_named_and_the_others_are_kept(line):
    found = read(PRIVACY_REPORT, lines(CONTACT) + line + b"\n" + lines(ACCESS))
    assert len(found.rows["conversations"]) == len(found.rows["log_lines"]) == 1
    (said,) = found.truncated
    assert said.startswith("list#2: line not read: ")


def test_a_file_of_bad_lines_alone_is_an_error():
    with pytest.raises(CaptureError, match="no line of the file could be read: list#1"):
        read(PRIVACY_REPORT, b"no\nno\n")


@pytest.mark.parametrize("record", [CONTACT, ACCESS, OLD_CONTACT, OLD_ACCESS])
def test_each_schema_is_known_by_its_first_lines(record):
    assert PRIVACY_REPORT.knows(b"damaged\n" + lines(record))
    assert not PRIVACY_REPORT.knows(b'{"log": {"entries": []}}')


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
value = st.recursive(
    leaf,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
)
record = st.sampled_from([CONTACT, ACCESS, OLD_CONTACT, OLD_ACCESS]).flatmap(
    lambda known: st.dictionaries(
        st.sampled_from([*CONTACT, *ACCESS, *OLD_ACCESS, "hasApp"]), value, max_size=4
    ).map(lambda changed: known | changed)
)


@given(st.lists(record | value, max_size=4), st.binary(max_size=30))
@settings(max_examples=150)
def test_any_records_give_rows_or_the_one_error(records, noise):
    holds_for_any(PRIVACY_REPORT, lines(*records) + noise)


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_the_one_error(data):
    holds_for_any(PRIVACY_REPORT, data)
