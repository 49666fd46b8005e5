"""No output holds a value of the subject: real recordings, every format, every decoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from audit.authoring.schema import schema_of
from audit.bundle.folder import Bundle, open_bundle
from audit.bundle.identity import Identity
from audit.identifiers.detector import Detector
from audit.report.formats import FORMATS
from audit.tables.extract import Payload
from audit.tables.reference import Reference
from tests.conftest import ROOT, Demo, run_audit

from .test_cyclonedx import VALIDATOR
from .test_junit import XSD
from .test_sarif import problems

pytestmark = pytest.mark.system
OUTPUTS = [one for one in FORMATS.values() if one.name != "pdf"]
"""The PDF is the page, printed; the page is scanned."""
NAMES = ",".join(one.name for one in OUTPUTS)
SAMPLE = ROOT / "captures" / "sample"


def secrets_of(bundle: Bundle) -> Identity:
    """All but what every output may hold by chance: ``en`` and ``UTC`` are no secrets."""
    known = [one for one in bundle.identity.identifiers if one.kind not in {"locale", "time_zone"}]
    return Identity(tuple(known))


def kinds_in(detector: Detector, data: bytes) -> list[str]:
    payload = Payload(
        table="http_requests", row=0, location="body", detail="", direction="sent", data=data,
        ref=Reference(file="x"),
    )  # fmt: skip
    return [hit.kind for hit in detector.scan(payload).hits]


def assert_clean(folder: Path, bundles: list[Bundle]) -> None:
    files = {one.file for one in OUTPUTS}
    assert files <= {path.name for path in folder.iterdir()}
    for bundle in bundles:
        secrets = secrets_of(bundle)
        detector = Detector(secrets, thorough=True)
        tokens = [line.control["token"] for line in bundle.journal if line.control]
        for name in sorted(files):
            data = (folder / name).read_bytes()
            assert kinds_in(detector, data) == [], name
            assert not [token for token in tokens if token and token.encode() in data], name
        value = next(one.value for one in secrets.identifiers if one.kind == "account_id")
        planted = (folder / "result.json").read_bytes() + f' "{value}"'.encode()
        assert "account_id" in kinds_in(detector, planted)  # the detector is alive


def assert_valid(folder: Path) -> None:
    """By the schemas: of the result, of SARIF, of JUnit, of CycloneDX."""
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert [e.message for e in Draft202012Validator(schema_of("result")).iter_errors(result)] == []
    for name in ("result.sarif", "result.github.sarif"):
        assert problems(json.loads((folder / name).read_text(encoding="utf-8"))) == []
    XSD.assertValid(etree.parse(str(folder / "junit.xml")))
    assert VALIDATOR.validate_str((folder / "declarations.cdx.json").read_text()) is None


def test_no_output_of_the_sample_holds_a_value_of_the_subject(tmp_path: Path) -> None:
    ran = run_audit("run", SAMPLE, "--out", tmp_path, "--format", NAMES)
    assert ran.code == 1, ran.err
    assert_valid(tmp_path)
    assert_clean(tmp_path, [open_bundle(SAMPLE)])


@pytest.mark.parametrize("name", ["session-python", "sessionpy-messenger", "misbehaving"])
def test_no_output_of_the_demo_holds_a_value_of_the_subject(
    demo: Demo, name: str, tmp_path: Path
) -> None:
    ran = run_audit("report", demo.reports / name, "--format", NAMES, "--out", tmp_path)
    assert ran.code == 0, ran.err
    assert_valid(tmp_path)
    assert_clean(
        tmp_path,
        [open_bundle(path.parent) for path in demo.captures.glob(f"{name}-*/capture.json")],
    )
