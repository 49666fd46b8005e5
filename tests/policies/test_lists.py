"""The named lists: what each value is, whose, and where that was read."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.checks.load import load_policy
from audit.yamlfile import lists
from audit.yamlfile.loader import load_yaml
from audit.yamlfile.validate import parse_model

ROOT = Path(__file__).parents[2] / "policies"
FILES = sorted(ROOT.glob("*/lists/*.yaml"))


def read(path: Path) -> lists.ListFile:
    return parse_model(load_yaml(path), lists.ListFile, lists.SCHEMA)


def values(name: str) -> set[str]:
    return {entry.value for entry in read(ROOT / "session/lists" / f"{name}.yaml").entries}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_entry_has_owner_purpose_and_source(path: Path) -> None:
    file = read(path)
    assert file.date
    for entry in file.entries:
        assert entry.owner, entry
        assert entry.purpose, entry
        assert entry.source, entry


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_no_entry_stands_twice_or_below_another(path: Path) -> None:
    names = [entry.value for entry in read(path).entries]
    assert len(names) == len(set(names))
    above = {
        name: parent
        for name in names
        for cut in range(1, name.count("."))
        if (parent := name.split(".", cut)[cut]) in names
    }
    assert not above


def test_telemetry_services_are_many_and_of_many_owners() -> None:
    entries = read(ROOT / "session/lists/telemetry-hosts.yaml").entries
    assert len(entries) >= 150
    assert len({entry.owner for entry in entries}) >= 80


def test_no_needed_host_stands_on_a_list_of_telemetry() -> None:
    policy = load_policy(ROOT / "session")
    needed = {
        host
        for name in ("seed_hosts", "needed_hosts", "push_hosts", "site_domains")
        for host in policy.pack.vars[name].default
    }
    telemetry = policy.lists["telemetry-hosts"].values
    assert not {
        host for host in needed if any(host == t or host.endswith("." + t) for t in telemetry)
    }


def test_seeds_and_push_hosts_of_the_pack_are_those_of_the_lists() -> None:
    policy = load_policy(ROOT / "session")
    assert set(policy.pack.vars["seed_hosts"].default) == values("seed-hosts")
    assert set(policy.pack.vars["push_hosts"].default) <= values("push-hosts")


def test_both_packs_have_the_same_list_of_telemetry() -> None:
    files = {path.read_bytes() for path in FILES if path.stem == "telemetry-hosts"}
    assert len(files) == 1
