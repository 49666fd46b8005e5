"""Escapes undone in bulk: what they hide stands in one of the windows."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.folds import undo_escapes
from audit.identifiers.layer import first_layer, next_layer

VALUE = "Zoë Quill/7f3a&x"
WORDS = st.text(st.sampled_from("abc xyz,.;"), max_size=120)


def spell(char: str, way: str) -> str:
    raw = char.encode()
    return {
        "plain": char,
        "percent": "".join(f"%{byte:02x}" for byte in raw),
        "escape()": f"%u{ord(char):04X}",
        "u": f"\\u{ord(char):04x}",
        "x": f"\\x{ord(char):02x}",
        "braces": f"\\u{{{ord(char):x}}}",
        "octal": f"\\{ord(char):03o}",
        "quoted": "".join(f"={byte:02X}" for byte in raw),
        "decimal": f"&#{ord(char)};",
        "hexadecimal": f"&#x{ord(char):x};",
    }[way]


def windows(data: bytes, layers: int = 1) -> list[bytes]:
    layer = first_layer([data])
    found: list[bytes] = []
    for _ in range(layers):
        batches = [batch for batch in undo_escapes(layer) if len(batch.low)]
        if not batches:
            break
        layer = next_layer(layer, batches)
        found += [layer.data[s:e] for s, e in zip(layer.starts, layer.ends, strict=True)]
    return found


@settings(max_examples=300, deadline=None)
@given(
    WORDS,
    WORDS,
    st.sampled_from(["percent", "escape()", "u", "x", "braces", "octal", "quoted", "decimal", "hexadecimal"]),
    st.lists(st.booleans(), min_size=len(VALUE), max_size=len(VALUE)).filter(any),
)  # fmt: skip
def test_a_value_of_which_some_letters_are_escaped_is_there(before, behind, way, chosen):
    value = VALUE.replace("ë", "e") if way in ("x", "octal") else VALUE
    written = "".join(
        spell(char, way if escaped else "plain")
        for char, escaped in zip(value, chosen, strict=True)
    )
    text = f"{before} =20 {written} {behind}" if way == "quoted" else f"{before} {written} {behind}"
    found = windows(text.encode())
    assert any(value.encode() in window for window in found)


@pytest.mark.parametrize(
    ("data", "hidden"),
    [
        (json.dumps(json.dumps({"id": "Zoë\n1"})), "Zoë\n1"),
        (urllib.parse.quote(json.dumps("Zoë Quill")), "Zoë Quill"),
        ("a=%2541%2542%2543", "ABC"),
        ("&amp;#90;o&amp;#x65;", "Zoe"),
        ("%5Cu005a%5Cu006f%5Cu0065", "Zoe"),
        ("\\u0026#90;oe", "Zoe"),
        ("\\ud83d\\ude00 smile", "😀 smile"),
    ],
)
def test_escapes_inside_escapes_are_undone_layer_by_layer(data, hidden):
    found = windows(data.encode(), 4)
    assert any(hidden.encode() in window for window in found)


def test_signs_of_a_form_are_spaces():
    assert b"q=a b c&x" in windows(b"q=a+b+c&x=1")[0]
    assert any(b"a b\xc3\xab" in window for window in windows(b"https://h/?q=a+b%C3%ab"))


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_loses_its_zeros(codec):
    data = b"\xff\xff" + "harbour".encode(codec) + b"\xff"
    assert any(b"harbour" in window for window in windows(data))


@pytest.mark.parametrize(
    "data", [b"de:ad:be:ef", b"0xde, 0xad, 0xbe, 0xef", b"dead-beef-dead-beef", b"DE AD BE EF"]
)
def test_grouped_digits_are_decoded(data):
    assert any(b"\xde\xad\xbe\xef" in window for window in windows(b"x " + data + b" y"))


def test_long_runs_beside_an_escape_belong_to_its_window():
    run = b"A" * 300
    assert any(run + b"/" + run in window for window in windows(b'"' + run + b"\\/" + run + b'"'))


def test_compressed_bytes_behind_escapes_must_be_looked_at():
    packed = bytes([0x4B, 0x4C, 0x4A, 0x06, 0x00, 0xFF, 0x81, 0x92])
    text = "".join(f"%{byte:02X}" for byte in packed)
    (batch,) = [b for b in undo_escapes(first_layer([text.encode()])) if len(b.low)]
    assert batch.sure.tolist() == [0]
    assert all(
        len(batch.sure) == 0 for batch in undo_escapes(first_layer([b'"caf\\u00e9 au lait\\n"']))
    )


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_undone_within_their_stretch(data):
    layer = first_layer([b"%41", data, b"\\u0041"])
    for batch in undo_escapes(layer):
        owners = layer.stretch_of(batch.low)
        assert (batch.high <= layer.ends[owners]).all()
        assert (batch.ends - batch.starts <= batch.high - batch.low).all()
