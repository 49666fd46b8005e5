"""The shipped targets: what is known of each client, where it was read, and that names mean nothing."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import pytest

from audit.checks.load import load_policy
from audit.checks.policy import Policy, Target
from audit.checks.targets import load_target, target_names
from tests.conftest import run_audit

ROOT = Path(__file__).parents[2]
POLICIES = {name: ROOT / "policies" / name for name in ("session", "generic")}
TARGETS = [(policy, name) for policy, folder in POLICIES.items() for name in target_names(folder)]
OFFICIAL = [
    "session-desktop", "session-android-play", "session-android-fdroid",
    "session-android-website", "session-ios",
]  # fmt: skip


@cache
def policy(name: str) -> Policy:
    return load_policy(POLICIES[name])


def target(name: str, of: str = "session") -> Target:
    return load_target(policy(of), name)


@pytest.mark.parametrize(("of", "name"), TARGETS)
def test_a_target_is_named_as_its_folder(of: str, name: str) -> None:
    assert target(name, of).file.app.name == name


def test_no_name_of_a_target_stands_in_two_policies() -> None:
    names = [name for _, name in TARGETS]
    assert len(names) == len(set(names))


def test_no_target_widens_what_the_pack_fixes() -> None:
    for of, name in TARGETS:
        assert set(target(name, of).file.vars) <= {"vpn_iface"}, name


@pytest.mark.parametrize("name", OFFICIAL)
def test_every_fact_of_an_official_client_names_its_source(name: str) -> None:
    baseline = target(name).file.baseline
    assert baseline is not None
    assert "commit" in baseline.of
    assert len(baseline.facts) >= 20
    assert all(fact.source for fact in baseline.facts)
    assert target(name).file.app.official


@pytest.mark.parametrize("name", OFFICIAL)
def test_hosts_that_an_official_client_needs_are_the_packs(name: str) -> None:
    baseline = target(name).file.baseline
    assert baseline is not None
    known = {
        host
        for variable in ("seed_hosts", "needed_hosts", "push_hosts")
        for host in policy("session").pack.vars[variable].default
    } | set(policy("session").lists["stun-turn-hosts"].values)
    own = {
        fact.name
        for fact in baseline.facts
        if fact.kind == "endpoint" and fact.name.endswith(".getsession.org")
    }
    assert own - known <= {"live.apns.getsession.org"}


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_constant_user_agent_is_the_packs(name: str) -> None:
    baseline = target(name).file.baseline
    assert baseline is not None
    (agent,) = [fact for fact in baseline.facts if fact.name == "user agent"]
    assert agent.value.split(",")[0] in policy("session").pack.vars["official_user_agents"].default


def test_desktop_and_android_pin_the_same_certificates_of_the_seeds() -> None:
    def pins(name: str) -> set[tuple[str, str]]:
        baseline = target(name).file.baseline
        assert baseline is not None
        return {
            (fact.name, fact.value.split()[-1])
            for fact in baseline.facts
            if fact.kind == "pin" and "certificate sha256" in fact.value
        }

    assert len(pins("session-desktop")) == 3
    assert pins("session-desktop") == pins("session-android-play")


def test_only_builds_with_a_push_library_can_register_for_push() -> None:
    can = {name: target(name).can("app.push.register") for name in OFFICIAL}
    assert can == {
        "session-desktop": False,
        "session-android-play": True,
        "session-android-fdroid": True,
        "session-android-website": False,
        "session-ios": True,
    }


def test_another_name_of_a_target_changes_no_verdict(tmp_path: Path) -> None:
    """The sample, judged as the target it names and as a copy under another name."""
    folder = tmp_path / "other-name"
    shutil.copytree(ROOT / "policies/session/targets/sessionpy-messenger", folder)
    text = (folder / "target.yaml").read_text()
    (folder / "target.yaml").write_text(text.replace("name: sessionpy-messenger", "name: other"))
    verdicts = []
    for number, arguments in enumerate([[], ["--target", folder]]):
        out = tmp_path / str(number)
        ran = run_audit(
            "run", ROOT / "captures/sample", "--as-of", "2026-11-24T12:00:00Z", "--out", out,
            "--format", "json", *arguments,
        )  # fmt: skip
        assert ran.code == 1, ran.err
        result = json.loads((out / "result.json").read_text())
        verdicts.append([result["verdicts"], result["gate"], result["reported"]])
    assert verdicts[0] == verdicts[1]
