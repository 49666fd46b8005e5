"""What the detector finds, and what it must not."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json

import pytest

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers.detector import Detector, text_payload
from audit.identifiers.redaction import Redactor

EMAIL = "marvin.k7@canary.example"
ADDRESS = "198.18.3.7"
IDENTITY = make_identity(
    [
        Identifier("email", EMAIL),
        Identifier("address", ADDRESS),
        Identifier("locale", "en-US"),
        Identifier("message", "meet me at the quay tonight 8812"),
    ]
)


@pytest.fixture(scope="module")
def detector():
    return Detector(IDENTITY)


def test_a_digest_inside_base64_inside_json_inside_gzip_is_found_with_its_way(detector):
    digest = hashlib.sha256(EMAIL.encode()).digest()
    body = gzip.compress(json.dumps({"user": {"k": base64.b64encode(digest).decode()}}).encode())
    (hit,) = detector.scan(text_payload(body)).hits
    assert (hit.kind, hit.form, hit.chain) == ("email", "sha256", ("gzip", "json", "base64"))
    assert (hit.location, hit.start, hit.end) == ("body $.user.k", 0, len(body))


def test_a_value_of_low_entropy_counts_where_its_place_gives_it_meaning(detector):
    assert detector.scan(text_payload(b'{"lang":"en-US"}')).hits
    result = detector.scan(text_payload(b"the text says en-US somewhere"))
    assert not result.hits
    assert [hit.unsure for hit in result.unsure] == [True]


def test_a_version_that_reads_like_the_address_is_no_hit(detector):
    assert not detector.scan(text_payload(b"Mozilla/5.0 Chrome/198.18.3.7 Safari/537")).hits


def test_all_controls_are_found(detector):
    assert [item.name for item in detector.controls() if not item.found] == []


def test_a_redacted_text_holds_no_value_and_stays_json():
    redactor = Redactor(IDENTITY)
    text = json.dumps({"a": EMAIL, "b": base64.b64encode(ADDRESS.encode()).decode()})
    blanked = redactor.text(text)
    assert set(json.loads(blanked)) == {"a", "b"}
    assert redactor.text(blanked) == blanked
    assert not Detector(IDENTITY).scan(text_payload(blanked.encode())).hits
