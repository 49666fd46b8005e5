"""What is drawn: everything in time, and nothing that makes no sense."""

import random
import re
from collections import Counter

from audit.lab.addresses import TRACKERS, UNCONTACTED_NAME
from audit.lab.planter.__main__ import draw_run
from audit.lab.planter.containers import CONTAINERS
from audit.lab.planter.leaks import (
    HOSTS,
    PLACES,
    RAW_PLACES,
    Leak,
    draw_echo_leak,
    draw_leak,
    read_subjects,
)
from audit.lab.planter.sending import compose
from audit.tables.vocabulary import FORMS, KINDS
from tests.lab.journey import make_persona

PERSONA = {**make_persona(), "locale": "fr_FR", "address_v6": "2001:db8:77::5"}
SUBJECTS = read_subjects(PERSONA)
DRAWN = [draw_leak(random.Random(seed), SUBJECTS) for seed in range(4000)]


def test_subjects_are_the_known_kinds_of_the_persona() -> None:
    found = read_subjects({**PERSONA, "unknown": "x", "serial": "", "email": 7})
    kinds = {subject.kind for subject in found}
    assert kinds <= set(KINDS)
    assert not kinds & {"serial", "email"}
    assert [s.value for s in found if s.kind == "address"] == ["198.18.77.200", "2001:db8:77::5"]


def test_in_time_every_form_kind_container_and_place_is_drawn() -> None:
    assert {leak.form for leak in DRAWN} == set(FORMS)
    assert {leak.kind for leak in DRAWN} == {subject.kind for subject in SUBJECTS}
    assert set(CONTAINERS) <= {step for leak in DRAWN for step in leak.parcel.chain}
    assert {leak.place for leak in DRAWN} == set(PLACES)
    forms = Counter(leak.form for leak in DRAWN)
    assert min(forms.values()) > 40


def test_the_same_seed_draws_the_same() -> None:
    first, second = (draw_leak(random.Random(7), SUBJECTS) for _ in range(2))
    assert first == second


def test_recipients_are_contacted_hosts_only() -> None:
    hosts = {leak.recipient for leak in DRAWN if leak.place != "dns"}
    assert hosts == set(HOSTS)
    assert hosts < set(TRACKERS)
    assert not any(UNCONTACTED_NAME.endswith(host) for host in hosts)


def test_chains_stay_within_what_is_promised() -> None:
    assert max(len(leak.parcel.chain) for leak in DRAWN) <= 6
    for leak in DRAWN:
        if "br" in leak.parcel.chain:
            assert leak.parcel.chain[0] == "br"
            assert compose(leak, random.Random(1))[1]["Content-Encoding"] == "br"


def test_weak_values_stand_under_a_name_that_tells() -> None:
    for leak in DRAWN:
        if leak.kind in {"locale", "time_zone"}:
            assert leak.form in {"plain", "percent"}
            assert re.search("locale|zone", leak.field, re.IGNORECASE), leak
            assert leak.place in {"query", "header", "body", "websocket"}


def test_requests_are_well_formed() -> None:
    for leak in DRAWN:
        if leak.place in RAW_PLACES | {"websocket"}:
            continue
        target, headers, body = compose(leak, random.Random(1))
        assert re.fullmatch(r"/[!-~]*", target)
        assert all(re.fullmatch(r"[!-~](?:[ -~]*[!-~])?", value) for value in headers.values())
        assert (body is not None) == (leak.place == "body")
        assert (leak.method == "GET") == (body is None)


def test_labels_fit_into_names() -> None:
    labels = [leak.parcel.data for leak in DRAWN if leak.place == "dns"]
    assert len(labels) > 20
    assert all(re.fullmatch(rb"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?", label) for label in labels)


def test_the_note_holds_no_value() -> None:
    for leak in DRAWN[:500]:
        noted = str(leak.to_json())
        assert not any(subject.value in noted for subject in SUBJECTS if len(subject.value) > 6)


def test_the_echo_gets_a_plain_request() -> None:
    leak = draw_echo_leak(random.Random(3), SUBJECTS, "192.0.2.7:8080")
    assert (leak.scheme, leak.recipient, leak.method) == ("http", "192.0.2.7", "GET")


def test_a_run_uses_both_schemes_and_behind_a_proxy_nothing_else() -> None:
    for seed in range(50):
        run: list[Leak] = draw_run(random.Random(seed), SUBJECTS, count=12, proxied=True)
        assert {"http", "https"} == {leak.scheme for leak in run}
        run = draw_run(random.Random(seed), SUBJECTS, count=12, proxied=False)
        assert {"http", "https"} <= {leak.scheme for leak in run}


def test_an_encoding_right_around_a_plain_value_is_noted_as_its_form() -> None:
    for leak in DRAWN:
        noted = leak.to_json()
        assert noted["form"] in FORMS
        if noted["form"] != leak.form:
            assert leak.form in {"plain", "case"}
            assert (*noted["chain"], noted["form"]) == leak.parcel.chain
        elif leak.form in {"plain", "case"}:
            assert leak.parcel.chain[-1:] not in {("percent",), ("base64",)}
