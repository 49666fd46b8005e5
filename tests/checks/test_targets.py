from __future__ import annotations

import pytest

from audit.checks import shipped, targets
from audit.checks.targets import (
    Recorded,
    find_policy,
    load_target,
    locate_judged,
    locate_target,
    target_names,
    target_of_anything,
)
from audit.errors import PolicyError

from .making import CHECK, POLICY, make_policy, write_policy

TARGET = """\
schema: audit/target@1
policy: example
app: {name: App, platform: library}
can: [app.idle]
vars: {push_hosts: [push2.example]}
"""


@pytest.fixture
def shipped_folder(tmp_path, monkeypatch):
    """Two shipped policies, the first of them the default."""
    root = tmp_path / "policies"
    write_policy(root / "example", CHECK, targets__app__target=TARGET, targets__any__target=TARGET)
    (root / "example" / "policy.yaml").write_text(POLICY + "default: true\n")
    write_policy(root / "second", targets__other__target=TARGET)
    monkeypatch.setattr(shipped, "shipped_root", lambda: root)
    return root


def test_a_target_sets_what_the_pack_lets_it(tmp_path):
    policy = make_policy(tmp_path)
    (tmp_path / "targets" / "app").mkdir(parents=True)
    (tmp_path / "targets" / "app" / "target.yaml").write_text(TARGET)
    target = load_target(policy, "app")
    assert target.name == "app"
    assert policy.variables(target.file).resolve("${push_hosts}") == ["push2.example"]
    assert target.can("app.idle")
    assert not target.can("app.call.start")
    assert target.driver is None


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("push_hosts: [push2.example]", "good_hosts: [a.example]", "E207"),
        ("push_hosts: [push2.example]", "psuh_hosts: [a.example]", "E103"),
        ("push_hosts: [push2.example]", "push_hosts: a.example", "E105"),
        ("policy: example", "policy: other", "E115"),
    ],
)
def test_a_target_may_set_nothing_else(tmp_path, old, new, code):
    policy = make_policy(tmp_path / "p")
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "target.yaml").write_text(TARGET.replace(old, new))
    with pytest.raises(PolicyError) as caught:
        load_target(policy, folder)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_target_of_unknown_platform_is_any_but_server_and_web(tmp_path):
    target = targets.target_of_nothing(make_policy(tmp_path))
    assert target.is_in(None)
    assert target.is_in(["server", "android"])
    assert not target.is_in(["server", "web"])


def test_a_policy_is_found_by_id_by_path_and_by_default(shipped_folder, tmp_path):
    assert find_policy("second") == shipped_folder / "second"
    assert find_policy() == shipped_folder / "example"
    assert find_policy(str(shipped_folder / "second")) == shipped_folder / "second"
    assert find_policy(str(shipped_folder / "second" / "policy.yaml")) == shipped_folder / "second"
    with pytest.raises(PolicyError, match="there is no policy 'secnd'"):
        find_policy("secnd")


def test_without_a_default_a_policy_must_be_named(shipped_folder):
    (shipped_folder / "example" / "policy.yaml").write_text(POLICY)
    with pytest.raises(PolicyError, match="no shipped policy says"):
        find_policy()


def test_a_target_is_looked_for_in_every_shipped_policy(shipped_folder):
    policy, target = locate_target("other")
    assert (policy.folder.name, target.name) == ("second", "other")
    policy, target = locate_target(None)
    assert (policy.folder.name, target.name) == ("example", "any")


def test_a_policys_only_target_for_any_client_needs_no_naming(shipped_folder):
    with pytest.raises(PolicyError, match="there is no target 'any'"):
        locate_target(None, "second")
    write_policy(shipped_folder / "second", targets__any_client__target=TARGET)
    folder = shipped_folder / "second"
    (folder / "targets" / "any_client").rename(folder / "targets" / "any-client")
    assert locate_target(None, "second")[1].name == "any-client"
    assert target_of_anything(shipped_folder / "example") == "any"
    (folder / "targets" / "any-site").mkdir()
    (folder / "targets" / "any-site" / "target.yaml").write_text(TARGET)
    with pytest.raises(PolicyError, match="several for any client") as caught:
        locate_target(None, "second")
    assert caught.value.hint == "add --target with one of: any-client any-site"


@pytest.mark.parametrize(
    ("target", "policy", "recorded", "expected"),
    [
        (None, None, Recorded(), ("example", "any")),
        (None, None, Recorded(policy="example", target="app"), ("example", "app")),
        ("any", None, Recorded(policy="example", target="app"), ("example", "any")),
        ("other", None, Recorded(policy="example", target="app"), ("second", "other")),
        ("app", None, Recorded(policy="gone", target="x"), ("example", "app")),
        (None, "example", Recorded(policy="second", target="app"), ("example", "app")),
        ("app", "example", Recorded(policy="second", target="other"), ("example", "app")),
    ],
)
def test_what_a_call_names_goes_before_what_the_captures_name(
    shipped_folder, target, policy, recorded, expected
):
    found, chosen, said = locate_judged(target, policy, recorded)
    assert (found.folder.name, chosen.name, said) == (*expected, None)


def test_another_policy_judges_by_its_target_for_any_client_and_says_so(shipped_folder):
    recorded = Recorded(policy="second", target="other")
    found, chosen, said = locate_judged(None, "example", recorded)
    assert (found.folder.name, chosen.name) == ("example", "any")
    assert said == (
        "policy 'example' has no target 'other', of which the recording is: judged as 'any'"
    )


def test_two_targets_of_a_name_are_refused(shipped_folder):
    write_policy(shipped_folder / "second", targets__app__target=TARGET)
    with pytest.raises(PolicyError, match="several policies have a target 'app'"):
        locate_target("app")
    assert locate_target("app", "second")[0].folder.name == "second"


def test_a_target_given_as_a_path_names_its_policy(shipped_folder, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "target.yaml").write_text(TARGET)
    policy, target = locate_target(str(folder))
    assert (policy.folder.name, target.name) == ("example", "mine")


def test_a_target_that_is_nowhere_is_told_with_those_there(shipped_folder):
    with pytest.raises(PolicyError, match="there is no target 'ap'") as caught:
        locate_target("ap")
    assert caught.value.hint == "did you mean 'app'?"
    assert target_names(shipped_folder / "example") == ("any", "app")


def test_the_shipped_policies_and_their_targets_load():
    for folder in shipped.shipped_policies():
        for name in target_names(folder):
            policy, target = locate_target(name, str(folder))
            assert target.file.policy == policy.id
