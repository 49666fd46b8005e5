from __future__ import annotations

import dataclasses

import pytest

from audit.model.outcome import Outcome
from audit.tables.evidence import TapState
from audit.yamlfile.target import TargetFile

from .making import CHECK, judge, make_action, make_capture, make_policy, verdict

BAD = {"conversations": [{"host": "m.tracker.example", "responder_ip": "192.0.2.7"}]}
FINE = {"conversations": [{"host": "good.example", "responder_ip": "192.0.2.8"}]}


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return make_policy(tmp_path_factory.mktemp("policy"))


def make_target(policy, **changes):
    from audit.checks.policy import Target

    app = {"name": "App", "platform": "library"} | changes.pop("app", {})
    data = {"schema": "audit/target@1", "policy": policy.id, "app": app} | changes
    return Target(name="app", file=TargetFile.model_validate(data), folder=None)


def changed(policy_folder, old, new, text=CHECK, **more):
    assert old in text
    return make_policy(policy_folder, text.replace(old, new), **more)


def reasons(record) -> str:
    return " | ".join(reason.text for reason in record.reasons)


def test_evidence_alive_exercised_and_clean_is_a_pass(policy):
    record = verdict(policy, make_capture(rows=FINE))
    assert record.outcome is Outcome.PASS
    assert record.exercised == ["app.idle: the recorder did it"]
    assert (record.reasons, record.limits, record.leaned_on, record.findings) == ([], [], [], [])
    assert (record.clause, record.quote) == ("trackers", "We never talk to trackers.")


def test_a_violating_row_fails_and_points_at_its_bytes(policy):
    row = BAD["conversations"][0] | {
        "ref": "packets.pcapng#17,18:tcp.sent@0-512",
        "conversation": "tcp 198.18.0.2:40000 > 192.0.2.7:443",
    }
    record = verdict(policy, make_capture(rows={"conversations": [row]}))
    assert record.outcome is Outcome.FAIL
    assert record.reasons == []
    (finding,) = record.findings
    assert finding.message == "m.tracker.example was contacted"
    assert finding.columns == {
        "recipient": "m.tracker.example",
        "proto": "tcp",
        "responder_port": "443",
    }
    assert (finding.severity, finding.count, len(finding.fingerprint)) == ("high", 1, 64)
    (evidence,) = finding.evidence
    assert (evidence.file, evidence.record, evidence.part) == (
        "packets.pcapng",
        "17,18",
        "tcp.sent",
    )
    assert evidence.locator == row["ref"]
    assert evidence.ts == "2026-03-01T11:00:00.000000Z"
    assert "there may be no such conversation" in evidence.reasoning
    assert "host=m.tracker.example" in evidence.excerpt


@pytest.mark.parametrize(
    "changes",
    [
        {"capabilities": frozenset()},
        {"actions": ()},
        {"taps": ()},
        {"sees_all": False},
        {"truncated": ("killed",)},
        {"taps": (TapState(tap="packets", control_found=False, dropped=3),)},
    ],
)
def test_evidence_of_harm_wins_over_missing_coverage(policy, changes):
    assert verdict(policy, make_capture(rows=BAD, **changes)).outcome is Outcome.FAIL


def test_an_absent_capability_is_not_observable_and_says_how_to_get_it(policy):
    record = verdict(policy, make_capture(capabilities=frozenset(), actions=()))
    assert record.outcome is Outcome.NOT_OBSERVABLE
    assert reasons(record) == "process.attribution: process.attribution is absent"
    assert (
        record.reasons[0].hint == "record in a sandbox of its own, or import with per-process data"
    )


def test_the_checks_own_hint_goes_first(tmp_path):
    policy = changed(tmp_path, "process.attribution}", "process.attribution, hint: do this}")
    record = verdict(policy, make_capture(capabilities=frozenset()))
    assert record.reasons[0].hint == "do this"


def test_without_any_capture_nothing_is_observable(policy):
    assert verdict(policy).outcome is Outcome.NOT_OBSERVABLE


def test_a_capability_that_some_capture_supplies_is_there(policy):
    lacking = make_capture("two", capabilities=frozenset(), actions=())
    assert verdict(policy, lacking, make_capture()).outcome is Outcome.PASS


