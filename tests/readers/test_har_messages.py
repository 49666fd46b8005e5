"""WebSocket messages of archives, and the gap where none were recorded."""

import json

from audit.readers.har_gaps import Gaps
from audit.readers.har_messages import read_messages
from audit.tables.extract import Extract


def read(entry: dict, *, is_socket: bool = True, resources: dict[str, bytes] | None = None):
    extract = Extract()
    gaps = Gaps("log.har", extract)
    found = list(read_messages(entry, 2, gaps, (resources or {}).get, is_socket=is_socket))
    return found, extract


def test_text_and_binary_of_chrome():
    found, extract = read(
        {
            "_webSocketMessages": [
                {"type": "send", "time": 1_767_225_600.5, "opcode": 1, "data": "é"},
                {"type": "receive", "time": 1_767_225_600_500, "opcode": 2, "data": "AAE="},
                {"type": "error", "time": 1, "data": "closed"},
            ]
        }
    )
    assert [(m.direction, m.data, m.ts) for m in found] == [
        ("sent", "é".encode(), "2026-01-01T00:00:00.500000Z"),
        ("received", b"\0\1", "2026-01-01T00:00:00.500000Z"),
    ]
    assert not extract.truncated
    assert not extract.unread


def test_a_socket_without_messages_is_a_gap_and_one_with_none_is_not():
    assert read({})[1].truncated == ["log.har#2: messages of a WebSocket were not recorded"]
    assert not read({"_webSocketMessages": []})[1].truncated
    assert not read({}, is_socket=False)[1].truncated


def test_messages_that_playwright_attached_are_read():
    lines = [{"type": "send", "time": 1.0, "opcode": 1, "data": "hi"}, None]
    data = b"\n".join(json.dumps(line).encode() for line in lines) + b"\n{\n"
    entry = {"response": {"content": {"_file": "s.jsonl"}}}
    found, extract = read(entry, resources={"s.jsonl": data})
    assert [m.data for m in found] == [b"hi"]
    assert extract.truncated == ["log.har#2: a message of a WebSocket cannot be read"] * 2


def test_lost_and_undecodable_data_are_told_with_their_direction():
    messages = [
        {"type": "send", "opcode": 2, "data": "a"},
        {"type": "receive", "opcode": 1, "data": "x\ufffd"},
    ]
    found, extract = read({"_webSocketMessages": messages})
    assert [m.data for m in found] == [b"a", "x\ufffd".encode()]
    assert [direction for direction, _ in extract.unread] == ["sent", "received"]
