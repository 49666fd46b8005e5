"""Releases of one real client, recorded in the lab, through the gate: broken, mended, worse again."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import ROOT, Demo, Ran, call_audit, run_audit

pytestmark = [pytest.mark.system]

CLIENT = "sessionpy-messenger"
TARGET = ROOT / "policies/session/targets" / CLIENT
CHECK = "session.app.user-agent-generic"
MENDED = """\
# The same client, its user agent set to the constant of the official ones before it sends anything.
import runpy
import sys
from pathlib import Path

import requests.utils

requests.utils.default_user_agent = lambda *_: "WhatsApp"
sys.argv[0] = str(Path(__file__).with_name("published.py"))
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SILENT = (
    MENDED.split("sys.argv[0] =", maxsplit=1)[0]
    + """\
# It makes an account and asks for messages once; nothing is sent, so nothing is exercised.
driver = runpy.run_path(str(Path(__file__).with_name("published.py")), run_name="driver")
if sys.argv[1] == "client":
    from sessionpy import Poller

    driver["trust_lab"]()
    driver["limit"](60, "asking for messages")
    driver["open_account"]().add_poller(Poller()).poll()
"""
)
GATE = """\
schema: audit/gate@1
fail_on: {severity: medium}
require:
  verdicts:
    critical: [pass]
    high: [pass, not_observable+attested]
    medium: [pass, inconclusive, not_observable+attested]
attestations: {file: attestations.yaml}
"""
ATTESTATIONS = """\
schema: audit/attestations@1
attestations:
  - {check: session.app.no-tracking-records, statement: None is kept., by: A. Person, role: operator, signed: {signed}, valid_until: {until}, evidence: [statement.pdf]}
  - {check: session.app.nothing-left-behind, statement: Nothing is left., by: B. Person, role: vendor, signed: {signed}, valid_until: {until}, evidence: [statement.pdf]}
  - {check: session.app.sharing-off-by-default, statement: All are off., by: B. Person, role: vendor, signed: {signed}, valid_until: {until}, evidence: [statement.pdf]}
  - {check: session.seed.address-not-recorded, statement: None is kept., by: A. Person, role: operator, signed: {signed}, valid_until: {until}, evidence: [statement.pdf]}
"""


def make_target(folder: Path, driver: str | None) -> Path:
    """Copy the published target; a driver of one's own finds the published one beside it."""
    target = Path(shutil.copytree(TARGET, folder / CLIENT))
    if driver is not None:
        (target / "driver.py").rename(target / "published.py")
        (target / "driver.py").write_text(driver)
    return target


def record(folder: Path, driver: str | None, pass_: str) -> list[Path]:
    ran = run_audit(
        "record", "--target", make_target(folder, driver), "--lab", "--pass", pass_,
        "--name", folder.name, "--out", folder / "captures",
    )  # fmt: skip
    assert ran.code == 0, ran.out + ran.err
    return sorted((folder / "captures").iterdir(), reverse=True)


@pytest.fixture(scope="module")
def releases(demo: Demo, tmp_path_factory) -> dict[str, list[Path]]:
    """Release -> its captures; the first is the demo's own."""
    made = {"mended": (MENDED, "both"), "again": (None, "both"), "silent": (SILENT, "passive")}
    base = tmp_path_factory.mktemp("releases")
    with ThreadPoolExecutor(2) as pool:
        jobs = {name: pool.submit(record, base / name, *how) for name, how in made.items()}
        found = {name: job.result() for name, job in jobs.items()}
    return found | {
        "first": [demo.captures / f"{CLIENT}-{one}" for one in ("passive", "intercepted")]
    }


