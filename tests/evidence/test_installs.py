"""Installs compared: exactly what was planted is found, at its place; decoys are not."""

from __future__ import annotations

import base64
import gzip
import json
import random
import struct
from datetime import UTC, datetime
from itertools import permutations

import msgpack
import pytest

from audit.errors import UsageError
from audit.evidence.capture import read_capture
from audit.evidence.compared import entries, known_by
from audit.evidence.context import EvidenceContext
from audit.evidence.installs import compare, require_two
from audit.report.compose import make_view
from audit.report.html import render_html
from tests.evidence.bundles import line, make_bundle
from tests.readers import dumps
from tests.report.results import messenger

EMAIL = "kim.mercer@mail.example"
BOUNDARY = b'--cut\r\nContent-Disposition: form-data; name="who"\r\n\r\n%s\r\n--cut--\r\n'


class Install:
    """What one install sends, drawn from its number."""

    def __init__(self, number: int, draw: random.Random) -> None:
        self.number = number
        self.draw = draw
        self.flows: list[object] = []
        self.ids: dict[str, str] = {}

    def own(self, name: str) -> str:
        """A random value that this install keeps."""
        return self.ids.setdefault(name, self.draw.randbytes(16).hex())

    def send(self, path: str, body: bytes = b"", *headers: tuple[str, str], method: str = "POST",
             answer: bytes = b"{}", status: int = 200, answered: tuple[tuple[str, str], ...] = (),
             **more: object) -> None:  # fmt: skip
        pairs = [("Host", "api.example"), ("X-Request-Id", self.draw.randbytes(12).hex()), *headers]
        self.flows.append(
            dumps.http_flow(
                method=method, path=path, body=body, status=status, answer=answer,
                headers=[(name.encode(), value.encode()) for name, value in pairs],
                answer_headers=[(name.encode(), value.encode()) for name, value in answered],
                start=dumps.START + 1 + len(self.flows), **more,
            )
        )  # fmt: skip

    def plant(self) -> None:
        for _ in range(3):
            self.plain()
            self.packed()
        self.cached()
        self.decoys()

    def plain(self) -> None:
        own = self.own
        self.send("/v1/events", json.dumps({"device": {"id": own("json")}, "n": 1}).encode(),
                  ("X-Device", own("header")), ("Cookie", f"lang=de; uid={own('cookie')}"))  # fmt: skip
        self.send(f"/v1/u/{own('path')}/inbox?did={own('query')}&v=2", method="GET")
        self.send("/form", f"a=1&who={own('form')}".encode(),
                  ("Content-Type", "application/x-www-form-urlencoded"))  # fmt: skip
        self.send("/part", BOUNDARY % own("multipart").encode(),
                  ("Content-Type", "multipart/form-data; boundary=cut"))  # fmt: skip
        message = json.dumps({"client": own("websocket")}).encode()
        self.send("/ws", method="GET", status=101, messages=[(1, True, message)])
        self.flows.append(dumps.dns_flow(f"{own('dns')[:20]}.metrics.example"))

    def packed(self) -> None:
        own = self.own
        name = own("protobuf").encode()
        number = struct.pack("<Q", int(own("number")[:15], 16))
        self.send("/pb", b"\x08\x05\x1a" + bytes([len(name)]) + name + b"\x21" + number,
                  ("Content-Type", "application/x-protobuf"))  # fmt: skip
        self.send("/mp", msgpack.packb({"v": 3, "i": own("msgpack")}))
        self.send("/gz", gzip.compress(json.dumps({"z": own("gzip")}).encode()),
                  ("Content-Encoding", "gzip"))  # fmt: skip
        inner = base64.b64encode(json.dumps({"t": len(self.flows), "k": own("base64")}).encode())
        self.send("/b64", b"", ("X-State", inner.decode()))

    def cached(self) -> None:
        tag = f'"{self.own("etag")}"'
        self.send("/pixel", method="GET", answered=(("ETag", tag),))
        self.send("/pixel", b"", ("If-None-Match", tag), method="GET", status=304)
        moment = datetime.fromtimestamp(self.draw.randrange(10**9, 1_600_000_000), UTC)
        self.ids["modified"] = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
        self.send("/style", method="GET", answered=(("Last-Modified", self.ids["modified"]),))
        self.send("/style", b"", ("If-Modified-Since", self.ids["modified"]), method="GET")
        self.send("/r", method="GET", status=301,
                  answered=(("Location", f"/go?u={self.own('redirect')}"),))  # fmt: skip
        self.send("/conf", answer=json.dumps({"mark": self.own("body")}).encode())
        for _ in range(2):
            self.send(f"/go?u={self.own('redirect')}", method="GET")
            self.send("/later", b"", ("X-Mark", self.own("body")))

    def decoys(self) -> None:
        draw = self.draw
        counter = draw.randrange(10**8, 10**9)
        nodes = [draw.randbytes(32).hex() for _ in range(6)]
        self.send("/nodes", answer=json.dumps({"nodes": [{"key": key} for key in nodes]}).encode())
        fresh = datetime.fromtimestamp(dumps.START + 1 + len(self.flows), UTC)
        now = fresh.strftime("%a, %d %b %Y %H:%M:%S GMT")
        self.send("/fresh", method="GET", answered=(("Last-Modified", now), ("ETag", '"c0ffee"')))
        self.send("/fresh", b"", ("If-None-Match", '"c0ffee"'), method="GET")
        for at in range(4):
            body = {
                "seq": counter + at, "nonce": draw.randbytes(16).hex(), "version": "12.4.1100",
                "at": 1_700_000_000_000 + draw.randrange(10**6), "ok": True, "tz": "Europe/Berlin",
                "locale": ("de-AT", "fr-CH")[self.number % 2], "api": "c0d1" * 8, "node": nodes[2],
                "mail": EMAIL, "installed": f"2023-11-{10 + self.number}T10:00:00Z",
                "model": ("SM-G991B", "Pixel 7 Pro")[self.number % 2], "size": 480 + self.number,
            }  # fmt: skip
            self.send("/decoys", json.dumps(body).encode(), ("User-Agent", "App/1.2 (Linux; 14)"))
        self.send("/once", b"", ("X-Once", draw.randbytes(16).hex()))