def test_an_exercise_must_hold_within_a_capture_that_supplies_what_is_observed(policy):
    seen_not_done = make_capture("seen", actions=())
    done_not_seen = make_capture("done", capabilities=frozenset())
    record = verdict(policy, seen_not_done, done_not_seen)
    assert record.outcome is Outcome.INCONCLUSIVE
    assert reasons(record) == "not exercised ('idle'): app.idle was not done"


def test_two_capabilities_of_two_captures_are_no_exercise(tmp_path):
    text = "- {capability: process.attribution}\n  - {capability: dns.seen}"
    policy = changed(tmp_path, "- {capability: process.attribution}", text)
    one = make_capture("one", capabilities=frozenset({"dns.seen"}))
    two = make_capture("two", capabilities=frozenset({"process.attribution"}))
    record = verdict(policy, one, two)
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "no capture supplies all that the check observes" in reasons(record)


def test_expectations_run_over_the_union_of_captures(policy):
    record = verdict(policy, make_capture("one"), make_capture("two", rows=BAD))
    assert record.outcome is Outcome.FAIL
    assert record.findings[0].evidence[0].capture == "two"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (make_action("app.idle", None), "app.idle rests on the client's word alone"),
        (make_action("app.idle", ok=False), "app.idle did not work"),
        (make_action("app.relaunch"), "app.idle was not done"),
    ],
)
def test_an_action_counts_only_where_it_worked_and_is_proven(policy, action, words):
    record = verdict(policy, make_capture(actions=(action,)))
    assert record.outcome is Outcome.INCONCLUSIVE
    assert words in reasons(record)


@pytest.mark.parametrize("by", ["manual", "vouched by Ann"])
def test_a_persons_word_is_printed_beside_the_verdict(policy, by):
    record = verdict(policy, make_capture(actions=(make_action("app.idle", by),)))
    assert record.outcome is Outcome.PASS
    assert record.leaned_on == [f"app.idle was done on the word of a person ({by})"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"taps": (TapState(tap="packets", control_found=False),)}, "packets tap did not show its control"),
        ({"taps": (TapState(tap="packets", control_found=True, dropped=2),)}, "lost 2 packets"),
        ({"taps": (TapState(tap="proxy", control_found=True, truncated=("body cut",)),)}, "was cut: body cut"),
        ({"taps": ()}, "has no tap"),
        ({"truncated": ("the recorder was killed",)}, "is incomplete: the recorder was killed"),
        ({"sees_all": False}, "around the recording proxy"),
    ],
)  # fmt: skip
def test_evidence_that_is_not_alive_and_whole_is_inconclusive(policy, changes, words):
    record = verdict(policy, make_capture(**changes))
    assert record.outcome is Outcome.INCONCLUSIVE
    assert words in reasons(record)


def test_one_dead_tap_among_several_captures_is_enough(policy):
    dead = make_capture("two", taps=(TapState(tap="proxy", control_found=False),))
    assert verdict(policy, make_capture(), dead).outcome is Outcome.INCONCLUSIVE


def test_it_is_enough_that_one_capture_sees_all(policy):
    assert (
        verdict(policy, make_capture(), make_capture("b", sees_all=False)).outcome is Outcome.PASS
    )


def test_a_table_that_was_taken_away_is_inconclusive(policy):
    capture = make_capture()
    tables = {name: frame for name, frame in capture.tables.items() if name != "conversations"}
    record = verdict(policy, dataclasses.replace(capture, tables=tables))
    assert record.outcome is Outcome.INCONCLUSIVE
    assert reasons(record) == "capture one has no table conversations"


def test_missing_detector_controls_block_only_what_reads_hits(tmp_path, policy):
    capture = make_capture(detector_missing=("base64",))
    assert verdict(policy, capture).outcome is Outcome.PASS
    text = CHECK.replace("from: conversations", "from: identifier_hits")
    hits = make_policy(tmp_path, text.replace("process.attribution", "identifiers.planted"))
    record = verdict(hits, capture)
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "missed its own controls: base64" in reasons(record)


def test_a_check_of_server_records_needs_no_tap(tmp_path):
    text = CHECK.replace("process.attribution", "server.logs, source: web").replace(
        "from: conversations, where: {process: app}, match: {host|domain: tracker.example}, message: '{recipient}",
        "from: log_lines, match: {ts|age|gt: 7d}, message: '{dataset}",
    )
    policy = make_policy(tmp_path, text)
    capture = make_capture(
        vantage="import", taps=(), sees_all=False, capabilities=frozenset({"server.logs:web"})
    )
    assert verdict(policy, capture).outcome is Outcome.PASS
    other = dataclasses.replace(capture, capabilities=frozenset({"server.logs:mail"}))
    assert verdict(policy, other).outcome is Outcome.NOT_OBSERVABLE


