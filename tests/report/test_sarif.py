"""SARIF in full: valid by the published schema and by the rules that no schema holds."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from audit.model.outcome import Outcome
from audit.report.sarif import render_sarif

from . import results
from .variants import VARIANTS, attested, compared, waived

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text())
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


def log_of(result) -> dict:
    return json.loads(render_sarif(result))


def run_of(result) -> dict:
    (run,) = log_of(result)["runs"]
    return run


def problems(log: dict) -> list[str]:
    return [f"{list(error.path)}: {error.message[:200]}" for error in VALIDATOR.iter_errors(log)]


def regions(node: object):
    if isinstance(node, dict):
        if "region" in node:
            yield node["region"]
        for value in node.values():
            yield from regions(value)
    elif isinstance(node, list):
        for value in node:
            yield from regions(value)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_log_is_valid(name):
    log = log_of(VARIANTS[name]())
    assert problems(log) == []
    for region in regions(log):  # the published schema of OASIS asks for one of these
        assert {"startLine", "charOffset", "byteOffset"} & region.keys()


def test_a_broken_log_is_not_valid(broken):
    log = log_of(broken)
    log["runs"][0]["results"][0]["kind"] = "failed"
    log["runs"][0]["results"][1].pop("message")
    assert len(problems(log)) == 2


def test_every_outcome_has_its_kind_and_only_a_fail_has_a_level(broken):
    kinds = {
        Outcome.PASS: "pass",
        Outcome.FAIL: "fail",
        Outcome.INCONCLUSIVE: "open",
        Outcome.NOT_OBSERVABLE: "review",
        Outcome.NOT_APPLICABLE: "notApplicable",
    }
    run = run_of(broken)
    by_rule: dict[str, list[dict]] = {}
    for one in run["results"]:
        by_rule.setdefault(one["ruleId"], []).append(one)
        assert (one["level"] == "none") == (one["kind"] != "fail")
    for verdict in broken.verdicts:
        found = [one for one in by_rule[verdict.check] if one["kind"] != "informational"]
        assert {one["kind"] for one in found} == {kinds[verdict.outcome]}
        assert len(found) == max(1, len(verdict.findings))
    assert [one["kind"] for one in run["results"]].count("informational") == len(broken.reported)


def test_severities_become_levels():
    run = run_of(results.misbehaving(3))
    levels = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
    seen = {
        (one["properties"]["severity"], one["level"])
        for one in run["results"]
        if one["kind"] == "fail"
    }
    assert seen
    assert all(levels[severity] == level for severity, level in seen)


def test_a_check_that_is_not_stable_is_a_note(broken):
    verdicts = [
        verdict.model_copy(update={"status": "experimental"}) for verdict in broken.verdicts
    ]
    run = run_of(broken.model_copy(update={"verdicts": verdicts}))
    assert {one["level"] for one in run["results"] if one["kind"] == "fail"} == {"note"}


def test_rules_hold_quote_reading_and_taxa(broken):
    run = run_of(broken)
    assert len(run["tool"]["driver"]["rules"]) == len(broken.verdicts)
    for index, (rule, verdict) in enumerate(
        zip(run["tool"]["driver"]["rules"], broken.verdicts, strict=True)
    ):
        assert rule["id"] == verdict.check
        assert verdict.quote in rule["help"]["text"]
        assert verdict.reading in rule["help"]["text"]
        named = {item["target"]["id"] for item in rule["relationships"]}
        assert named == {verdict.clause, *verdict.references}
        for one in run["results"]:
            if one["ruleId"] == verdict.check:
                assert one["ruleIndex"] == index


def test_references_to_taxa_lead_to_them(broken):
    run = run_of(broken)
    targets = [
        r["target"] for rule in run["tool"]["driver"]["rules"] for r in rule["relationships"]
    ]
    targets += [taxon for one in run["results"] for taxon in one.get("taxa", [])]
    for target in targets:
        taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
        assert taxonomy["name"] == target["toolComponent"]["name"]
        assert taxonomy["taxa"][target["index"]]["id"] == target["id"]
    names = {taxonomy["name"] for taxonomy in run["taxonomies"]}
    assert names == {"session clauses", "GDPR", "MASVS", "dpv", "fideslang"}
    assert len(run["taxonomies"][0]["taxa"]) == len(broken.clauses)


def test_a_location_leads_to_the_bytes(broken):
    """File of the bundle, record and part as a nested artifact, the range inside that part."""
    run = run_of(broken)
    first = next(one for one in run["results"] if one["kind"] == "fail")
    evidence = broken.verdicts[0].findings[0].evidence
    for location, one in zip(first["locations"], evidence, strict=True):
        place = location["physicalLocation"]
        part = run["artifacts"][place["artifactLocation"]["index"]]
        file = run["artifacts"][part["parentIndex"]]
        assert file["location"] == {"uri": one.file, "uriBaseId": one.capture}
        assert one.capture in run["originalUriBaseIds"]
        capture = next(item for item in broken.captures if item.id == one.capture)
        assert file["hashes"] == {"sha-256": capture.digests[one.file]}
        start, end = map(int, one.locator.rpartition("@")[2].split("-"))
        assert place["region"] == {"byteOffset": start, "byteLength": end - start}
        assert part["location"]["uri"] == f"{one.record}/{one.part}"
        assert location["properties"]["locator"] == one.locator
    assert first["locations"][1]["properties"]["packets"] == [17, 18]
    assert first["locations"][0]["properties"]["records"] == [3]


def test_waivers_are_suppressions_by_their_state():
    run = run_of(waived())
    found = [one["suppressions"] for one in run["results"] if one["kind"] == "fail"]
    assert [[(s["kind"], s["status"]) for s in each] for each in found] == [
        [("external", "accepted")],
        [("external", "rejected"), ("external", "underReview")],
        [],
    ]
    assert "mended in 1.15. Owner net-team" in found[0][0]["justification"]
    assert all("suppressions" in one for one in run["results"])  # all or none (§3.27.23)


def test_a_baseline_gives_every_result_its_state():
    run = run_of(compared())
    fails = [one for one in run["results"] if one["kind"] == "fail"]
    states = [one["baselineState"] for one in fails]
    assert states == ["unchanged", "new", "unchanged", "absent", "absent"]
    assert all("baselineState" in one for one in run["results"])
    assert fails[3]["message"]["text"].startswith("No longer found: ")
    assert "it was not exercised" in fails[4]["message"]["text"]
    updated = {one["ruleId"] for one in run["results"] if one["baselineState"] == "updated"}
    assert "session.app.identity-in-onion" in updated


def test_without_a_baseline_no_result_has_a_state(broken):
    assert not [one for one in run_of(broken)["results"] if "baselineState" in one]


def test_the_invocation_tells_exit_code_and_gaps(broken):
    (call,) = run_of(broken)["invocations"]
    assert call["exitCode"] == broken.gate.exit_code
    assert call["endTimeUtc"] == broken.as_of
    (asked,) = run_of(attested())["invocations"]
    assert asked["exitCode"] == 0
    assert asked["properties"]["gate"]["exit_code"] == 4
    capture = broken.captures[0].model_copy(update={"truncated": ["the last packet is cut"]})
    (cut,) = run_of(broken.model_copy(update={"captures": [capture]}))["invocations"]
    assert cut["toolExecutionNotifications"] == [
        {"level": "warning", "message": {"text": "the last packet is cut"}}
    ]


def test_fingerprints_are_the_findings_own(broken):
    mine = [f.fingerprint for verdict in broken.verdicts for f in verdict.findings]
    run = run_of(broken)
    assert [
        one["partialFingerprints"]["audit/v1"] for one in run["results"] if one["kind"] == "fail"
    ] == mine


def test_pseudonyms_are_told_as_redaction(broken):
    assert run_of(broken)["redactionTokens"] == [
        "[account_id:1f3a9c]", "[address:5d2c81]", "[contact_id:77b0e2]",
    ]  # fmt: skip


def test_no_path_leaves_its_base():
    for name in ("hostile", "surrogates"):
        run = run_of(VARIANTS[name]())
        for artifact in run["artifacts"]:
            uri = artifact["location"]["uri"]
            assert not uri.startswith("/")
            assert ".." not in uri.split("/")
            assert ":" not in uri
            assert ("uriBaseId" in artifact["location"]) == ("parentIndex" not in artifact)


def test_messages_hold_no_link_and_no_placeholder():
    from audit.report.sarif_log import message

    assert message("[a](javascript:x) {0}")["text"] == "[a] (javascript:x) {{0}}"
    assert message("\u202e\x1b")["text"] == "[U+202E][U+001B]"
    assert message("")["text"]


@pytest.mark.filterwarnings("ignore")  # of the consumer's own libraries
@pytest.mark.parametrize("name", ["broken", "waived", "hostile", "surrogates"])
def test_a_real_consumer_counts_the_same(name, tmp_path):
    from sarif.loader import load_sarif_file

    path = tmp_path / "result.sarif"
    path.write_bytes(render_sarif(VARIANTS[name]()))
    loaded = load_sarif_file(str(path))
    log = json.loads(path.read_text())
    assert loaded.get_result_count() == len(log["runs"][0]["results"])
    errors = [one for one in log["runs"][0]["results"] if one["level"] == "error"]
    assert len([one for one in loaded.get_records() if one["Severity"] == "error"]) == len(errors)
    assert {record["Tool"] for record in loaded.get_records()} == {
        log["runs"][0]["tool"]["driver"]["name"]
    }