PLACES = {
    "header": "header x-device",
    "json": "body $.device.id of POST /v1/events",
    "cookie": "cookie uid",
    "path": "path /v1/u/<here>",
    "query": "query did of GET /v1/u/{}/inbox",
    "form": "body who of POST /form",
    "multipart": "body who of POST /part",
    "websocket": "websocket $.client",
    "dns": "DNS label of {}.metrics.example",
    "protobuf": "body 3 of POST /pb",
    "number": "body 4 of POST /pb",
    "msgpack": "body $.i of POST /mp",
    "gzip": "body $.z of POST /gz",
    "base64": "header x-state base64 > $.k",
    "etag": "header if-none-match of GET /pixel",
    "modified": "header if-modified-since of GET /style",
    "redirect": "query u of GET /go",
    "body": "header x-mark",
}


def planted(folder, number, seed=0):
    install = Install(number, random.Random(f"{seed}/{number}"))
    install.plant()
    return install, recorded(folder, number, install.flows)


def recorded(folder, number, flows, *, name=None, **more):
    name = name or f"c{number}"
    bundle = make_bundle(
        folder / name, flows=flows, id=name, install=f"install-{number}",
        identifiers=[("email", EMAIL)], **more,
    )  # fmt: skip
    return read_capture(bundle, EvidenceContext(keeps_values=True))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installs")
    made = [planted(folder, number) for number in (1, 2)]
    bundles_identity = known_by_email()
    return [one for one, _ in made], compare([two for _, two in made], bundles_identity)


def known_by_email():
    from audit.bundle.identity import Identifier, make_identity

    return known_by([make_identity([Identifier("email", EMAIL)])])


def test_exactly_the_planted_values_are_candidates(two):
    installs, found = two
    proven = {place.key.location: one for one in found.candidates if one.is_proven
              for place in one.places}  # fmt: skip
    assert set(proven) == set(PLACES.values())
    for name, location in PLACES.items():
        kept = [install.ids[name] for install in installs]
        if name == "dns":
            kept = [value[:20] for value in kept]
        if name == "number":
            kept = [str(int(value[:15], 16)) for value in kept]
        assert proven[location].values == {"install-1": (kept[0],), "install-2": (kept[1],)}


def test_what_was_seen_once_is_told_apart(two):
    _, found = two
    once = [
        place.key.location for one in found.candidates if not one.is_proven for place in one.places
    ]
    assert once == ["header x-once"]


def test_times_recipients_and_bits_are_told(two):
    _, found = two
    header = next(o for o in found.candidates if o.places[0].key.location == "header x-device")
    assert header.places[0].exchanges == {"install-1": 3, "install-2": 3}
    assert header.places[0].key.recipient == "api.example"
    assert (header.entropy.bits, header.entropy.basis) == (128, "32 hexadecimal digits")
    assert header.places[0].refs["install-2"].startswith("c2: flows.mitm#")


def test_known_values_and_choices_from_a_list_are_counted_and_not_listed(two):
    _, found = two
    assert found.listed == 1
    assert not found.known  # the same address in both installs tells them not apart


