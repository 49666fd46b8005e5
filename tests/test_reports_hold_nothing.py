"""No output holds a canary, a token, the subject's address or a message, in any form the search knows."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from audit.bundle.identity import read_identity
from audit.identifiers.detector import Detector, text_payload
from audit.report.formats import FORMATS
from tests.conftest import ROOT, Demo, run_audit

SAMPLE = ROOT / "captures" / "sample"
BUNDLES = [
    SAMPLE,
    *(
        pytest.param(path.parent, marks=pytest.mark.system)
        for path in sorted((ROOT / "captures").glob("demo/*/identity.json"))
    ),
]
EVERY = ",".join(name for name in FORMATS if name != "pdf")


def tokens(bundle: Path) -> list[str]:
    """One-time tokens that the recorder planted at the taps."""
    lines = (bundle / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    planted = [json.loads(line).get("control") or {} for line in lines]
    return [control["token"] for control in planted if control.get("token")]


def held(bundles: Iterable[Path], outputs: Iterable[Path]) -> list[str]:
    """What outputs hold of the subjects of these recordings, every decoder on."""
    found = []
    for bundle in bundles:
        identity = read_identity(bundle / "identity.json")
        detector = Detector(identity, thorough=True)
        for path in outputs:
            data = path.read_bytes()
            result = detector.scan(text_payload(data))
            found += [f"{path.name}: {hit}" for hit in (*result.hits, *result.unsure)]
            found += [f"{path.name}: a token" for token in tokens(bundle) if token.encode() in data]
            assert result.truncated == (), path
    return found


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_no_output_over_a_recording_at_hand_holds_anything_of_the_subject(
    bundle: Path, tmp_path: Path
) -> None:
    ran = run_audit(
        "run", bundle, "--as-of", "2026-11-24T12:00:00Z", "--out", tmp_path, "--format", EVERY
    )
    assert (tmp_path / "index.html").is_file(), ran.err
    outputs = sorted(path for path in tmp_path.iterdir() if path.is_file())
    assert len(outputs) >= len(EVERY.split(","))
    assert held([bundle], outputs) == []


def test_the_search_of_outputs_would_find_what_slips_through(tmp_path: Path) -> None:
    page = (ROOT / "reports" / "sample" / "index.html").read_text(encoding="utf-8")
    values = {item.kind: item.value for item in read_identity(SAMPLE / "identity.json").identifiers}
    for kind in ("message", "address", "account_id", "phone"):
        coded = base64.b64encode(values[kind].encode()).decode()
        for number, text in enumerate((values[kind], coded)):
            leaky = tmp_path / f"{kind}-{number}.html"
            leaky.write_text(page.replace("</main>", f"<p>{text}</p></main>"), encoding="utf-8")
            assert held([SAMPLE], [leaky]), (kind, number)
    leaky.write_text(f"<p>{tokens(SAMPLE)[0]}</p>", encoding="utf-8")
    assert held([SAMPLE], [leaky]) == [f"{leaky.name}: a token"]


@pytest.mark.system
def test_no_report_of_a_fresh_demo_holds_anything_of_its_subjects(demo: Demo) -> None:
    outputs = [path for path in demo.reports.rglob("*") if path.is_file()]
    bundles = [path.parent for path in demo.captures.glob("*/identity.json")]
    assert len(bundles) >= 5
    assert len(outputs) >= 7
    assert held(bundles, outputs) == []
