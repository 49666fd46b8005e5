"""What must hold of every shipped check, in the evidence of its own examples and beside any other."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.authoring.example_evidence import AS_OF, ExampleEvidence
from audit.checks.capabilities import Assumptions
from audit.checks.compiling import compile_check
from audit.checks.evaluate import Judge
from audit.checks.faults import Faults
from audit.checks.load import load_policy
from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.shipped import shipped_policies
from audit.checks.targets import target_of_nothing
from audit.checks.union import Union
from audit.model.outcome import Outcome
from audit.model.result import VerdictRecord
from audit.tables.evidence import CaptureEvidence, TapState
from audit.tables.vocabulary import ACTIONS, CAPABILITIES
from audit.yamlfile.check import Example
from audit.yamlfile.expectation import Some

from .making import make_policy
from .test_properties import RELAXED, captures

POLICIES = {folder.name: load_policy(folder) for folder in shipped_policies()}


@lru_cache
def evidence(policy: str, check: str, index: int) -> tuple[CaptureEvidence, Target]:
    loaded = POLICIES[policy]
    found = next(item for item in loaded.checks if item.file.id == check)
    example = found.file.tests[index]
    made = ExampleEvidence(loaded, target_of_nothing(loaded), found, example)
    return made.capture(), made.target


def examples(outcome: str) -> list:
    return [
        pytest.param(policy, check, index, id=f"{check.file.id}:{index}")
        for policy in POLICIES.values()
        for check in policy.checks
        for index, example in enumerate(check.file.tests)
        if example.verdict == outcome
    ]


def judged(
    policy: Policy, check: LoadedCheck, example: Example, target: Target, *found: CaptureEvidence
) -> VerdictRecord:
    without = frozenset[str](example.without)
    assumed = Assumptions(there=frozenset(CAPABILITIES) - without, absent=without)
    return Judge(policy, target, Union(found), AS_OF, str, assumed).check(check)[0]


def joined(one: CaptureEvidence, other: CaptureEvidence) -> CaptureEvidence:
    tables = {
        name: pd.concat([frame, other.tables[name]], ignore_index=True) if len(other.tables[name]) else frame
        for name, frame in one.tables.items()
    }  # fmt: skip
    return dataclasses.replace(one, tables=tables)


@pytest.mark.parametrize(("policy", "check", "index"), examples("fail"))
def test_what_fails_alone_fails_beside_any_other_evidence(policy, check, index):
    bad, target = evidence(policy.id, check.file.id, index)
    example = check.file.tests[index]
    alone = judged(policy, check, example, target, bad)
    if not alone.findings or not alone.findings[0].count:
        assert any(isinstance(item, Some) for item in check.file.expect)
        return  # it fails by rows that are missing, which more evidence may hold

    @given(captures(), st.booleans())
    @settings(RELAXED, max_examples=2)
    def fails(other, together):
        found = (joined(other, bad),) if together else (other, bad)
        assert judged(policy, check, example, target, *found).outcome is Outcome.FAIL

    fails()


@pytest.mark.parametrize(("policy", "check", "index"), examples("pass"))
def test_with_anything_taken_away_a_passing_example_passes_no_more(policy, check, index):
    good, target = evidence(policy.id, check.file.id, index)
    example = check.file.tests[index]
    program = compile_check(check, policy, target, AS_OF, Faults())
    taken: dict[str, dict] = {"journal": {"actions": ()}, "end": {"truncated": ("killed",)}}
    if program.reads_traffic:
        blind = tuple(dataclasses.replace(tap, control_found=False) for tap in good.taps)
        lossy = (TapState(tap="packets", control_found=True, dropped=1),)
        taken |= {"taps": {"taps": ()}, "controls": {"taps": blind}, "packets": {"taps": lossy}}
    if "identifier_hits" in program.tables:
        taken["detector"] = {"detector_missing": ("hex",)}
        taken["kinds"] = {"planted_kinds": frozenset()}
    for table in program.rests_on:
        rest = {name: frame for name, frame in good.tables.items() if name != table}
        taken[f"table {table}"] = {"tables": rest}
    assert judged(policy, check, example, target, good).outcome is Outcome.PASS
    for what, changes in taken.items():
        less = dataclasses.replace(good, **changes)
        assert judged(policy, check, example, target, less).outcome is not Outcome.PASS, what


@pytest.mark.parametrize(("policy", "check", "index"), examples("pass"))
def test_without_any_one_capability_a_passing_example_passes_no_more(policy, check, index):
    good, target = evidence(policy.id, check.file.id, index)
    for item in check.file.observe:
        example = check.file.tests[index].model_copy(update={"without": [item.capability]})
        assert judged(policy, check, example, target, good).outcome is Outcome.NOT_OBSERVABLE


EXCUSED = """\
schema: audit/check@1
id: example.excused
title: No tracker
version: 1.0.0
severity: high
clause: {policy: example, id: trackers, quote: We never talk to trackers., reading: None is contacted.}
observe:
  - {capability: process.attribution}
