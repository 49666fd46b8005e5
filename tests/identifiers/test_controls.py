"""Every decoder has a control, and a decoder that does not work loses it."""

from __future__ import annotations

import pytest

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers import compression, decoders, frames, runs
from audit.identifiers.detector import Detector
from audit.identifiers.needles import DIGESTS
from audit.tables.vocabulary import FORMS
from tests.identifiers.planting import SUBJECT

IDENTITY = make_identity([Identifier(kind, value) for kind, value in SUBJECT.items()])
DETECTOR = Detector(IDENTITY)
DESIGNED = ("gzip", "zlib", "deflate", "br", "zstd", "json", "form", "multipart", "protobuf", "msgpack", "cbor", "jwt", "data-url", "zip")  # fmt: skip
"""Containers of the design, section 5."""


def nothing(*_arguments, **_named):
    return iter(())


def none(*_arguments):
    return None


REGISTRIES = [
    (decoders.CONTAINERS, nothing),
    (decoders.ESCAPES, nothing),
    (runs.RUN_DECODERS, nothing),
    (frames.READERS, none),
    (compression.INFLATERS, none),
]


def test_every_form_has_a_control():
    assert {control.form for control in DETECTOR.controls()} >= set(FORMS)


def test_every_container_has_a_control():
    names = {control.name for control in DETECTOR.controls()}
    assert names >= {f"container {name}" for name in DESIGNED}


def test_every_identifier_of_the_subject_has_a_control():
    names = [control.name for control in DETECTOR.controls()]
    assert {f"identifier {kind}" for kind in SUBJECT} <= set(names)


def test_all_controls_are_found_with_an_empty_subject_too():
    for detector in (DETECTOR, Detector(make_identity([]))):
        assert [control.name for control in detector.controls() if not control.found] == []


@pytest.mark.parametrize(
    ("registry", "broken", "name"),
    [(registry, broken, name) for registry, broken in REGISTRIES for name in registry],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_decoder_that_finds_nothing_loses_a_control(monkeypatch, registry, broken, name):
    monkeypatch.setitem(registry, name, broken)
    assert [control.name for control in DETECTOR.controls() if not control.found]


@pytest.mark.parametrize("name", DIGESTS)
def test_a_digest_that_is_not_searched_for_loses_a_control(monkeypatch, name):
    monkeypatch.delitem(DIGESTS, name)
    lost = [control.name for control in Detector(IDENTITY).controls() if not control.found]
    assert name in lost


def test_controls_are_the_same_on_every_run():
    assert DETECTOR.controls() == Detector(IDENTITY).controls()


def test_planted_controls_are_no_hits_of_the_subject():
    from audit.identifiers.controls import make_controls
    from audit.identifiers.detector import text_payload

    planted = make_controls(DETECTOR._known, len(IDENTITY.identifiers))
    artificial = [item for item in planted if item.value >= len(IDENTITY.identifiers)]
    results = DETECTOR.scan_all([text_payload(item.data, item.location) for item in artificial])
    assert not any(result.hits for result in results)
