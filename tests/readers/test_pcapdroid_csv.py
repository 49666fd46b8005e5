import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.pcapdroid_csv import PCAPDROID_CSV
from tests.readers.listed import holds_for_any, read

HEAD = (
    "IPProto,SrcIP,SrcPort,DstIp,DstPort,UID,App,PackageName,Proto,Status,Info,BytesSent,BytesRcvd,"
    "PktsSent,PktsRcvd,FirstSeen,LastSeen"
)
FIRST = "6,10.215.173.1,40000,198.51.100.7,443,10123"
LAST = "1000,2000,10,12,2024-01-01T10:00:00.123+0100,2024-01-01T10:00:02.123+0100"


def line(app: str = "An app", package: str = "org.app", info: str = "api.example", **more) -> str:
    proto, first, last = more.get("proto", "TLS"), more.get("first", FIRST), more.get("last", LAST)
    return f"{first},{app},{package},{proto},Closed,{info},{last}"


def table(*lines: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *lines, ""]).encode()


def row(*lines: str, head: str = HEAD, kind: str = "conversations") -> dict:
    (found,) = read(PCAPDROID_CSV, table(*lines, head=head)).rows[kind]
    return found


def test_a_connection_has_its_5_tuple_and_counters_and_no_payload():
    found = row(line())
    assert found["conversation"] == "tcp 10.215.173.1:40000 > 198.51.100.7:443"
    assert (found["bytes_out"], found["bytes_in"], found["packets_out"], found["packets_in"]) == (
        1000, 2000, 10, 12,
    )  # fmt: skip
    assert (found["host"], found["application"]) == ("api.example", "tls")
    assert (found["process_name"], found["process_basis"], found["uid"]) == (
        "org.app",
        "package",
        10123,
    )
    assert found["first_seen"] == "2024-01-01T09:00:00.123000Z"
    assert "payload_bytes" not in found
    assert found["transport"] == "metadata-only"


def test_a_look_up_is_a_question_too():
    text = line(proto="DNS", info="App-Measurement.com", first=FIRST.replace("6,", "17,", 1))
    found = row(text, kind="dns_queries")
    assert (found["name"], found["server"]) == ("app-measurement.com", "198.51.100.7")
    assert found["conversation"] == row(text)["conversation"]


@pytest.mark.parametrize("app", ["One, two", "One, two, three", ",", "org.app, the real one"])
def test_an_app_whose_name_has_commas_does_not_move_the_columns(app):
    found = row(line(app=app))
    assert (found["process_name"], found["host"], found["bytes_out"]) == (
        "org.app",
        "api.example",
        1000,
    )


def test_a_comma_in_the_information_is_told_from_one_in_the_name():
    assert row(line(info="a.example,/x y"))["bytes_in"] == 2000


def test_two_readings_are_none():
    found = read(
        PCAPDROID_CSV,
        table(line(), line(app="A", package="B", proto="C,D").replace("api.example", "E")),
    )
    assert len(found.rows["conversations"]) == 1
    assert "no single reading" in found.truncated[0]


def test_a_last_column_and_a_missing_one_are_both_known():
    assert row(line() + ",true", head=HEAD + ",Malicious")["bytes_out"] == 1000
    found = read(PCAPDROID_CSV, table(line() + ",true", head=HEAD + ",Malicious"))
    assert any("1 connections in list were marked as malicious" in limit for limit in found.limits)
    old = row(line().replace("org.app,", ""), head=HEAD.replace("PackageName,", ""))
    assert (old["process_name"], old["process_basis"]) == ("An app", None)


@pytest.mark.parametrize(
    "text",
    ["", "6,a,b", line(first=FIRST.replace("443", "port")), line(last=LAST.replace("1000", "-1")),
     line(first=FIRST.replace("198.51.100.7", "here")), line(last=LAST.replace("1000", "x"))],
)  # fmt: skip
def test_a_bad_line_is_named_and_the_others_are_kept(text):
    found = read(PCAPDROID_CSV, table(line(), text or "x"))
    assert len(found.rows["conversations"]) == 1
    assert found.truncated[0].startswith("list#3: line not read: ")


def test_an_unknown_user_has_none():
    assert row(line(first=FIRST.replace("10123", "-1")))["uid"] is None


def test_other_columns_are_refused():
    assert not PCAPDROID_CSV.knows(b"IPProto,SrcIP\n")
    with pytest.raises(CaptureError, match="names no columns of PCAPdroid"):
        read(PCAPDROID_CSV, b"a,b\n1,2\n")


field = st.text(st.characters(blacklist_categories=["Cs"]), max_size=10) | st.sampled_from(
    ["6", "10.0.0.1", "443", "org.app", "TLS", "a.example", "0", "2024-01-01T10:00:00Z"]
)


@given(st.lists(st.lists(field, min_size=15, max_size=20), max_size=3), st.booleans())
@settings(max_examples=150)
def test_any_fields_give_rows_or_the_one_error(lines, has_good):
    more = [line()] if has_good else []
    holds_for_any(PCAPDROID_CSV, table(*more, *(",".join(fields) for fields in lines)))


@given(st.data())
@settings(max_examples=150)
def test_a_changed_line_gives_rows_or_the_one_error(data):
    good = bytearray(table(line(), line(app="B, C")))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(len(HEAD) + 1, len(good) - 1))] = data.draw(st.integers(0, 255))
    holds_for_any(PCAPDROID_CSV, bytes(good))


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_the_one_error(data):
    holds_for_any(PCAPDROID_CSV, data)
