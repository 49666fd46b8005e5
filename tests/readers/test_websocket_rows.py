"""WebSocket messages as rows and payloads."""

import pytest

from audit.readers.websocket_rows import OPCODES, add_websocket_message
from audit.tables.extract import Extract
from audit.tables.reference import Reference

REF = Reference(file="flows.mitm", records=(3,), part="websocket.1")


def add(data: bytes, opcode: int = 1) -> Extract:
    extract = Extract()
    common = {"capture": "c", "ref": str(REF), "ts": "2026-01-01T00:00:00Z"}
    add_websocket_message(extract, common, direction="sent", opcode=opcode, data=data, ref=REF)
    return extract


def test_a_message_is_a_row_and_a_payload():
    extract = add(b'{"b": 1, "a": 2}')
    (row,) = extract.rows["websocket_messages"]
    (payload,) = extract.payloads
    assert (row["json"], row["body_len"], row["content"]) == ('{"a":2,"b":1}', 16, "readable")
    assert (row["opcode"], row["direction"], row["ref"]) == ("text", "sent", str(REF))
    assert (payload.row, payload.data, payload.location) == (0, b'{"b": 1, "a": 2}', "websocket")


def test_an_empty_message_is_a_row_alone():
    extract = add(b"", opcode=9)
    assert extract.rows["websocket_messages"][0]["content"] == "empty"
    assert extract.payloads == []


@pytest.mark.parametrize("opcode", [*OPCODES, 3])
def test_opcodes_are_named_and_others_numbered(opcode):
    (row,) = add(b"x", opcode).rows["websocket_messages"]
    assert row["opcode"] == OPCODES.get(opcode, "3")
