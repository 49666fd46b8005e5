"""What the detector finds, where it says it is, and what it must not take for a value."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import random
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bundle.identity import Identifier, Identity, make_identity
from audit.identifiers.detector import Detector, text_payload
from tests.identifiers.planting import (
    LOW,
    SUBJECT,
    SUBJECT6,
    Planted,
    containers,
    look_alikes,
    planted,
    wrap,
)

VALUES = [*SUBJECT.items(), ("address", SUBJECT6)]
IDENTITY = make_identity([Identifier(kind, value) for kind, value in VALUES])
PROSE = ("message", "attachment", "recovery_phrase", "user_agent")
"""Kinds whose values count inside a longer text as well."""
NAMED = {
    "base64": ("base64",), "base64url": ("base64url", "base64"), "data-url": ("base64",),
    "json of base64": ("base64", "base64url"), "form of base64": ("base64", "base64url"),
    "hex": ("hex", "plain", "squeezed", "integer-address"), "base32": ("base32",), "percent": ("percent",),
    "form": ("percent",), "url": ("percent",), "xml": ("html",),
}  # fmt: skip
"""Containers that are forms themselves: the form that a plain value has in them."""
ESCAPING = (
    "json",
    "json utf8",
    "json key",
    "json in json",
    "json slashes",
    "ndjson",
    "jsonp",
    "jwt",
    "bearer",
)


@pytest.fixture(scope="module")
def detector():
    return Detector(IDENTITY)


def is_right(item: Planted, names: tuple[str, ...], form: str) -> bool:
    if form in item.forms:
        return True
    if not names or not {"plain", "case", "packed-address"} & set(item.forms):
        return False
    return form in NAMED.get(names[0], ()) or (names[0] in ESCAPING and form == "escaped")


def missed(detector, cases):
    """Return the cases whose value was not found, or not as what it is."""
    results = detector.scan_all([text_payload(data) for *_, data in cases])
    wrong = []
    for (item, value, names, data), result in zip(cases, results, strict=True):
        forms = [
            hit.form
            for hit in result.hits
            if hit.kind == item.kind and IDENTITY.identifiers[hit.value_index].value == value
        ]
        if not forms or (len(names) < 2 and not any(is_right(item, names, form) for form in forms)):
            wrong.append((item.kind, item.way, names, forms, data[:60]))
        assert not result.truncated
    return wrong


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=lambda text: text[:12])
def test_every_form_of_every_kind_is_found_in_every_container(detector, kind, value):
    cases = []
    for item in planted(kind, value):
        if kind in LOW and not item.whole:
            continue
        alone = item.way.endswith(("HEX", "base64url", "hex in hex"))
        for names in [(), *(() if alone else [(name,) for name in containers()])]:
            if kind in LOW and names == ("json key",):
                continue  # the name of a field gives it no meaning
            data = wrap(item.data, item.text, names)
            if data is not None:
                cases.append((item, value, names, data))
    assert len(cases) > 500
    assert missed(detector, cases) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_values_are_found_under_containers_inside_one_another(detector, seed):
    draw = random.Random(seed)
    items = [
        (item, value)
        for kind, value in VALUES
        for item in planted(kind, value)
        if item.whole or kind not in LOW
    ]
    cases = []
    while len(cases) < 1500:
        item, value = draw.choice(items)
        names = tuple(draw.choices(containers(), k=draw.choice([2, 3])))
        data = wrap(item.data, item.text, names)
        if item.kind in LOW and names[0] == "json key":
            continue
        if data is not None and len(data) < 20_000:
            cases.append((item, value, names, data))
    assert missed(detector, cases) == []


def test_look_alikes_and_random_bytes_are_no_hits(detector):
    draw = random.Random(5)
    cases = []
    for kind, value in VALUES:
        if kind in (*LOW, *PROSE):
            continue
        for alike in look_alikes(value, draw):
            simple = kind in (
                "address",
                "mac",
                "phone",
                "email",
                "ad_id",
                "account_id",
                "contact_id",
            )
            items = (
                [Planted(kind, (), alike.encode(), True, "plain")]
                if simple
                else planted(kind, alike)
            )
            for item in items:
                names = tuple(draw.choices(containers(), k=draw.choice([0, 1, 1, 2])))
                cases.append(wrap(item.data, item.text, names))
    for size in (10, 30, 100, 1000, 5000):
        for _ in range(100):
            data = draw.randbytes(size)
            cases += [
                data,
                base64.b64encode(data),
                data.hex().encode(),
                str(draw.getrandbits(min(8 * size, 10_000))).encode(),
            ]
    cases += [zlib.compress(draw.randbytes(2000)) for _ in range(50)]
    cases = [data for data in cases if data is not None]
    results = detector.scan_all([text_payload(data) for data in cases])
    false = [
        (data[:80], result.hits) for data, result in zip(cases, results, strict=True) if result.hits
    ]
    assert false == []


@pytest.mark.parametrize(
    "text",
    [
        "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/198.18.77.203 Safari/537.36",
        '{"v":"1.198.18.77.203"}', "198.18.77.203.4", "198.18.77.2031", "7198.18.77.203",
        "3:2001:db8:0:4f1::9a:3cd7", "2001:db8:0:4f1::9a:3cd7f", "2001:db8:0:4f1::9a:3cd7:8",
        "02:1b:4f:9a:3c:d7:11", "ab:02:1b:4f:9a:3c:d7", "14930123498765", "49301234987651",
        "xQuentin.Vale+canary@mail.example", "bob.quentin.vale@mail.example",
        "quentin.vale@mail.example.org", "logo@2x.png", "C02XK1ABJG5JX", "59774d56d682e549c",
        "9774d56d682e549c9774d56d", "marvinette", "amarvin", "the marvin in prose",
    ],
)  # fmt: skip
def test_longer_numbers_words_and_addresses_are_other_values(detector, text):
    for data in (text.encode(), json.dumps({"a": text}).encode(), base64.b64encode(text.encode())):
        assert detector.scan(text_payload(data)).hits == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("from 198.18.77.203, via", "address"), ("https://h.example/ip/198.18.77.203/x", "address"),
        ("198.18.77.203:443", "address"), ("5,198.18.77.203,7", "address"),
        ("[2001:db8:0:4f1::9a:3cd7]:443", "address"), ("ip:2001:db8:0:4f1::9a:3cd7", "address"),
        ("mac:02:1b:4f:9a:3c:d7", "mac"), ("tel:+4930123498765", "phone"),
        ("<quentin.vale@mail.example>", "email"), ("(C02XK1ABJG5J)", "serial"),
        ("id=9774d56d682e549c", "android_id"), ("0x9774d56d682e549c", "android_id"),
    ],
)  # fmt: skip
def test_punctuation_around_a_value_does_not_hide_it(detector, text, kind):
    assert [hit.kind for hit in detector.scan(text_payload(text.encode())).hits] == [kind]


def test_a_digest_inside_containers_is_told_with_its_way_and_place(detector):
    digest = hashlib.sha256(SUBJECT["email"].encode()).digest()
    body = gzip.compress(json.dumps({"user": {"k": base64.b64encode(digest).decode()}}).encode())
    (hit,) = detector.scan(text_payload(body)).hits
    assert (hit.kind, hit.form, hit.chain) == ("email", "sha256", ("gzip", "json", "base64"))
    assert (hit.location, hit.start, hit.end) == ("body $.user.k", 0, len(body))


def test_a_hit_points_at_the_bytes_of_the_outermost_encoded_span(detector):
    encoded = base64.b64encode(b"~" + SUBJECT["serial"].encode())
    body = b'{"a": 1, "b": "' + encoded + b'", "c": "%43' + SUBJECT["serial"].encode()[1:] + b'"}'
    spans = [(hit.start, hit.end) for hit in detector.scan(text_payload(body)).hits]
    assert [body[low:high] for low, high in spans] == [
        encoded,
        b"%43" + SUBJECT["serial"].encode()[1:],
    ]


def test_equal_encoded_spans_are_told_at_each_place(detector):
    encoded = base64.b64encode(SUBJECT["email"].encode()).decode()
    result = detector.scan(text_payload(json.dumps({"a": encoded, "b": [encoded]}).encode()))
    assert [hit.location for hit in result.hits] == ["body $.a", "body $.b[0]"]


@pytest.mark.parametrize(
    ("location", "detail", "data", "place"),
    [
        ("header", "x-id", b"9774d56d682e549c", "header x-id"),
        ("query", "", b"a=1&id=9774d56d682e549c", "query id"),
        ("query", "id", b"9774d56d682e549c", "query id"),
        ("path", "", b"/u/9774d56d682e549c/x", "path"),
        ("cookie", "sid", b"9774d56d682e549c", "cookie sid"),
        ("dns", "", b"9774d56d682e549c.t.example", "dns"),
        ("body", "", b'{"p":{"r":[{"x":"9774d56d682e549c"}]}}', "body $.p.r[0].x"),
        ("websocket", "", b'["9774d56d682e549c"]', "websocket $[0]"),
    ],
)  # fmt: skip
def test_locations_name_header_key_or_path(detector, location, detail, data, place):
    payload = text_payload(data, location)
    payload.detail = detail
    assert [hit.location for hit in detector.scan(payload).hits] == [place]


def test_a_value_in_the_name_of_a_field_is_not_in_the_location(detector):
    body = json.dumps({SUBJECT["account_id"]: {"swarm": SUBJECT["ad_id"]}}).encode()
    result = detector.scan(text_payload(body))
    assert sorted(hit.location for hit in result.hits) == [
        "body $.{account_id}",
        "body $.{account_id}.swarm",
    ]


def test_excerpts_show_no_value(detector):
    body = ", ".join(f"{kind}={value}" for kind, value in VALUES).encode()
    for hit in detector.scan(text_payload(body)).hits:
        for kind, value in VALUES:
            if kind not in LOW:
                assert value not in hit.excerpt
                assert value[:12] not in hit.excerpt


@pytest.mark.parametrize(
    ("location", "detail", "data", "sure"),
    [
        ("body", "", b'{"lang":"pt-BR"}', True), ("body", "", b'{"pt-BR":1}', False),
        ("header", "accept-language", b"pt-BR,pt;q=0.9", True), ("header", "x-note", b"is pt-BR ok", False),
        ("query", "", b"hl=pt-BR&x=1", True), ("query", "hl", b"pt-BR", True), ("body", "", b"text in pt-BR here", False),
        ("header", "user-agent", b"App/1 (Linux; pt-BR)", True), ("body", "", b"tz=America%2FManaus&a=1", True),
        ("body", "", b"<user>marvin</user>", True), ("body", "", b"dear marvin,", False),
        ("body", "", b'{"user":"marvin"}', True), ("cookie", "u", b"marvin", True),
    ],
)  # fmt: skip
def test_values_of_low_entropy_count_only_where_their_place_gives_them_meaning(
    detector, location, detail, data, sure
):
    payload = text_payload(data, location)
    payload.detail = detail
    result = detector.scan(payload)
    assert bool(result.hits) is sure
    assert all(hit.unsure for hit in result.unsure)
    assert bool(result.unsure) is not sure


def test_declared_content_codings_are_undone_last_first(detector):
    body = zlib.compress(gzip.compress(SUBJECT["serial"].encode()))
    payload = text_payload(body)
    payload.content_encoding = ("gzip", "deflate")
    (hit,) = detector.scan(payload).hits
    assert hit.chain == ("zlib", "gzip")


def test_a_coding_that_does_not_hold_is_said_for_opaque_bytes_only(detector):
    for data, said in ((random.Random(3).randbytes(200), True), (b'{"plain": "text"}', False)):
        payload = text_payload(data)
        payload.content_encoding = ("br",)
        assert bool(detector.scan(payload).truncated) is said


def test_without_identifiers_nothing_is_found_and_controls_still_are():
    empty = Detector(Identity())
    assert empty.scan(text_payload(b"anything 198.18.77.203")).hits == ()
    assert all(control.found for control in empty.controls())


def test_threads_share_a_detector(detector):
    bodies = [
        gzip.compress(json.dumps({"n": n, "id": SUBJECT["ad_id"]}).encode()) for n in range(40)
    ]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda body: detector.scan(text_payload(body)).hits, bodies))
    assert all(len(hits) == 1 for hits in found)


def test_one_scan_or_many_give_the_same(detector):
    draw = random.Random(8)
    data = [
        wrap(item.data, item.text, (draw.choice(containers()),))
        for item in planted("email", SUBJECT["email"])
    ]
    payloads = [text_payload(item) for item in data if item is not None]
    assert detector.scan_all(payloads) == [detector.scan(payload) for payload in payloads]


def test_a_decompression_bomb_is_cut_and_said(detector):
    bomb = gzip.compress(gzip.compress(b"\0" * 60_000_000, 9), 9)
    result = detector.scan(text_payload(bomb))
    assert any("more bytes than are searched" in text for text in result.truncated)


@pytest.mark.parametrize(
    "step", [base64.b64encode, binascii.hexlify, lambda data: gzip.compress(data, mtime=0)]
)
def test_what_lies_deeper_than_is_decoded_is_said(detector, step):
    body = b"a text without any identifier of the subject, long enough to be one"
    for _ in range(8):
        body = step(body)
    assert detector.scan(text_payload(body)).truncated == ()
    for _ in range(4):
        body = step(body)
    payloads = [text_payload(data) for data in (b"one", body, b"two")]
    results = detector.scan_all(payloads)
    assert [bool(result.truncated) for result in results] == [False, True, False]
    assert "encodings" in results[1].truncated[0]


def test_absurd_nesting_ends(detector):
    for data in (
        b"[" * 200_000, b'{"a":' * 50_000, b"\x81\xa1a" * 50_000, b"\xa1\x61a" * 50_000, b"%25" * 100_000,
        b"\\" * 200_000, b"&amp;" * 50_000, b"\x0a\x04" * 50_000, b"PK\x03\x04" * 5_000, b"\x1f\x8b\x08" * 5_000,
        b"A" * 500_000, b"a=" * 100_000, b"--x\r\n" * 20_000, b"\0a" * 100_000, b"de:ad:" * 30_000,
        b"eyJ." * 30_000, b'"' * 200_000, b"=" * 200_000, b"%u0041" * 30_000, b"data:;base64," * 10_000,
        b"/+_-" * 50_000,
    ):  # fmt: skip
        detector.scan(text_payload(data))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_searched_without_an_error(data):
    detector = SMALL
    assert detector.scan(text_payload(data)).truncated == ()


SMALL = Detector(
    make_identity(
        [Identifier("email", "someone@else.example"), Identifier("address", "203.0.113.9")]
    )
)


def test_thousands_of_places_are_told_in_good_time(detector):
    body = json.dumps([{"a": SUBJECT["serial"], "b": "x"}] * 8000).encode()
    result = detector.scan(text_payload(body))
    assert (len(result.hits), result.truncated) == (8000, ())
    body = b" ".join([SUBJECT["serial"].encode()] * 25_000)
    assert detector.scan(text_payload(body)).truncated == (
        "more places hold identifiers than are listed",
    )
