import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.trackercontrol import TRACKERCONTROL
from tests.readers.listed import holds_for_any, read

ALL = '"uid","daddr","time","uncertain","Tracker","Category","Package","App"\n'
ONE = "daddr,time,uncertain,Tracker Name,Tracker Category\n"
LINE = '"10123","App-Measurement.com","1700000000123","0","Google","Analytics","org.app","An, ""app"""\n'


def rows(text: str) -> list[dict]:
    return read(TRACKERCONTROL, text.encode()).rows["conversations"]


def test_a_line_is_a_contact_of_a_program_with_a_name():
    (row,) = rows(ALL + LINE)
    assert (row["host"], row["host_basis"]) == ("app-measurement.com", "listed")
    assert (row["process_name"], row["process_basis"], row["uid"]) == ("org.app", "package", 10123)
    assert row["ts"] == "2023-11-14T22:13:20.123000Z"
    assert (row["owner"], row["transport"]) == ("Google", "metadata-only")
    assert {"bytes_out", "bytes_in", "payload_bytes"}.isdisjoint(row)


def test_the_export_of_one_app_names_no_program():
    (row,) = rows(ONE + "198.51.100.7,1700000000123,0,Google,Analytics\n")
    assert (row["responder_ip"], row["process_name"], row["uid"]) == ("198.51.100.7", None, None)


@pytest.mark.parametrize("uncertain", ["1", "2", "3"])
def test_an_uncertain_name_is_a_guess(uncertain):
    found = read(TRACKERCONTROL, (ONE + f"a.example,1700000000123,{uncertain},X,Y\n").encode())
    assert found.rows["conversations"][0]["host_basis"] == "claimed"
    assert any("1 names in list are guesses" in limit for limit in found.limits)


@pytest.mark.parametrize(
    "line",
    ["a.example,soon,0,X,Y", "a.example,1700000000123,0,X", ",1700000000123,0,X,Y",
     "a b,1700000000123,0,X,Y", "a.example,-5,0,X,Y", 'a"b,1,0,"X', f"a.example,{'9' * 400},0,X,Y"],
)  # fmt: skip
def test_a_bad_line_is_named_and_the_others_are_kept(line):
    found = read(TRACKERCONTROL, (ONE + f"a.example,1700000000123,0,X,Y\n{line}\n").encode())
    assert len(found.rows["conversations"]) == 1
    assert found.truncated[0].startswith("list#3: line not read: ")


def test_another_table_is_refused():
    assert not TRACKERCONTROL.knows(b"name,time\n")
    with pytest.raises(CaptureError, match="names no columns of TrackerControl"):
        read(TRACKERCONTROL, b"name,time\na,b\n")


def test_a_list_without_lines_is_an_empty_list():
    assert TRACKERCONTROL.knows(ALL.encode())
    assert not read(TRACKERCONTROL, ALL.encode()).rows


field = st.text(max_size=12) | st.sampled_from(["10123", "a.example", "1700000000123", "0", "1"])


@given(st.sampled_from([ALL, ONE, ""]), st.lists(st.lists(field, max_size=9), max_size=4))
@settings(max_examples=150)
def test_any_fields_give_rows_or_the_one_error(head, table):
    text = head + "".join(",".join(fields) + "\n" for fields in table)
    holds_for_any(TRACKERCONTROL, text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_the_one_error(data):
    holds_for_any(TRACKERCONTROL, data)
    holds_for_any(TRACKERCONTROL, ONE.encode() + data)
