"""What no gate shows is found behind lengths, in text that reads as a message, and over labels."""

import base64
import struct
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers import unmarked
from audit.identifiers.binary import text_fields
from audit.identifiers.detector import Detector, text_payload
from audit.identifiers.piece import Piece

VALUE = "C0TND2PX17SJ"
DETECTOR = Detector(make_identity([Identifier("serial", VALUE), Identifier("address", "::8:1:2")]))


def kinds(data, location="body"):
    return [hit.kind for hit in DETECTOR.scan(text_payload(data, location)).hits]


def behind(data):
    return b"\x30\x01" + struct.pack(">H", len(data)) + data + b"\0\x02ok"


@pytest.mark.parametrize("escape", ["\\x{:02x}", "\\{:03o}", "%{:02X}", "&#{:d};", "={:02X}"])
def test_the_letter_of_a_length_is_no_part_of_the_value(escape):
    data = "".join(escape.format(byte) for byte in VALUE.encode()).encode()
    data += b" " * max(0, ord("A") - len(data))
    assert kinds(behind(data)) == ["serial"]


@pytest.mark.parametrize("pack", [lambda data: zlib.compress(data, wbits=-15), brotli.compress])
def test_compressed_data_behind_its_length_is_opened(pack):
    data = pack(b'{"id": "' + VALUE.encode() + b'", "n": 1, "text": "' + b"ab" * 40 + b'"}')
    assert kinds(behind(data)) == ["serial"]


def test_text_that_reads_as_a_message_is_read_as_one():
    text = b"\\x" + VALUE.encode().hex("\\").replace("\\", "\\x").encode()
    inner = b"B" + bytes([len(text)]) + text
    assert text_fields(inner) == [(2, len(inner))]
    assert kinds(b"\x0a\x03\x08\x96\x01z" + bytes([len(inner)]) + inner) == ["serial"]


@pytest.mark.parametrize("size", [20, 60])
def test_labels_of_a_name_are_joined(size):
    text = base64.b32encode(b"padding, padding, " + VALUE.encode()).decode().rstrip("=").lower()
    name = ".".join(text[at : at + size] for at in range(0, len(text), size))
    assert kinds(f"{name}.x1.host.example".encode(), "dns") == ["serial"]


def test_a_hit_over_labels_points_at_all_of_them():
    text = (b"\0" * 10 + VALUE.encode()).hex()
    name = f"{text[:22]}.{text[22:]}.host.example".encode()
    (hit,) = DETECTOR.scan(text_payload(name, "dns")).hits
    assert (hit.form, name[hit.start : hit.end]) == ("hex", name[: len(text) + 1])


@given(st.binary(max_size=400))
def test_any_bytes_give_parts_of_themselves(data):
    piece = Piece(data, field=True)
    for part in (*unmarked.counted(piece), *unmarked.joined_labels(piece)):
        low, high = part.in_parent(0, len(part.data))
        assert 0 <= low < high <= len(data)
        assert part.step or part.data in data or part.data in data.replace(b".", b"")


@given(st.binary(max_size=300))
def test_text_fields_lie_inside_their_text(data):
    for start, end in text_fields(data):
        assert 2 <= start <= end <= len(data)