def test_entries_hold_no_value_and_say_what_keeps_each(two):
    installs, found = two
    made = entries(found, b"k" * 32, str)
    text = json.dumps(made)
    for install in installs:
        for value in install.ids.values():
            assert value not in text
    kept = {row[4]: row[7] for row in made[0]["rows"]}
    assert kept[PLACES["etag"]] == "ETag in the cache: outlives cookies"
    assert kept[PLACES["modified"]] == "Last-Modified in the cache: outlives cookies"
    assert kept[PLACES["redirect"]].startswith("a redirect (api.example, header location query u)")
    assert "an answer (api.example, body $.mark of POST /conf)" in kept[PLACES["body"]]
    assert kept[PLACES["header"]] == "the client itself"
    assert any("TLS session tickets" in note for note in made[0]["notes"])


def test_the_report_shows_them_in_words(two):
    _, found = two
    result = messenger().model_copy(update={"reported": entries(found, b"k" * 32, str)})
    assert make_view(result).reported[0].notes
    page = render_html(result)
    assert "candidate identifiers" in page
    assert "ETag in the cache: outlives cookies" in page
    assert "TLS session tickets" in page


def test_a_value_of_the_subject_in_any_form_is_no_unknown(tmp_path):
    captures = []
    for number in (1, 2):
        mail = f"kim{number}.mercer@mail.example"
        hidden = base64.b64encode(f"mail:{mail}".encode()).decode()
        flows = [
            dumps.http_flow(headers=[(b"Host", b"a.example"), (b"X-Who", hidden.encode())])
            for _ in range(2)
        ]
        bundle = make_bundle(
            tmp_path / str(number), flows=flows, id=f"c{number}", install=f"i{number}",
            identifiers=[("email", mail)],
        )  # fmt: skip
        captures.append((bundle, read_capture(bundle, EvidenceContext(keeps_values=True))))
    known = known_by([bundle.identity for bundle, _ in captures])
    found = compare([capture for _, capture in captures], known)
    assert not found.candidates
    assert found.known == {"email": 1}


def device(value, times=2):
    return [
        dumps.http_flow(headers=[(b"Host", b"a.example"), (b"X-Device", value.encode())])
        for _ in range(times)
    ]


def test_passes_of_one_install_are_judged_together(tmp_path):
    values = {"a": "11223344aabbccdd", "b": "99887766ffeeddcc", "c": "0f1e2d3c4b5a6978"}
    pass_ = {"capture": values["a"], "other": values["b"]}
    captures = [
        recorded(tmp_path, 1, device(value), name=name) for name, value in pass_.items()
    ]  # two values in one install that began once: it does not stay
    captures.append(recorded(tmp_path, 2, device(values["c"])))
    assert not compare(captures, lambda _: None).candidates


def test_a_fresh_profile_counts_for_itself(tmp_path):
    journal = [line("app.install.clean", "recorder")]
    captures = [
        recorded(tmp_path, number, device(value), name=f"p{at}", journal=journal)
        for at, (number, value) in enumerate(
            [(1, "11223344aabbccdd"), (1, "99887766ffeeddcc"), (2, "0f1e2d3c4b5a6978")]
        )
    ]
    found = compare(captures, lambda _: None).candidates
    assert [one.places[0].key.location for one in found] == ["header x-device"]
    assert found[0].values["install-1"] == ("11223344aabbccdd", "99887766ffeeddcc")


def test_a_value_seen_once_in_each_of_two_passes_stays(tmp_path):
    captures = [
        recorded(tmp_path, number, device(value, times=1), name=f"{number}{pass_}")
        for number, value in ((1, "11223344aabbccdd"), (2, "99887766ffeeddcc"))
        for pass_ in ("a", "b")
    ]
    (found,) = compare(captures, lambda _: None).candidates
    assert found.is_proven
    assert found.places[0].exchanges == {"install-1": 2, "install-2": 2}


def test_one_install_is_refused_and_files_without_one_count_as_their_own():
    with pytest.raises(UsageError, match="two installs"):
        require_two([("install-1", "a", "d1"), ("install-1", "b", "d2")])
    require_two([("unknown", "a", "d1"), ("unknown", "b", "d2")])


def test_a_place_of_one_install_alone_is_counted(tmp_path):
    captures = [
        recorded(tmp_path, 1, device("11223344aabbccdd")),
        recorded(tmp_path, 2, [dumps.http_flow()]),
    ]
    found = compare(captures, lambda _: None)
    assert (found.candidates, found.alone) == ([], 1)


def test_the_order_of_captures_does_not_matter(tmp_path):
    values = {number: f"{number:02x}1f2e3d4c5b6a79" for number in (1, 2, 3)}
    captures = [recorded(tmp_path, number, device(value)) for number, value in values.items()]
    for order in permutations(captures):
        found = compare(order, lambda _: None)
        assert [dict(one.values) for one in found.candidates] == [
            {f"install-{number}": (value,) for number, value in values.items()}
        ]
