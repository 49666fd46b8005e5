"""The shipped packs: whole, honest, every condition of every check needed by an example."""

from __future__ import annotations

from functools import cache

import pytest

from audit.authoring.examples import run_examples
from audit.authoring.lint import lint_folder
from audit.authoring.mutation import mutate
from audit.checks.load import load_policy
from audit.checks.policy import Policy
from audit.checks.shipped import shipped_policies

PACKS = {folder.name: folder for folder in shipped_policies()}
CLAUSES = [
    "app.identity",
    "app.contacts",
    "app.contents",
    "app.no-collection",
    "app.no-tracking-storage",
    "app.device-identifiers",
    "app.account",
    "app.anonymous-use",
    "app.private-by-default",
    "seed.list-only",
    "seed.address-not-recorded",
    "seed.vpn",
    "seed.blind",
    "stores.os-telemetry",
    "stores.os-telemetry-kinds",
    "stores.os-account-link",
    "stores.os-limitation",
    "stores.alternatives",
    "web.no-linking",
    "web.six-months",
    "web.limited-data",
    "web.cloudflare",
    "web.cloudflare-seven-days",
    "web.newsletter-stored",
    "web.newsletter-processors",
    "web.newsletter-deleted",
]
"""Reports, gates and history refer to these ids."""


@cache
def pack(name: str) -> Policy:
    return load_policy(PACKS[name])


def test_two_packs_are_shipped() -> None:
    assert set(PACKS) == {"generic", "session"}


@pytest.mark.parametrize("name", PACKS)
def test_lint_has_nothing_to_say(name: str) -> None:
    assert not [problem.render() for problem in lint_folder(PACKS[name])]


@pytest.mark.parametrize("name", PACKS)
def test_every_example_holds(name: str) -> None:
    results = run_examples(pack(name))
    assert not [problem.render() for result in results for problem in result.problems]


@pytest.mark.parametrize("name", PACKS)
def test_no_mutant_survives(name: str) -> None:
    survivors = [one for mutation in mutate(pack(name)) for one in mutation.survivors]
    assert not survivors


@pytest.mark.parametrize("name", PACKS)
def test_every_clause_has_a_check(name: str) -> None:
    policy = pack(name)
    assert {check.file.clause.id for check in policy.checks} == set(policy.clauses)


def test_the_ids_of_the_sessions_clauses_are_the_fixed_ones() -> None:
    assert list(pack("session").clauses) == CLAUSES


@pytest.mark.parametrize("name", PACKS)
def test_every_check_says_how_to_mend_and_which_standards_it_bears_on(name: str) -> None:
    for check in pack(name).checks:
        assert check.file.remediation, check.path
        assert check.file.references, check.path


@pytest.mark.parametrize("name", PACKS)
def test_what_only_an_operator_can_show_names_who_may_attest_it_and_how_to_test_it(
    name: str,
) -> None:
    for check in pack(name).checks:
        observed = {item.capability.partition(".")[0] for item in check.file.observe}
        if observed & {"server"}:
            assert check.file.attest is not None, check.path
            assert check.file.attest.needs, check.path
            assert check.file.procedure, check.path


def test_one_text_of_the_policy_is_pinned() -> None:
    policy = pack("session")
    assert policy.sha256 == "920f2969079ba6163e8df838763462a00d742f376c758ea9a37bed513f15e972"
    assert policy.file.editions[0].url == policy.file.editions[0].retrieved == "unknown"


def test_checks_of_a_client_are_not_for_a_site_and_checks_of_a_site_not_for_a_client() -> None:
    for check in pack("session").checks:
        scope = check.file.scope
        assert scope is not None, check.path
        group = check.file.clause.id.partition(".")[0]
        if group == "web":
            assert set(scope.platforms) <= {"web", "server"}, check.path
        else:
            assert "web" not in scope.platforms, check.path