exercise:
  - {id: journey, actions: '${journey}'}
expect:
  - {id: a, assert: none, from: conversations, where: {process: app}, match: {host|domain: tracker.example, not: {host|domain: '${push_hosts}'}}, message: x}
  - {id: b, assert: none, from: conversations, where: {iface: '${iface}'}, match: {host: b.tracker.example}, message: x}
tests:
  - {name: quiet, actions: '${journey}', verdict: pass}
"""
HOSTS = ("a.tracker.example", "b.tracker.example", "tracker.example", "good.example")


@given(
    hosts=st.lists(
        st.tuples(st.sampled_from(HOSTS), st.sampled_from(["eth0", "tun0"])), max_size=4
    ),
    pushed=st.none() | st.lists(st.sampled_from(HOSTS), max_size=2),
    iface=st.none() | st.sampled_from(["eth0", "tun0", "lo"]),
    can=st.none() | st.lists(st.sampled_from(ACTIONS), max_size=6),
)
@settings(RELAXED, max_examples=60)
def test_a_targets_words_never_hide_a_row_without_being_listed(
    tmp_path_factory, hosts, pushed, iface, can
):
    from audit.yamlfile.target import TargetFile

    policy = make_policy(tmp_path_factory.mktemp("x"), EXCUSED)
    (check,) = policy.checks
    rows = {"conversations": [{"host": host, "iface": name} for host, name in hosts]}
    example = Example.model_validate({"name": "x", "verdict": "pass", "rows": rows})
    bare = target_of_nothing(policy)
    capture = ExampleEvidence(policy, bare, check, example).capture()
    values = {"push_hosts": pushed, "iface": iface}
    said = {name: value for name, value in values.items() if value is not None}
    data = {"schema": "audit/target@1", "policy": "example", "app": {"name": "x"}, "vars": said}
    words = Target(name="x", file=TargetFile.model_validate(data | ({} if can is None else {"can": can})), folder=None)  # fmt: skip
    before = judged(policy, check, example, bare, capture)
    after = judged(policy, check, example, words, capture)
    lost = {f.fingerprint for f in before.findings} - {f.fingerprint for f in after.findings}
    listed = " ".join(after.leaned_on)
    assert not lost or any(f"the target sets {name}" in listed for name in said)
    for name in said:
        assert f"the target sets {name}" in listed
    if any(host in HOSTS[:3] and any(host == p or host.endswith("." + p) for p in pushed or ()) for host, _ in hosts):  # fmt: skip
        assert "excuses" in listed
    if can is not None and not {"app.idle", "app.message.send"} <= set(can):
        assert "the journey was cut" in listed


def test_every_settable_variable_of_the_shipped_policies_is_listed_where_it_is_read():
    from audit.yamlfile.target import TargetFile

    for policy in POLICIES.values():
        for name, variable in policy.pack.vars.items():
            if not variable.settable:
                continue
            value = variable.default if variable.default is not None else "tun9"
            data = {"schema": "audit/target@1", "policy": policy.id, "vars": {name: value}}
            for check in policy.checks:
                platform = check.file.scope.platforms[0] if check.file.scope else "library"
                file = TargetFile.model_validate(
                    data | {"app": {"name": "x", "platform": platform}}
                )
                target = Target(name="x", file=file, folder=None)
                if name in compile_check(check, policy, target, AS_OF, Faults()).variables:
                    example = check.file.tests[0]
                    capture, _ = evidence(policy.id, check.file.id, 0)
                    verdict = judged(policy, check, example, target, capture)
                    assert any(f"the target sets {name}" in text for text in verdict.leaned_on)
