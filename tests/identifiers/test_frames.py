"""Structure without decoding: fields, paths and ranges; any bytes are read in bounded steps."""

from __future__ import annotations

import json

import cbor2
import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.frames import find_frame, find_frames

TREES = st.recursive(
    st.one_of(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), min_size=1, max_size=8), st.integers(0, 99999), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=5), inner, max_size=4)),
    max_leaves=12,
)  # fmt: skip


def leaves_of(tree, path="$"):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves_of(value, f"{path}.{key}")
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from leaves_of(value, f"{path}[{index}]")
    elif isinstance(tree, str):
        yield path, tree


def texts(frame, data):
    return [
        (leaf.path, data[leaf.start : leaf.end].decode())
        for leaf in frame.leaves
        if leaf.type == "text"
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.lists(TREES, min_size=1, max_size=4),
        st.dictionaries(st.sampled_from("abc"), TREES, min_size=1),
    )
)
def test_json_paths_are_those_of_the_tree(tree):
    for data in (
        json.dumps(tree).encode(),
        json.dumps(tree, indent=2).encode(),
        json.dumps(tree, separators=(",", ":")).encode(),
    ):
        frame = find_frame(data)
        expected = list(leaves_of(tree))
        assert (texts(frame, data) if frame else []) == expected


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), TREES, min_size=1), st.sampled_from(["msgpack", "cbor"])
)
def test_binary_paths_are_those_of_the_tree(tree, name):
    data = msgpack.packb(tree) if name == "msgpack" else cbor2.dumps(tree)
    frame = next((frame for frame in find_frames(data, name) if frame.name == name), None)
    assert sorted(texts(frame, data) if frame else []) == sorted(leaves_of(tree))


def test_multipart_fields_have_their_names():
    data = (
        b'--b\r\nContent-Disposition: form-data; name="one"\r\n\r\nfirst\r\n--b\r\n'
        b'Content-Disposition: form-data; name="two"; filename="x.bin"\r\n\r\n\x00\x01\r\n--b--\r\n'
    )
    frame = find_frame(data)
    assert [(leaf.path, data[leaf.start : leaf.end]) for leaf in frame.leaves if leaf.type == "bytes"] == [
        ("one", b"first"), ("two", b"\x00\x01")
    ]  # fmt: skip


@pytest.mark.parametrize("prefix", [b"", b"\x00\x00\x00\x00\x0e"])
def test_protocol_buffers_are_read_with_and_without_the_frame_of_grpc(prefix):
    data = prefix + b"\x08\x96\x01\x12\x09\x0a\x02ab\x15\x01\x02\x03\x00"[:14]
    frame = find_frame(data)
    assert frame.name == "protobuf"
    assert [leaf.path for leaf in frame.leaves] == ["1", "2.1", "2.2"]


def test_a_field_of_several_that_holds_a_range_is_told():
    data = b'{"a":"xx","b":{"c":"yy"}}'
    frame = find_frame(data)
    at = data.index(b"yy")
    assert frame.at(at, at + 2).path == "$.b.c"
    assert frame.at(5, 20) is None


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.sampled_from([b"\x81", b"\xa1", b"a", b"\x9f", b"\xff", b"\x0a", b"\x03", b"{", b'"', b"[", b":", b"--b\r\n", b"=", b"&", b"\xd9", b"\x5f"]), max_size=60).map(b"".join),
    ),
    st.sampled_from(["", "json", "form", "protobuf"]),
)  # fmt: skip
def test_any_bytes_give_fields_inside_them_or_none(data, hint):
    for frame in find_frames(data, hint):
        assert all(0 <= leaf.start <= leaf.end <= len(data) for leaf in frame.leaves)
        assert frame.starts == sorted(frame.starts)
