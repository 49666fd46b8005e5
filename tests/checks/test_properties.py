"""What must hold of every verdict, whatever the evidence."""

from __future__ import annotations

import dataclasses
import random
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.checks.compiling import compile_check
from audit.checks.evaluate import evaluate
from audit.checks.faults import Faults
from audit.checks.policy import Policy, Target
from audit.model.outcome import Outcome
from audit.tables.evidence import CaptureEvidence, OnionState, TapState
from audit.tables.frames import make_frame
from audit.tables.rows import TABLES
from audit.tables.vocabulary import CAPABILITIES

from .making import AS_OF, make_action, make_capture, make_row

RELAXED = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

JOURNEY = (
    "account.create", "app.message.send", "app.attachment.send", "app.group.create",
    "app.push.register", "app.idle", "app.install.clean", "app.first-launch", "vpn.up",
    "vpn.drop", "app.call.start", "app.crash.forced", "app.relaunch", "app.link.paste",
    "app.message.receive",
)  # fmt: skip

process = st.sampled_from(["app", "app", "app", "os", "unknown", "control"])
host = st.sampled_from(
    ["seed1.getsession.org", "filev2.getsession.org", "play.googleapis.com", "o1.sentry.io", None]
)
role = st.sampled_from(["seed", "storage_node", "resolver", None])
common = {"process": process, "host": host, "peer_role": role, "phase": st.sampled_from(["steady", "account-create", "first-launch"])}  # fmt: skip
traffic = common | {
    "responder_ip": st.sampled_from(["203.0.113.9", "127.0.0.1", None]),
    "layer": st.sampled_from([0, 0, 1]),
    "seen_as": st.sampled_from(["client", "onion"]),
    "conversation": st.sampled_from(["tcp a > b", "udp a > b", None]),
}
readable = {"content": st.sampled_from(["readable", "readable", "opaque", "mixed", "empty"])}
TABLES_DRAWN = {
    "http_requests": traffic
    | readable
    | {
        "user_agent": st.sampled_from(["WhatsApp", "okhttp/4.12.0", None]),
        "method": st.sampled_from(["POST", "GET"]),
        "path": st.sampled_from(["/json_rpc", "/"]),
        "json": st.sampled_from(['{"method":"get_n_service_nodes","params":{"fields":{}}}', "{}", None]),
    },
    "conversations": traffic
    | readable
    | {
        "iface": st.sampled_from(["tun0", "wlan0"]),
        "vpn_up": st.booleans(),
        "proto": st.sampled_from(["tcp", "udp", "icmp"]),
        "payload_bytes": st.sampled_from([0, 10, None]),
        "transport": st.sampled_from(["tls-keys", "tls-keys", "plaintext", "tls-passthrough"]),
    },
    "identifier_hits": traffic
    | {
        "kind": st.sampled_from(["address", "email", "message"]),
        "direction": st.sampled_from(["sent", "received"]),
    },
    "dns_queries": traffic | {"name": st.sampled_from(["time.google.com", "app-measurement.com"])},
    "events": {"name": st.sampled_from(["app.message.receive", "setting.changed"]), "corroborated_by": st.sampled_from(["peer", None])},
    "settings": {"key": st.sampled_from(["link_previews", "calls", "read_receipts", "typing_indicators"]), "value": st.sampled_from(["false", "true"]), "phase": st.just("first-launch")},
    "ui_fields": {"phase": st.just("account-create"), "input_type": st.sampled_from(["text", "phone"]), "label": st.just("Name")},
}  # fmt: skip


SEED = {"host": "seed1.getsession.org", "peer_role": "seed"}
NODE = {"responder_ip": "203.0.113.11", "recipient": "203.0.113.11", "peer_role": "storage_node"}
TUNNEL = {"iface": "tun0", "vpn_up": True, "transport": "tls-keys"}
NODES = '{"result":{"service_node_states":[]}}'
CALL = '{"method":"get_n_service_nodes","params":{"active_only":true,"fields":{}}}'
SOUND_ROWS = {
    "conversations": [SEED | TUNNEL | {"first_contact": 1}, *[NODE | TUNNEL] * 5],
    "http_requests": [
        SEED | {"method": "POST", "path": "/json_rpc", "json": CALL, "user_agent": "WhatsApp", "headers": '{"host":"x"}'},
        NODE | {"method": "POST", "path": "/storage_rpc/v1", "user_agent": "WhatsApp", "headers": "{}"},
    ],
    "http_responses": [SEED | {"json": NODES}],
    "dns_queries": [{"name": "time.google.com", "process": "os"}],
    "events": [{"name": "app.message.receive", "corroborated_by": "peer"}],
    "settings": [
        {"key": key, "value": "false", "phase": "first-launch"}
        for key in ("link_previews", "read_receipts", "typing_indicators", "calls")
    ],
}  # fmt: skip
"""What a client leaves that keeps every promise."""