@pytest.fixture(scope="module")
def gate(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gate")
    (folder / "gate.yaml").write_text(GATE)
    today = datetime.now(UTC).date()
    dates = {"signed": today - timedelta(days=1), "until": today + timedelta(days=90)}
    text = ATTESTATIONS.replace("{signed}", str(dates["signed"]))
    (folder / "attestations.yaml").write_text(text.replace("{until}", str(dates["until"])))
    return folder / "gate.yaml"


@pytest.fixture(scope="module")
def judged(releases, gate, tmp_path_factory):
    """Judge a release, against a baseline if one is named; each call once."""
    out = tmp_path_factory.mktemp("reports")
    done: dict[tuple, tuple[Ran, Path]] = {}

    def run(name: str, baseline: str | None = None, *more: object) -> tuple[Ran, Path]:
        key = (name, baseline, *more)
        if key not in done:
            against = ("--baseline", judged_of(baseline)) if baseline else ()
            folder = out / f"{len(done)}"
            done[key] = (
                call_audit(
                    "run", *releases[name], "--gate", gate, *against, *more, "--out", folder
                ),
                folder,
            )
        return done[key]

    def judged_of(name: str) -> Path:
        return run(name)[1] / "result.json"

    return run


def result_of(folder: Path) -> dict:
    return json.loads((folder / "result.json").read_text())


def differ(old: Path, new: Path) -> tuple[int, dict]:
    ran = call_audit("diff", old, new, "--json")
    return ran.code, json.loads(ran.out)


def test_the_first_release_is_blocked_for_its_user_agent(judged) -> None:
    ran, folder = judged("first")
    assert ran.code == 1, ran.out + ran.err
    assert result_of(folder)["gate"]["reasons"] == [f"{CHECK} is fail, medium: 2 findings"]


def test_the_mended_release_is_green_and_the_diff_names_what_was_fixed(judged) -> None:
    ran, folder = judged("mended", "first")
    assert ran.code == 0, ran.out + ran.err
    result = result_of(folder)
    assert result["gate"]["reasons"] == []
    assert (result["baseline"]["fixed"], result["baseline"]["new"]) == (2, 0)
    code, diff = differ(judged("first")[1], folder)
    assert code == 0
    assert {one["check"] for one in diff["findings"]["fixed"]} == {CHECK}
    assert len(diff["findings"]["fixed"]) == 2
    assert diff["findings"]["new"] == diff["findings"]["not_seen"] == diff["coverage_loss"] == []
    assert diff["transitions"]["fail"]["pass"] == 1


def test_the_policys_own_gate_is_green_without_anybodys_word(releases, tmp_path: Path) -> None:
    ran = call_audit("run", *releases["mended"], "--policy", "session", "--out", tmp_path / "out")
    assert ran.code == 0, ran.out + ran.err


def test_without_the_attestations_the_mended_release_is_unproven(
    releases, gate, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text("schema: audit/attestations@1\nattestations: []\n")
    ran = run_audit(
        "run", *releases["mended"], "--gate", gate, "--attestations", tmp_path / "a.yaml",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert ran.code == 4, ran.out + ran.err


def test_a_release_that_leaks_again_is_blocked(judged) -> None:
    ran, folder = judged("again", "mended")
    assert ran.code == 1, ran.out + ran.err
    findings = [f for v in result_of(folder)["verdicts"] for f in v["findings"]]
    assert {finding["baseline"] for finding in findings} == {"new"}
    assert differ(judged("mended")[1], folder)[0] == 1


def test_a_release_that_was_not_exercised_is_a_coverage_loss(judged) -> None:
    ran, folder = judged("silent", "mended")
    assert ran.code == 4, ran.out + ran.err
    lost = {one["check"] for one in result_of(folder)["baseline"]["coverage_loss"]}
    assert CHECK in lost
    assert "coverage loss" in ran.out
    code, diff = differ(judged("mended")[1], folder)
    assert code == 4
    assert diff["transitions"]["pass"]["inconclusive"] > 0


def test_a_leak_that_nobody_looked_for_is_not_called_fixed(judged) -> None:
    code, diff = differ(judged("first")[1], judged("silent")[1])
    assert code == 4
    assert diff["findings"]["fixed"] == []
    assert len(diff["findings"]["not_seen"]) == 2


def test_two_recordings_of_one_release_have_the_same_findings(judged) -> None:
    code, diff = differ(judged("first")[1], judged("again")[1])
    assert code == 0
    assert (
        diff["findings"]["new"] == diff["findings"]["fixed"] == diff["findings"]["not_seen"] == []
    )
    assert len(diff["findings"]["unchanged"]) == 2
    assert diff["coverage_loss"] == diff["removed_checks"] == diff["policy_drift"] == []


def test_new_only_accepts_what_was_known_and_nothing_else(judged, gate) -> None:
    old = gate.with_name("new-only.yaml")
    old.write_text(
        GATE.replace(
            "    medium: [pass, inconclusive, not_observable+attested]\n",
            "compare: {new_only: true}\n",
        )
    )
    assert judged("again", "first", "--gate", old)[0].code == 0
    assert judged("again", "mended", "--gate", old)[0].code == 1


def test_a_finding_of_some_recordings_is_called_flaky(releases, tmp_path: Path) -> None:
    """Two recordings of the leaking client and one of the mended, as if they were one release."""
    captures = [releases[name][1] for name in ("again", "first", "mended")]
    ran = call_audit("run", *captures, "--policy", "session", "--out", tmp_path / "out")
    assert ran.code == 1, ran.out + ran.err
    result = result_of(tmp_path / "out")
    seen = [
        finding["recordings"]
        for verdict in result["verdicts"]
        for finding in verdict["findings"]
        if finding["expectation"] == "allowed-constant"
    ]
    assert seen == [[2, 3], [2, 3]]
    ran = call_audit("diff", tmp_path / "out", tmp_path / "out")
    assert "flaky 2/3" in ran.out


def test_exit_zero_is_said_and_written(judged) -> None:
    ran, folder = judged("first", None, "--exit-zero")
    assert ran.code == 0
    assert "--exit-zero" in ran.out
    gate = result_of(folder)["gate"]
    assert (gate["exit_code"], gate["exit_zero"]) == (1, True)


def test_a_waiver_covers_the_finding_it_names_until_it_expires(
    releases, judged, tmp_path: Path
) -> None:
    _, folder = judged("first")
    verdict = next(v for v in result_of(folder)["verdicts"] if v["check"] == CHECK)
    entries = [
        {
            "id": f"W-{number}", "check": CHECK, "where": finding["columns"], "reason": "mended in 0.2",
            "owner": "net-team", "approved_by": "privacy-lead", "created": "2098-01-01", "expires": "2098-03-01",
        }
        for number, finding in enumerate(verdict["findings"], start=1)
    ]  # fmt: skip
    waivers = tmp_path / "waivers.yaml"

    def run(name: str, as_of: str) -> int:
        waivers.write_text(json.dumps({"schema": "audit/waivers@1", "waivers": entries}, indent=1))
        return run_audit(
            "run", *releases["first"], "--waivers", waivers, "--as-of", as_of, "--out", tmp_path / name
        ).code  # fmt: skip

    assert run("in-force", "2098-02-01") == 0
    assert run("expired", "2098-04-01") == 5


@pytest.mark.parametrize(
    ("option", "text", "line"),
    [
        ("--gate", "schema: audit/gate@1\nfail_on: {severity: loud}\n", 2),
        ("--waivers", "schema: audit/waivers@1\nwaivers:\n  - {id: W}\n", 3),
        ("--attestations", "schema: audit/attestations@1\nattestations: 1\n", 2),
        ("--baseline", '{"schema":\n "audit/result@1", oops', 2),
    ],
)
def test_a_wrong_file_of_the_gate_judges_nothing(
    releases, tmp_path: Path, option: str, text: str, line: int
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text)
    ran = call_audit("run", *releases["first"], option, wrong, "--out", tmp_path / "out")
    assert ran.code == 2
    assert f"wrong.yaml:{line}" in ran.err
    assert not (tmp_path / "out").exists()


def test_a_baseline_of_another_client_is_refused(releases, demo: Demo, tmp_path: Path) -> None:
    other = demo.reports / "session-python/result.json"
    ran = call_audit("run", *releases["first"], "--baseline", other, "--out", tmp_path / "out")
    assert ran.code == 2
    assert "another target" in ran.err


def test_a_check_beyond_the_gates_limit_is_an_error(releases, tmp_path: Path) -> None:
    small = tmp_path / "gate.yaml"
    small.write_text("schema: audit/gate@1\nlimits: {rows_a_check: 3}\n")
    ran = call_audit("run", *releases["first"], "--gate", small, "--out", tmp_path / "out")
    assert ran.code == 3
    assert "limits.rows_a_check" in ran.err


def test_the_history_of_three_releases_shows_the_trend(judged, tmp_path: Path) -> None:
    folders = [judged(name)[1] for name in ("first", "mended", "again")]
    ran = run_audit(
        "history", *folders, "--db", tmp_path / "h.sqlite", "--svg", tmp_path / "t.svg", "--json"
    )
    assert ran.code == 0, ran.err
    (client,) = json.loads(ran.out)["clients"]
    assert sorted(one["exit_code"] for one in client["releases"]) == [0, 1, 1]
    assert (tmp_path / "t.svg").read_text().count("<g>") == 3
    shown = call_audit("history", "--db", tmp_path / "h.sqlite")
    assert len(shown.out.strip().splitlines()) == 5
    assert call_audit("history", "--db", tmp_path / "none.sqlite").code == 2