def test_an_unsure_row_is_inconclusive_and_says_why(tmp_path):
    more = "unsure:\n  - {from: conversations, where: {process: unknown}, because: nobody knows whose}\n"
    policy = changed(tmp_path, "tests:", f"{more}tests:")
    record = verdict(policy, make_capture(rows={"conversations": [{"process": "unknown"}]}))
    assert record.outcome is Outcome.INCONCLUSIVE
    assert reasons(record) == "1 conversation: nobody knows whose"


def test_what_cannot_be_compared_is_undecided(tmp_path):
    policy = changed(tmp_path, "{host|domain: tracker.example}", "{bytes_out|gt: 10}")
    record = verdict(policy, make_capture(rows={"conversations": [{"bytes_out": None}]}))
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "cannot be decided for 1 conversation" in reasons(record)
    row = {"bytes_out": None, "process": "os"}
    assert verdict(policy, make_capture(rows={"conversations": [row]})).outcome is Outcome.PASS


def test_a_check_for_another_platform_does_not_apply(tmp_path):
    policy = changed(tmp_path, "observe:", "scope: {platforms: [web]}\nobserve:")
    target = make_target(policy)
    assert verdict(policy, make_capture(rows=BAD), target=target).outcome is Outcome.NOT_APPLICABLE
    web = make_target(policy, app={"platform": "web"})
    assert verdict(policy, make_capture(rows=BAD), target=web).outcome is Outcome.FAIL


def test_a_target_that_changes_its_platform_is_judged_by_either_and_said(tmp_path):
    policy = changed(tmp_path, "observe:", "scope: {platforms: [library]}\nobserve:")
    away = make_target(policy, app={"platform": "web"})
    record = verdict(policy, make_capture(rows=BAD, platform="library"), target=away)
    assert record.outcome is Outcome.FAIL
    said = "the target says that its client is of web, the recording that it is of library"
    assert said in record.leaned_on[0]
    into = make_target(policy)
    record = verdict(policy, make_capture(platform="android"), target=into)
    assert record.outcome is Outcome.PASS
    assert "is of library, the recording that it is of android" in record.leaned_on[0]
    record = verdict(policy, make_capture(platform="library"), target=into)
    assert not [line for line in record.leaned_on if "the recording" in line]
    out = verdict(policy, make_capture(platform="android"), target=away)
    assert out.outcome is Outcome.NOT_APPLICABLE


CLAIM = {"host_basis": "claimed", "recipient": "192.0.2.9", "responder_ip": "192.0.2.9"}
NEEDED = "{not: {any: [{peer_role: server}, {host|domain: good.example}]}}"


@pytest.mark.parametrize(
    ("match", "row", "outcome"),
    [
        (NEEDED, {"host": "good.example"}, "inconclusive"),
        (NEEDED, {"host": "good.example", "claimed_role": "server"}, "inconclusive"),
        (NEEDED, {"host": "x.example", "claimed_role": "server"}, "inconclusive"),
        (NEEDED, {"host": "x.example"}, "fail"),
        ("{host|domain: tracker.example}", {"host": "tracker.example"}, "inconclusive"),
        ("{host|domain: tracker.example}", {"host": "good.example"}, "pass"),
        ("{host|domain|not: good.example}", {"host": "good.example"}, "inconclusive"),
        ("{host|exists: true}", {"host": "good.example"}, "fail"),
        ("{peer_role: server}", {"claimed_role": "server"}, "inconclusive"),
        ("{peer_role: server}", {"claimed_role": "server", "peer_role": "node"}, "pass"),
        ("{peer_role|exists: true}", {"claimed_role": "server"}, "pass"),
    ],
)
def test_a_name_that_is_the_clients_word_alone_excuses_and_blames_nothing(
    tmp_path, match, row, outcome
):
    policy = changed(tmp_path, "{host|domain: tracker.example}", match)
    record = verdict(policy, make_capture(rows={"conversations": [CLAIM | row]}))
    assert record.outcome == outcome
    if outcome == "inconclusive":
        assert "is a name that is the client's word alone" in reasons(record)