@st.composite
def captures(draw, name: str = "one") -> CaptureEvidence:
    """Evidence that is mostly in order, so that passes occur and can be lost."""
    sound = draw(st.integers(0, 3)) > 0
    rows = {table: list(given) for table, given in SOUND_ROWS.items()} if sound else {}
    for table in draw(st.lists(st.sampled_from(list(TABLES_DRAWN)), max_size=2 if sound else 5)):
        more = st.lists(st.fixed_dictionaries(TABLES_DRAWN[table]), max_size=2)
        rows[table] = [*rows.get(table, []), *draw(more)]
    maybe = (lambda good, _: good) if sound else (lambda _, drawn: draw(drawn))
    tap = st.builds(
        TapState,
        tap=st.just("packets"),
        control_found=st.booleans(),
        dropped=st.sampled_from([0, 0, 2]),
        truncated=st.sampled_from([(), ("cut",)]),
    )
    return make_capture(
        name,
        rows=rows,
        actions=tuple(map(make_action, JOURNEY))
        if sound
        else tuple(make_action(a, draw(st.sampled_from(["peer", None]))) for a in draw(st.lists(st.sampled_from(JOURNEY), max_size=8))),
        taps=maybe(
            (TapState(tap="packets", control_found=True),), tap.map(lambda one: (one,))
        ),
        sees_all=maybe(True, st.booleans()),
        detector_missing=maybe((), st.sampled_from([(), ("hex",)])),
        truncated=maybe((), st.sampled_from([(), ("killed",)])),
        onion=OnionState(keys=maybe(True, st.booleans()), seen=1, opened=1),
        capabilities=maybe(
            frozenset(CAPABILITIES), st.frozensets(st.sampled_from(CAPABILITIES))
        )
        - {"transport.opened", "onion.opened", "identifiers.planted"},
    )  # fmt: skip


both = st.lists(st.integers(0, 0), min_size=1, max_size=2).flatmap(
    lambda picks: st.tuples(*(captures(name) for name in ("one", "two")[: len(picks)]))
)


@lru_cache
def shipped_policy() -> Policy:
    from audit.checks.load import load_policy
    from audit.checks.targets import find_policy

    return load_policy(find_policy("session"))


@pytest.fixture(params=["worked", "shipped"])
def policy(request, worked) -> Policy:
    return worked if request.param == "worked" else shipped_policy()


def target_for(policy: Policy, name: str = "example", **changes) -> Target:
    from audit.yamlfile.target import TargetFile

    is_worked = "vpn_iface" in policy.pack.vars
    variables = {"vpn_iface": "tun0"} if is_worked else {}
    app = {"name": "Client", "platform": "android" if is_worked else "library"}
    data = {"schema": "audit/target@1", "policy": policy.id, "app": app, "vars": variables}
    return Target(name=name, file=TargetFile.model_validate(data | changes), folder=None)


def outcomes(policy: Policy, found: tuple[CaptureEvidence, ...], **target) -> dict[str, Outcome]:
    judgement = evaluate(policy, target_for(policy, **target), found, AS_OF, str)
    return {verdict.check: verdict.outcome for verdict in judgement.verdicts}


def never_turned_into_a_pass(before: dict[str, Outcome], after: dict[str, Outcome]) -> None:
    turned = [c for c in before if after[c] is Outcome.PASS and before[c] is not Outcome.PASS]
    assert not turned


def with_row(capture: CaptureEvidence, table: str, row: dict) -> CaptureEvidence:
    frame = capture.tables[table]
    records = [*frame.to_dict("records"), make_row(table, **row)]
    for record in records:
        record["ts"] = "2026-03-01T11:00:00Z"
        for column in ("first_seen", "last_seen", "status_since"):
            if column in record:
                record[column] = None
    return dataclasses.replace(
        capture, tables={**capture.tables, table: make_frame(table, records)}
    )


VIOLATIONS = {
    "http_requests": [{"host": "seed1.getsession.org", "peer_role": "seed", "method": "GET", "path": "/x", "user_agent": "okhttp/4.12.0"}],
    "conversations": [{"host": "o1.sentry.io", "iface": "wlan0", "vpn_up": True, "responder_ip": "203.0.113.9", "phase": "first-launch", "first_contact": 1}],
    "identifier_hits": [{"kind": kind, "phase": "account-create", "seen_as": "client"} for kind in ("email", "address", "account_id", "contact_id", "message")],
}  # fmt: skip


def broken_by(policy: Policy, table: str, row: dict) -> set[str]:
    """Return the checks that a row breaks by itself."""
    alone = outcomes(policy, (with_row(make_capture(), table, row),))
    clean = outcomes(policy, (make_capture(),))
    return {check for check in alone if alone[check] is Outcome.FAIL is not clean[check]}


