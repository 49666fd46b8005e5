"""What the sieve lets through holds every hit: the slow search, which tries all, finds no more."""

from __future__ import annotations

import json
import random

import pytest

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers import search
from audit.identifiers.detector import Detector, text_payload
from audit.identifiers.engine import make_engine
from audit.identifiers.needles import make_anchors, make_needles
from audit.identifiers.sieve import MAX_LAYERS, Sieve
from tests.identifiers.planting import SUBJECT, containers, look_alikes, planted, wrap

IDENTITY = make_identity([Identifier(kind, value) for kind, value in SUBJECT.items()])
ITEMS = [item for kind, value in SUBJECT.items() for item in planted(kind, value)]
WORDS = b"The quay is closed; see https://h.example/p?x=1&y=caf%C3%A9+au+lait or call 1-2-3.\n"


@pytest.fixture(scope="module")
def both() -> tuple[Detector, Detector]:
    return Detector(IDENTITY), Detector(IDENTITY, thorough=True)


def around(data: bytes, draw: random.Random) -> bytes:
    words = WORDS * draw.choice([0, 0, 1, 4])
    noise = draw.choice([b"", b"", b"\xff\xfe\x00" + draw.randbytes(90).replace(b"%", b"")])
    return draw.choice(
        [data, words + b'"' + data + b'"' + words, noise + b"\n" + data + b"\n", b"a=1&b=" + data]
    )


def drawn(seed: int, count: int) -> list[bytes]:
    draw = random.Random(seed)
    found: list[bytes] = []
    while len(found) < count:
        item = draw.choice(ITEMS)
        names = tuple(draw.choices(containers(), k=draw.choice([0, 1, 1, 2, 2, 3, 4, 6])))
        data = wrap(item.data, item.text, names)
        if data is not None:
            found.append(around(data, draw))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("worthwhile", [1, search.WORTHWHILE])
def test_nestings_give_the_same_hits_as_without_it(both, seed, worthwhile, monkeypatch):
    monkeypatch.setattr(search, "WORTHWHILE", worthwhile)
    fast, thorough = both
    payloads = [text_payload(data) for data in drawn(seed, 350)]
    expected = thorough.scan_all(payloads)
    assert sum(len(result.hits) for result in expected) > 300
    for payload, one, other in zip(payloads, fast.scan_all(payloads), expected, strict=True):
        assert one == other, payload.data


def test_hits_stand_in_large_payloads_as_in_small_ones(both):
    fast, thorough = both
    found = drawn(11, 60)
    text = [data.decode() for data in found if data.isascii()]
    payload = text_payload(json.dumps({str(n): data for n, data in enumerate(text)}).encode())
    assert fast.scan(payload) == thorough.scan(payload)


def sieve_of(values: dict[str, str]) -> Sieve:
    anchors = make_anchors(make_needles([Identifier(*item) for item in values.items()]))
    return Sieve(make_engine(anchors.texts), anchors)


def test_of_clean_text_nothing_is_left():
    draw = random.Random(7)
    sieve = sieve_of(SUBJECT)
    body = json.dumps(
        [
            {
                "id": draw.randbytes(16).hex(),
                "text": f"words \u00e9 & <b>{n}</b>\n",
                "link": f"https://h.example/{n}?q=a+b%20c%2F{draw.randbytes(9).hex()}",
                "near": next(look_alikes(SUBJECT["serial"], draw)),
            }
            for n in range(200)
        ]
    ).encode()
    assert sieve.sift([WORDS * 40, body]) == [None, None]


def test_what_shows_is_told_by_piece():
    sieve = sieve_of({"serial": SUBJECT["serial"]})
    encoded = (b"~ " * 20 + SUBJECT["serial"].encode()).hex().encode()
    plain = b"x " + SUBJECT["serial"].encode()
    first, second, third = sieve.sift([plain, WORDS, b"id: " + encoded])
    assert first.candidates
    assert not first.marks
    assert second is None
    assert third.marks == {"run": [4]}


def test_layers_without_end_are_left_to_the_decoders(monkeypatch):
    monkeypatch.setattr("audit.identifiers.sieve.MAX_LAYERS", -(1 << 20))
    assert MAX_LAYERS > 0
    assert sieve_of({"serial": "C02XK1ABJG5J"}).sift([b"QUJDREVGR0hJSktMTU5P" * 20]) is None


@pytest.mark.parametrize("sign", [rb"\x", b"%"])
@pytest.mark.parametrize("before", [0, 3_000, 40_000])
def test_utf16_in_escapes_is_found_wherever_it_stands(both, sign, before):
    value = SUBJECT["message"].encode("utf-16-le")
    escaped = b"".join(sign + b"%02x" % byte for byte in value)
    body = WORDS.replace(b"%", b"")[:60] + b"\n" + b"lorem ipsum\n" * (before // 12)
    body += b" " + escaped + b" \n" + b"more text\n" * 2_000
    fast, thorough = (
        [(hit.kind, hit.chain, hit.start) for hit in detector.scan(text_payload(body)).hits]
        for detector in both
    )
    assert ("message", "utf16") in {
        (hit.kind, hit.form) for hit in both[0].scan(text_payload(body)).hits
    }
    assert fast == thorough
