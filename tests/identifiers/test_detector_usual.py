"""Usual writings that programs and people give values, each found by itself."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import unicodedata
import urllib.parse
import uuid
import zipfile
import zlib

import pytest

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers.detector import Detector, text_payload

AD = uuid.UUID("0490685b-d28a-47e0-a71e-203397eb48ed")
ANDROID = "c6ca8cffcd23f9a0"
KEY = "0ce888477b7bf0056fb15e84955b592a66f42f9f92c160235e7c853ff441d5d5"
MAC = "6a:6d:15:17:11:65"
MAIL = "Silkel.Wexulrav+6ae0f9@lumbardan.example"
NAME = "Zoë Wexulrav cdb2"
PHRASE = "ember indigo cinder quarry dune falcon velvet fable bramble jasper"
SERIAL = "C0DUL7DRR2PX"
VALUES = {
    "address": "198.18.208.253", "mac": MAC, "serial": SERIAL, "ad_id": str(AD),
    "android_id": ANDROID, "email": MAIL, "phone": "+33612345678", "account_id": "05" + KEY,
    "display_name": NAME, "recovery_phrase": PHRASE, "locale": "pt-BR",
}  # fmt: skip
DETECTOR = Detector(make_identity([Identifier(*item) for item in VALUES.items()]))


def in_zip(name, content, comment=b""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = comment
        archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def jwt_deflated(text):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(text) + packer.flush()
    parts = (b'{"alg":"none","zip":"DEF"}', packed)
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts) + b"."


def listed(data, separator=", "):
    return f"[{separator.join(map(str, data))}]".encode()


CASES = [
    ("recovery_phrase", json.dumps(PHRASE.split())),
    ("recovery_phrase", urllib.parse.quote(json.dumps(PHRASE.split(), separators=(",", ":")))),
    ("recovery_phrase", PHRASE.replace(" ", "&nbsp;")),
    ("recovery_phrase", "q=" + PHRASE.replace(" ", "++")),
    ("display_name", urllib.parse.quote(NAME.encode("latin-1"))),
    ("display_name", "<a>Zo&euml; Wexulrav cdb2</a>"),
    ("display_name", unicodedata.normalize("NFD", NAME)),
    ("display_name", "Zoe Wexulrav cdb2"),
    ("display_name", json.dumps({"n": NAME}, ensure_ascii=False).encode("utf-16")),
    ("display_name", b"=?UTF-8?B?" + base64.b64encode(NAME.encode()) + b"?="),
    ("display_name", "attachment; filename*=UTF-8''Zo%C3%AB%20Wexulrav%20cdb2"),
    ("serial", jwt_deflated(json.dumps({"s": SERIAL}).encode())),
    ("serial", "sha256:" + hashlib.sha256(SERIAL.encode()).hexdigest()),
    ("serial", b"sha256-" + base64.b64encode(hashlib.sha256(SERIAL.encode()).digest())),
    ("serial", in_zip(f"{SERIAL}.txt", b"x")),
    ("serial", in_zip("a", b"x", SERIAL.encode())),
    ("serial", json.dumps({"type": "Buffer", "data": list(SERIAL.encode())})),
    ("serial", f"<a><![CDATA[{SERIAL}]]></a>"),
    ("mac", listed(bytes.fromhex(MAC.replace(":", "")))),
    ("mac", MAC.replace(":", "").upper()[:6] + "-" + MAC.replace(":", "").upper()[6:]),
    ("ad_id", listed(AD.bytes, ",")),
    ("ad_id", listed(struct.unpack("16b", AD.bytes))),
    ("ad_id", str(AD.int)),
    ("android_id", str(int(ANDROID, 16))),
    ("android_id", str(int(ANDROID, 16) - (1 << 64))),
    ("android_id", b"\x08\x01\x11" + bytes.fromhex(ANDROID)[::-1]),
    ("account_id", KEY),
    ("account_id", base64.b64encode(bytes.fromhex(KEY))),
    ("address", "2002:c612:d0fd::1"),
    ("address", "030604550375"),
    ("phone", "＋３３６１２３４５６７８"),
    ("phone", "06\u202f12\u202f34\u202f56\u202f78"),
    ("phone", "+33 (0)6.12.34.56.78"),
    ("phone", "0033 6 12 34 56 78"),
    ("email", f"d5:email{len(MAIL)}:{MAIL}e"),
    ("email", "".join(f"={byte:02X}" for byte in MAIL.encode())),
    ("locale", '{"l": "pt_BR"}'),
    ("locale", "lang=pt_BR.UTF-8\n"),
    ("locale", "id: 3\nlocale: pt-BR\nx: y\n"),
    ("locale", "<a><![CDATA[pt-BR]]></a>"),
]


@pytest.mark.parametrize(("kind", "data"), CASES, ids=lambda item: str(item)[:40])
def test_a_usual_writing_is_found(kind, data):
    encoded = data.encode() if isinstance(data, str) else data
    found = DETECTOR.scan(text_payload(encoded)).hits
    assert {hit.kind for hit in found} == {kind}


@pytest.mark.parametrize(
    "text",
    [
        "the pt-BR edition: sold out", "x pt_BR", listed(b"x" + SERIAL.encode()[:-1]).decode(),
        "1" + str(int(ANDROID, 16)), str(AD.int + 1), f"{len(MAIL) + 1}:x{MAIL}", "06 12 34 56 789",
        f"ab{ANDROID}cd", f"a{KEY}", "15" + KEY, "2002:c612:d0fe::1",
    ],
)  # fmt: skip
def test_what_resembles_it_is_none(text):
    assert DETECTOR.scan(text_payload(text.encode())).hits == ()


COMMON = Detector(
    make_identity(
        [
            Identifier("user_name", "root"),
            Identifier("host_name", "debian"),
            Identifier("device_model", "Linux"),
        ]
    )
)


@pytest.mark.parametrize(
    ("location", "detail", "data", "sure"),
    [
        ("body", "", b'{"role":"root"}', False), ("body", "", b'{"root":{"a":1}}', False),
        ("header", "host", b"deb.debian.org", False), ("header", "user-agent", b"Debian APT-HTTP/1.3", False),
        ("header", "user-agent", b"Mozilla/5.0 (X11; Linux x86_64)", False), ("path", "", b"/root/v1", False),
        ("body", "", b'{"user":"root"}', True), ("query", "login", b"root", True), ("body", "", b"hostname=debian&a=1", True),
        ("body", "", b'{"device":{"model":"Linux"}}', True), ("header", "x-device-model", b"Linux", True),
    ],
)  # fmt: skip
def test_words_of_every_program_count_only_in_fields_named_for_their_kind(
    location, detail, data, sure
):
    payload = text_payload(data, location)
    payload.detail = detail
    assert bool(COMMON.scan(payload).hits) is sure


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ad_id", "00000000-0000-0000-0000-000000000000"),
        ("mac", "ff:ff:ff:ff:ff:ff"),
        ("mac", "00:00:00:00:00:00"),
    ],
)
def test_identifiers_of_zeros_alone_are_nobodys(kind, value):
    detector = Detector(make_identity([Identifier(kind, value)]))
    assert detector.scan(text_payload(f'{{"id":"{value}"}}'.encode())).hits == ()