def test_a_variable_that_nothing_sets_is_inconclusive(tmp_path):
    policy = changed(tmp_path, "{host|domain: tracker.example}", "{not: {iface: '${iface}'}}")
    record = verdict(policy, make_capture())
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "nothing sets the variable 'iface'" in reasons(record)
    target = make_target(policy, vars={"iface": "tun0"})
    record = verdict(policy, make_capture(), target=target)
    assert record.outcome is Outcome.PASS
    assert record.leaned_on == ['the target sets iface to "tun0"']


def test_what_a_target_excuses_never_hides_a_row_without_being_listed(tmp_path):
    match = "{host|exists: true, not: {host|domain: '${push_hosts}'}}"
    policy = changed(tmp_path, "{host|domain: tracker.example}", match)
    capture = make_capture(rows={"conversations": [{"host": "hidden.example"}]})
    assert verdict(policy, capture).outcome is Outcome.FAIL
    target = make_target(policy, vars={"push_hosts": ["hidden.example"]})
    record = verdict(policy, capture, target=target)
    assert record.outcome is Outcome.PASS
    assert record.leaned_on == [
        'the target sets push_hosts to ["hidden.example"] instead of ["push.example"]',
        "'no-tracker' excuses 1 conversation by its own 'not' (hidden.example)",
    ]


def test_the_journey_is_cut_to_what_the_client_can_and_the_cut_is_listed(tmp_path):
    policy = changed(tmp_path, "[app.idle]}\nexpect", "'${journey}'}\nexpect")
    capture = make_capture(actions=("app.idle",))
    assert verdict(policy, capture).outcome is Outcome.INCONCLUSIVE
    record = verdict(policy, capture, target=make_target(policy, can=["app.idle"]))
    assert record.outcome is Outcome.PASS
    assert record.leaned_on == [
        "the journey was cut by what the target says its client can do, without app.message.send"
    ]
    record = verdict(policy, capture, target=make_target(policy, can=[]))
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "the client can do nothing of what the journey asks" in reasons(record)


def test_an_action_that_a_check_names_itself_is_not_cut(policy):
    record = verdict(policy, make_capture(actions=()), target=make_target(policy, can=[]))
    assert record.outcome is Outcome.INCONCLUSIVE


def test_rows_of_the_recorders_controls_are_nothing_that_the_client_did(tmp_path):
    policy = changed(tmp_path, "where: {process: app}, ", "")
    row = BAD["conversations"][0] | {"process": "control"}
    assert verdict(policy, make_capture(rows={"conversations": [row]})).outcome is Outcome.PASS


def assertion(tmp_path, text: str):
    line = next(line for line in CHECK.splitlines() if "no-tracker" in line)
    return changed(tmp_path, line, text)


def test_every_row_must_be_as_it_says(tmp_path):
    policy = assertion(
        tmp_path,
        "  - {id: e, assert: every, from: conversations, where: {process: app},"
        " match: {host|domain: '${good_hosts}'}, message: 'to {recipient}'}",
    )
    assert verdict(policy, make_capture(rows=FINE)).outcome is Outcome.PASS
    record = verdict(policy, make_capture(rows={"conversations": [{"responder_ip": "192.0.2.1"}]}))
    assert [finding.message for finding in record.findings] == ["to 192.0.2.1"]


def test_a_duty_that_is_not_met_fails_only_where_all_else_is_in_order(tmp_path):
    policy = assertion(
        tmp_path,
        "  - {id: s, assert: some, from: ui_fields, match: {label: Notice}, min: 1, message: no notice}",
    )
    record = verdict(policy, make_capture())
    assert (record.outcome, record.findings[0].count) == (Outcome.FAIL, 0)
    assert record.findings[0].message == "no notice"
    shown = {"ui_fields": [{"label": "Notice"}]}
    assert verdict(policy, make_capture(rows=shown)).outcome is Outcome.PASS
    assert verdict(policy, make_capture(actions=())).outcome is Outcome.INCONCLUSIVE
    nothing = make_capture(capabilities=frozenset())
    assert verdict(policy, nothing).outcome is Outcome.NOT_OBSERVABLE


