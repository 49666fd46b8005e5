from __future__ import annotations

import time

import pytest

from audit.checks.load import load_policy
from audit.errors import PolicyError
from audit.yamlfile.problem import PolicyFileError

from .making import CHECK, PACK, POLICY, make_policy, write_policy


def problems(folder):
    with pytest.raises(PolicyFileError) as caught:
        load_policy(folder)
    return caught.value.problems


def test_a_policy_loads_with_its_checks_sorted_by_id(tmp_path):
    other = CHECK.replace("id: example.trackers", "id: example.a")
    policy = make_policy(tmp_path, CHECK, other)
    assert [check.file.id for check in policy.checks] == ["example.a", "example.trackers"]
    assert policy.checks[1].path == "checks/0.yaml"
    assert policy.roles == {"server", "resolver", "loopback"}
    assert list(policy.lists) == ["trackers"]


def test_mistakes_of_all_files_come_at_once(tmp_path):
    folder = write_policy(
        tmp_path,
        CHECK.replace("severity: high", "severity: hihg"),
        pack=PACK.replace("license", "licence"),
        lists__bad="schema: audit/list@1\nid: bad\nsource: x\ndate: y\nentries: []\n",
    )
    assert sorted(p.source.rsplit("/", 1)[-1] for p in problems(folder)) == [
        "0.yaml",
        "bad.yaml",
        "pack.yaml",
    ]


def test_one_broken_check_does_not_hide_the_mistakes_of_another(tmp_path):
    broken = CHECK.replace("severity: high", "severity: hihg")
    other = CHECK.replace("id: example.trackers", "id: example.a").replace("host|dom", "hots|dom")
    found = problems(write_policy(tmp_path, broken, other))
    assert [problem.code for problem in found] == ["E014", "E102"]


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("from: conversations", "from: conversation", "E101", "there is no table 'conversation'"),
        ("host|domain: tracker", "hots|domain: tracker", "E102", "has no column 'hots'"),
        ("domain: tracker.example", "domain: '${nope}'", "E103", "declares no variable 'nope'"),
        ("host|domain", "host|domian", "E106", "there is no modifier 'domian'"),
        ("host|domain", "responder_ip|domain", "E107", "'domain' cannot follow"),
        ("host|domain: tracker.example", "host|re: '('", "E108", "not an RE2 pattern"),
        ("host|domain: tracker.example", "host|list: x", "E108", "there is no list 'x'"),
        ("'{recipient} was", "'{recipeint} was", "E102", "has no column 'recipeint'"),
        ("{process: app}", "{process: application}", "E108", "never stands in this column"),
        ("[app.idle]}\nexpect", "'${iface}'}\nexpect", None, ""),
        ("[app.idle]}\nexpect", "'${good_hosts}'}\nexpect", "E105", "does not fit here"),
        ("process.attribution}", "process.attribution, min: 3}", "E110", "'min' does not belong to"),
        ("policy: example,", "policy: exampel,", "E115", "stands in policy 'example'"),
        ("policy: example,", "policy: example@second,", "E115", "stands in policy 'example'"),
        ("id: trackers,", "id: tracker,", "E118", "the policy has no clause 'tracker'"),
        ("actions: [app.idle]}\nexpect", "from: events, max: 0}\nexpect", "E204", "no exercise names"),
        ("message: '{rec", "identity: [hosts], message: '{rec", "E102", "no column 'hosts'"),
    ],
)  # fmt: skip
def test_each_name_that_means_nothing_is_refused(tmp_path, old, new, code, words):
    assert old in CHECK
    folder = write_policy(tmp_path, CHECK.replace(old, new))
    if code is None:
        load_policy(folder)
        return
    found = problems(folder)
    assert [problem.code for problem in found] == [code], [p.render() for p in found]
    assert words in found[0].message


def test_a_mistake_in_a_condition_stands_at_its_column(tmp_path):
    text = CHECK.replace("host|domain", "responder_ip|cidr|domain")
    (problem,) = problems(write_policy(tmp_path, text))
    line = text.splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("domain: tracker.example")


def test_an_unknown_table_is_said_once(tmp_path):
    text = CHECK.replace("from: conversations", "from: nothing").replace("host|domain", "x|y")
    assert [problem.code for problem in problems(write_policy(tmp_path, text))] == ["E101"]


def test_two_checks_of_one_id_are_refused(tmp_path):
    (problem,) = problems(write_policy(tmp_path, CHECK, CHECK))
    assert "also stands in checks/0.yaml" in problem.message


def test_two_expectations_of_one_id_are_refused(tmp_path):
    line = next(line for line in CHECK.splitlines() if "no-tracker" in line)
    (problem,) = problems(write_policy(tmp_path, CHECK.replace(line, f"{line}\n{line}")))
    assert problem.code == "E111"


def test_a_changed_text_is_not_the_one_that_was_pinned(tmp_path):
    folder = write_policy(tmp_path, CHECK)
    (folder / "source.txt").write_text("We keep everything.")
    (problem,) = problems(folder)
    assert problem.code == "E114"
    assert "a changed text is a new edition" in problem.hint


def test_a_text_outside_of_the_folder_is_refused(tmp_path):
    folder = write_policy(tmp_path / "p", CHECK)
    (tmp_path / "other.txt").write_text("x")
    (folder / "policy.yaml").write_text(POLICY.replace("source.txt", "../other.txt"))
    assert problems(folder)[0].code == "E113"


def test_a_pack_for_a_later_version_is_refused(tmp_path):
    (problem,) = problems(write_policy(tmp_path, pack=PACK.replace("audit>=0.1", "audit>=99")))
    assert "this pack needs audit>=99" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("default: [good.example]", "default: [Good.Example]", "no host name"),
        ("default: [good.example]", "default: good.example", "expected a list"),
        ("default: [app.idle,", "default: [app.idel,", "'app.idel' is no known action"),
        ("server: {host|domain", "server: {path|contains", "has no column 'path'"),
        ("server: {host|domain: '${good_hosts}'}", "server: {address_listed_in: {role: x, json: a}}", "there is no role 'x'"),
    ],
)  # fmt: skip
def test_a_pack_is_checked_too(tmp_path, old, new, words):
    assert old in PACK
    assert words in problems(write_policy(tmp_path, pack=PACK.replace(old, new)))[0].message


def test_a_folder_that_is_no_policy_is_refused(tmp_path):
    with pytest.raises(PolicyError, match=r"there is no policy.yaml here"):
        load_policy(tmp_path)


def test_the_shipped_policies_load_quickly():
    from audit.checks.shipped import shipped_policies

    start = time.process_time()
    for folder in shipped_policies():
        load_policy(folder)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("least", ["0", "0.5"])
@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[app.idle]}\nexpect", "[app.idle]}\n  - {id: rows, from: events, min: '${least}'}\nexpect", "E204"),
        ("assert: none, from", "assert: some, min: '${least}', from", "E209"),
        ("process.attribution}", "identifiers.planted, min: '${least}'}", "E209"),
    ],
)  # fmt: skip
def test_a_variable_does_not_ask_for_nothing(tmp_path, old, new, code, least):
    check = CHECK.replace("'{recipient} was contacted'", "'nobody was contacted'").replace(old, new)
    pack = PACK.replace("vars:\n", f"vars:\n  least: {{type: number, default: {least}}}\n")
    (problem,) = problems(write_policy(tmp_path, check, pack=pack))
    assert problem.code == code
    load_policy(write_policy(tmp_path / "one", check, pack=pack.replace(f": {least}", ": 1")))
