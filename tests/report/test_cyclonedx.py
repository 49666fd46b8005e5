"""CycloneDX: valid by the published schema, read by a real consumer, references that lead somewhere."""

from __future__ import annotations

import json

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from audit.model.outcome import Outcome
from audit.report.cyclonedx import render_cyclonedx

from .variants import VARIANTS, attested

VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def document_of(result) -> dict:
    return json.loads(render_cyclonedx(result))


def references(node: object, key: str):
    if isinstance(node, dict):
        if isinstance(node.get(key), str):
            yield node[key]
        for value in node.values():
            yield from references(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from references(value, key)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_document_is_valid(name):
    problem = VALIDATOR.validate_str(render_cyclonedx(VARIANTS[name]()).decode())
    assert problem is None, str(problem.data.message)[:300] if problem else ""


def test_a_broken_document_is_not_valid(broken):
    document = document_of(broken)
    document["declarations"]["claims"][0]["verdict"] = "x"
    assert VALIDATOR.validate_str(json.dumps(document)) is not None


@pytest.mark.parametrize("name", VARIANTS)
def test_every_reference_leads_to_one_thing(name):
    document = document_of(VARIANTS[name]())
    known = list(references(document, "bom-ref"))
    assert len(known) == len(set(known))
    declared = document["declarations"]
    named = [
        ref for claim in declared["claims"] for ref in claim["evidence"] + claim["counterEvidence"]
    ]
    for attestation in declared["attestations"]:
        named.append(attestation["assessor"])
        for entry in attestation["map"]:
            named += [entry["requirement"], *entry["claims"], *entry["counterClaims"]]
    named += [claim["target"] for claim in declared["claims"]]
    assert set(named) <= set(known)


def test_a_score_is_for_what_was_decided(broken):
    document = document_of(broken)
    outcomes = {f"clause:{clause.id}": clause.outcome for clause in broken.clauses}
    (attestation,) = document["declarations"]["attestations"]
    assert len(attestation["map"]) == len(broken.clauses)
    for entry in attestation["map"]:
        score = entry["conformance"].get("score")
        assert score == {Outcome.PASS: 1, Outcome.FAIL: 0}.get(outcomes[entry["requirement"]])
        assert entry["conformance"]["rationale"]


def test_findings_are_counter_evidence_with_their_digest(broken):
    declared = document_of(broken)["declarations"]
    against = [ref for claim in declared["claims"] for ref in claim["counterEvidence"]]
    assert len(against) == 3
    one = next(item for item in declared["evidence"] if item["bom-ref"] == against[0])
    finding = broken.verdicts[0].findings[0]
    assert one["propertyName"] == f"fingerprint:{finding.fingerprint}"
    digest = broken.captures[1].digests["flows.mitm"]
    assert digest in one["data"][0]["contents"]["attachment"]["content"]
    assert one["data"][0]["name"] == finding.evidence[0].locator


def test_a_persons_word_has_an_author_and_an_end():
    declared = document_of(attested())["declarations"]
    (word,) = [one for one in declared["evidence"] if one["propertyName"] == "attestation"]
    assert word["author"] == {"name": "The operator (operator)"}
    assert word["expires"] == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize("name", ["broken", "attested", "hostile"])
def test_a_real_consumer_loads_it(name):
    result = VARIANTS[name]()
    bom = Bom.from_json(document_of(result))
    assert bom.metadata.component is not None
    assert bom.metadata.component.name
    standards = list(bom.definitions.standards)
    assert len(standards[0].requirements) == len(result.clauses)