def test_a_duty_over_traffic_is_not_broken_where_traffic_was_missed(tmp_path):
    policy = assertion(
        tmp_path,
        "  - {id: s, assert: some, from: conversations, match: {host: good.example}, message: none}",
    )
    assert verdict(policy, make_capture(sees_all=False)).outcome is Outcome.INCONCLUSIVE
    assert verdict(policy, make_capture(sees_all=False, rows=FINE)).outcome is Outcome.PASS


def test_one_value_a_group_is_uniform(tmp_path):
    policy = assertion(
        tmp_path,
        "  - {id: u, assert: uniform, from: http_requests, group_by: [recipient],"
        " field: user_agent, message: '{recipient} saw several'}",
    )
    same = [{"host": "a.example", "user_agent": "x"}, {"host": "b.example", "user_agent": "y"}] * 2
    assert verdict(policy, make_capture(rows={"http_requests": same})).outcome is Outcome.PASS
    several = [*same, {"host": "b.example"}]
    record = verdict(policy, make_capture(rows={"http_requests": several}))
    assert [(f.message, f.count) for f in record.findings] == [("b.example saw several", 3)]


def test_uniform_goes_over_captures(tmp_path):
    policy = assertion(
        tmp_path,
        "  - {id: u, assert: uniform, from: http_requests, group_by: [recipient],"
        " field: user_agent, message: '{recipient} saw several'}",
    )
    one = make_capture("one", rows={"http_requests": [{"host": "a.example", "user_agent": "x"}]})
    two = make_capture("two", rows={"http_requests": [{"host": "a.example", "user_agent": "y"}]})
    assert verdict(policy, one, two).outcome is Outcome.FAIL
    assert verdict(policy, one).outcome is Outcome.PASS


JOIN = (
    "  - {id: j, assert: no_join, left: {from: events, where: {name: app.remove}, key: subject_hash},"
    " right: {from: db_records, key: email_hash}, message: '{right.table} holds who left at {left.ts}'}"
)


def test_no_right_key_equals_a_left_key(tmp_path):
    policy = assertion(tmp_path, JOIN)
    rows = {
        "events": [
            {"name": "app.remove", "subject_hash": "h", "corroborated_by": "peer"},
            {"name": "app.idle", "subject_hash": "i", "corroborated_by": "peer"},
        ],
        "db_records": [
            {"table": "list", "email_hash": "i"},
            {"table": "backup", "email_hash": None},
        ],
    }
    assert verdict(policy, make_capture(rows=rows)).outcome is Outcome.PASS
    rows["db_records"].append({"table": "backup", "email_hash": "h"})
    record = verdict(policy, make_capture(rows=rows))
    assert record.outcome is Outcome.FAIL
    (finding,) = record.findings
    assert finding.message == "backup holds who left at 2026-03-01T11:00:00.000000Z"
    assert finding.columns == {"right.source": None, "right.table": "backup"}


def test_what_is_reported_changes_no_verdict(tmp_path):
    more = "report:\n  - {id: os, title: System, from: conversations, where: {process: os}, columns: [host, bytes_out]}\n"
    policy = changed(tmp_path, "tests:", f"{more}tests:")
    rows = [{"process": "os", "host": "b.example"}, {"process": "os", "host": "a.example"}] * 2
    found = judge(policy, make_capture(rows={"conversations": rows}))
    assert found.verdicts[0].outcome is Outcome.PASS
    assert found.reported == (
        {
            "check": "example.trackers",
            "id": "os",
            "title": "System",
            "columns": ["host", "bytes_out"],
            "rows": [["a.example", "100"], ["b.example", "100"]],
            "count": 4,
        },
    )


def test_everything_that_may_hold_a_value_of_the_subject_is_redacted(tmp_path):
    from audit.checks.evaluate import evaluate
    from audit.checks.targets import target_of_nothing

    from .making import AS_OF

    policy = make_policy(tmp_path)
    row = {
        "host": "ann.tracker.example",
        "conversation": "tcp ann > ann",
    }
    captures = [make_capture(rows={"conversations": [row]}, truncated=("cut at ann",))]
    found = evaluate(
        policy,
        target_of_nothing(policy),
        captures,
        AS_OF,
        lambda s: s.replace("ann", "[user_name:ab12cd]"),
    )
    assert "ann" not in str(found)
    assert found.verdicts[0].findings[0].columns["recipient"] == "{user_name}.tracker.example"
