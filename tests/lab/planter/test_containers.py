"""Containers: what they hold can be had back with other libraries."""

import base64
import email
import gzip
import io
import json
import random
import zipfile
import zlib
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import brotli
import cbor2
import msgpack
import pytest
import zstandard

from audit.lab.planter.containers import CONTAINERS, Parcel


def leaves(value: Any) -> list[bytes]:
    """Return every scalar of a structure as bytes."""
    match value:
        case dict():
            return [leaf for item in value.values() for leaf in leaves(item)]
        case list():
            return [leaf for item in value for leaf in leaves(item)]
        case bytes():
            return [value]
        case _:
            return [str(value).encode()]


def protobuf_leaves(data: bytes) -> list[bytes]:
    """Return the length-delimited fields of a message and of the messages inside."""
    found: list[bytes] = []
    position = 0
    while position < len(data):
        tag, position = varint(data, position)
        number, position = varint(data, position)
        if tag & 7 == 2:
            inner = data[position : position + number]
            position += number
            found.append(inner)
            try:
                found += protobuf_leaves(inner)
            except IndexError:
                continue
    return found


def varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def zip_leaves(data: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [archive.read(name) for name in archive.namelist()]


def data_url_leaves(data: bytes) -> list[bytes]:
    head, _, rest = data.partition(b",")
    return [base64.b64decode(rest) if head.endswith(b";base64") else unquote_to_bytes(rest)]


def multipart_leaves(data: bytes, content_type: str) -> list[bytes]:
    message = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + data)
    return [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]


def jwt_leaves(data: bytes) -> list[bytes]:
    claims = data.split(b".")[1]
    return leaves(json.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4))))


def open_parcel(step: str, parcel: Parcel) -> list[bytes]:
    data = parcel.data
    match step:
        case "json":
            return leaves(json.loads(data))
        case "form":
            pairs = parse_qsl(data.decode(), encoding="latin-1", keep_blank_values=True)
            return [value.encode("latin-1") for _, value in pairs]
        case "multipart":
            return multipart_leaves(data, parcel.content_type or "")
        case "protobuf":
            return protobuf_leaves(data)
        case "msgpack":
            return leaves(msgpack.unpackb(data))
        case "cbor":
            return leaves(cbor2.loads(data))
        case "jwt":
            return jwt_leaves(data)
        case "data-url":
            return data_url_leaves(data)
        case "zip":
            return zip_leaves(data)
        case "gzip":
            return [gzip.decompress(data)]
        case "zlib":
            return [zlib.decompress(data)]
        case "deflate":
            return [zlib.decompress(data, wbits=-15)]
        case "br":
            return [brotli.decompress(data)]
        case _:
            return [zstandard.ZstdDecompressor().decompress(data)]


@pytest.mark.parametrize("step", list(CONTAINERS))
@pytest.mark.parametrize(
    ("data", "is_text"), [("value Öé+/&=%".encode(), True), (b"\x00\xff\xc6\x12", False)]
)
def test_what_was_put_in_comes_out(step: str, data: bytes, is_text: bool) -> None:
    for seed in range(25):
        parcel = Parcel(data=data, is_text=is_text, field="id")
        packed = CONTAINERS[step](parcel, random.Random(seed))
        assert packed.chain[0] == step
        was_text = step not in {"json", "jwt"} or is_text
        expected = data if was_text else base64.b64encode(data)
        assert expected in open_parcel(step, packed)


def test_text_places_get_text() -> None:
    parcel = Parcel(data=b"\xff", is_text=False, field="id").as_text()
    assert (parcel.data, parcel.chain) == (b"/w==", ("base64",))


def test_numbers_may_stand_as_numbers() -> None:
    parcel = Parcel(data=b"3325256704", is_text=True, field="ip", is_number=True)
    seen = {
        type(value)
        for seed in range(20)
        for value in find_field(json.loads(CONTAINERS["json"](parcel, random.Random(seed)).data))
    }
    assert seen == {int, str}


def find_field(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [found for item in value for found in find_field(item)]
    if not isinstance(value, dict):
        return []
    inner = [found for item in value.values() for found in find_field(item)]
    return [value["ip"], *inner] if "ip" in value else inner