@pytest.mark.parametrize(
    ("table", "row"), [(table, row) for table, rows in VIOLATIONS.items() for row in rows]
)
def test_one_more_violating_row_never_improves_a_verdict(policy, table, row):
    breaks = broken_by(policy, table, row)

    @given(both)
    @settings(RELAXED, max_examples=6)
    def never_improves(found):
        before = outcomes(policy, found)
        after = outcomes(policy, (with_row(found[0], table, row), *found[1:]))
        assert all(after[check] is Outcome.FAIL for check in breaks)
        assert all(after[c] is Outcome.FAIL for c in before if before[c] is Outcome.FAIL)

    never_improves()


def test_the_violating_rows_break_most_checks(policy):
    rows = [(table, row) for table, rows in VIOLATIONS.items() for row in rows]
    broken = set().union(*(broken_by(policy, table, row) for table, row in rows))
    assert len(broken) >= 6


def without_table(capture: CaptureEvidence, table: str) -> CaptureEvidence:
    return dataclasses.replace(
        capture, tables={name: frame for name, frame in capture.tables.items() if name != table}
    )


@given(both, st.sampled_from(list(TABLES)))
@RELAXED
def test_taking_a_table_away_never_yields_a_pass(policy, found, table):
    after = outcomes(policy, tuple(without_table(one, table) for one in found))
    never_turned_into_a_pass(outcomes(policy, found), after)


@given(both, st.data())
@RELAXED
def test_taking_anything_else_away_never_yields_a_pass(policy, found, data):
    before = outcomes(policy, found)
    first = found[0]
    capability = data.draw(st.sampled_from(CAPABILITIES))
    kind = data.draw(st.sampled_from(sorted(first.planted_kinds)))
    taken = [
        {"taps": ()},
        {"taps": tuple(dataclasses.replace(tap, control_found=False) for tap in first.taps)},
        {"actions": ()},
        {"actions": first.actions[1:]},
        {"capabilities": first.capabilities - {capability}},
        {"sees_all": False},
        {"planted_kinds": first.planted_kinds - {kind}},
        {"planted_kinds": frozenset()},
        {"onion": OnionState(keys=False)},
        {"detector_missing": ("plain",)},
    ]
    for changes in taken:
        less = (dataclasses.replace(first, **changes), *found[1:])
        never_turned_into_a_pass(before, outcomes(policy, less))


def test_without_its_taps_controls_or_journal_nothing_passes(policy):
    sound = make_capture(actions=JOURNEY, rows=SOUND_ROWS)
    passing = {c for c, outcome in outcomes(policy, (sound,)).items() if outcome is Outcome.PASS}
    reading_traffic = passing & {
        check.file.id
        for check in policy.checks
        if compile_check(check, policy, target_for(policy), AS_OF, Faults()).reads_traffic
    }
    assert len(reading_traffic) >= 6
    for changes, expected in (
        ({"taps": ()}, reading_traffic),
        ({"taps": (TapState(tap="packets", control_found=False),)}, reading_traffic),
        ({"actions": ()}, passing),
        ({"truncated": ("killed",)}, passing),
    ):
        after = outcomes(policy, (dataclasses.replace(sound, **changes),))
        assert not [check for check in expected if after[check] is Outcome.PASS]


@given(both, st.integers(0, 9))
@RELAXED
def test_order_never_matters(policy, found, seed):
    def shuffled(capture: CaptureEvidence) -> CaptureEvidence:
        return dataclasses.replace(
            capture,
            tables={
                name: frame.sample(frac=1, random_state=seed).reset_index(drop=True)
                for name, frame in capture.tables.items()
            },
            actions=tuple(random.Random(seed).sample(capture.actions, len(capture.actions))),
            taps=tuple(reversed(capture.taps)),
        )

    target = target_for(policy)
    straight = evaluate(policy, target, found, AS_OF, str)
    turned = dataclasses.replace(policy, checks=tuple(reversed(policy.checks)))
    again = evaluate(turned, target, tuple(map(shuffled, reversed(found))), AS_OF, str)
    assert {v.check: v for v in straight.verdicts} == {v.check: v for v in again.verdicts}
    assert sorted(map(str, straight.reported)) == sorted(map(str, again.reported))


@given(both)
@RELAXED
def test_renaming_a_target_changes_nothing_but_names(policy, found):
    first = evaluate(policy, target_for(policy), found, AS_OF, str)
    platform = target_for(policy).file.app.platform
    app = {"name": "Another", "title": "Other", "platform": platform, "version": "9"}
    second = evaluate(policy, target_for(policy, "renamed", app=app), found, AS_OF, str)
    assert first == second


@given(both, st.lists(st.sampled_from(JOURNEY), max_size=4))
@RELAXED
def test_what_a_client_cannot_do_never_hides_a_violation(policy, found, can):
    before, after = outcomes(policy, found), outcomes(policy, found, can=can)
    assert all(after[check] is Outcome.FAIL for check in before if before[check] is Outcome.FAIL)


@given(captures(), captures("two"))
@RELAXED
def test_one_more_capture_never_hides_a_violation(policy, one, two):
    before, after = outcomes(policy, (one,)), outcomes(policy, (one, two))
    assert all(after[check] is Outcome.FAIL for check in before if before[check] is Outcome.FAIL)
