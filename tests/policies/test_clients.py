"""Hand-made evidence of the official clients: one that keeps every promise, and one leak at a time."""

from __future__ import annotations

import dataclasses

import pytest

from audit.checks.load import load_policy
from audit.checks.targets import find_policy, load_target
from audit.model.outcome import Outcome
from audit.tables.vocabulary import CAPABILITIES
from tests.checks.making import judge, make_capture

POLICY = load_policy(find_policy("session"))
CLIENTS = {
    "session-desktop": "desktop",
    "session-android-play": "android",
    "session-android-website": "android",
    "session-ios": "ios",
}
SERVERS = {"session.seed.address-not-recorded", "session.app.no-tracking-records", "session.stores.account-link"}  # fmt: skip
"""What a client's recording cannot show."""
TUNNEL = {"iface": "tun0", "vpn_up": True, "in_tunnel": True, "transport": "tls-keys"}
SEED = {"host": "seed1.getsession.org", "peer_role": "seed"}
NODE = {"responder_ip": "203.0.113.11", "recipient": "203.0.113.11", "peer_role": "storage_node"}
CALL = '{"method":"get_n_service_nodes","params":{"active_only":true,"fields":{}}}'
PUSH = {"host": "mtalk.google.com", "transport": "pinned-refused"}
MAKER = "time.google.com"
ACTIONS = (
    "account.create", "account.delete", "app.message.send", "app.attachment.send", "app.message.receive",
    "app.attachment.receive", "app.group.create", "app.push.register", "app.idle", "app.install.clean",
    "app.first-launch", "vpn.up", "vpn.drop", "app.call.start", "app.crash.forced", "app.relaunch",
    "app.link.paste", "app.remove",
)  # fmt: skip


def evidence(name: str, more: dict[str, list[dict]] | None = None, **changes):
    """Return what a client leaves that keeps every promise, and some rows more."""
    flavor = "website" if name.endswith("website") else "play"
    os_rows = [{"process": "os", "host": MAKER, "phase": phase} for phase in ("install", "steady")]
    rows: dict[str, list[dict]] = {
        "conversations": [
            SEED | TUNNEL | {"first_contact": 1, "phase": "first-launch"},
            *[NODE | TUNNEL] * 24,
            *[row | {"transport": "tls-keys"} for row in os_rows],
        ],
        "http_requests": [
            SEED | {"method": "POST", "path": "/json_rpc", "json": CALL, "user_agent": "WhatsApp", "headers": '{"host":"x"}'},
            NODE | {"method": "POST", "path": "/onion_req/v2", "user_agent": "WhatsApp", "headers": "{}", "content": "opaque"},
        ],
        "http_responses": [SEED | {"json": '{"result":{"service_node_states":[]}}'}],
        "dns_queries": [{"name": "seed1.getsession.org"}, {"name": MAKER, "process": "os"}],
        "events": [{"name": "app.message.receive", "corroborated_by": "peer", "phase": "steady"}],
        "settings": [
            {"key": key, "value": "false", "phase": "first-launch"}
            for key in ("link_previews", "read_receipts", "typing_indicators", "calls")
        ],
        "ui_fields": [{"phase": "account-create", "screen": "name", "label": "Display name", "input_type": "text"}],
        "manifest_entries": [
            {"kind": "flavor", "name": flavor},
            {"kind": "class", "name": "org.thoughtcrime.securesms.Main"},
            {"kind": "permission", "name": "android.permission.INTERNET"},
        ],
        "local_files": [{"path": "db", "digest": "d1", "change": "created", "phase": "account-create"}],
    }  # fmt: skip
    for table, extra in (more or {}).items():
        rows[table] = [*rows.get(table, []), *extra]
    seen = frozenset(CAPABILITIES) - {"transport.opened", "onion.opened", "identifiers.planted"}
    values = {"capabilities": frozenset(c for c in seen if not c.startswith("server."))}
    return make_capture(rows=rows, actions=ACTIONS, platform=CLIENTS[name], **(values | changes))


def outcomes(name: str, capture) -> dict[str, Outcome]:
    target = load_target(POLICY, name)
    return {v.check: v.outcome for v in judge(POLICY, capture, target=target).verdicts}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_that_keeps_every_promise_passes_all_that_a_recording_can_show(name):
    found = outcomes(name, evidence(name))
    judged = {check: o for check, o in found.items() if o is not Outcome.NOT_APPLICABLE}
    open_ = {check for check, outcome in judged.items() if outcome is not Outcome.PASS}
    builds = {"session.stores.build-without-store", "session.stores.build-without-store-contacts-none"}  # fmt: skip
    expected = SERVERS | (set() if name.endswith("website") else builds)
    assert open_ == expected & judged.keys()
    assert Outcome.FAIL not in judged.values()
    assert len(judged) >= 25


LEAKS = {
    "session.app.identity-beside-address": {"identifier_hits": [{"kind": "account_id", "recipient": "203.0.113.11", "location": "body"}]},
    "session.app.contacts-beside-address": {"identifier_hits": [{"kind": "contact_id", "recipient": "203.0.113.11"}]},
    "session.app.contents-on-the-wire": {"identifier_hits": [{"kind": "message", "recipient": "203.0.113.11"}]},
    "session.app.contents-in-onion": {"identifier_hits": [{"kind": "attachment_name", "layer": 3, "seen_as": "onion"}]},
    "session.app.device-identifiers-on-the-wire": {"identifier_hits": [{"kind": "device_model", "form": "sha256"}]},
    "session.app.device-identifiers-in-onion": {"identifier_hits": [{"kind": "locale", "layer": 3, "seen_as": "onion"}]},
    "session.app.identity-in-onion": {"identifier_hits": [{"kind": "email", "layer": 3, "seen_as": "onion"}]},
    "session.app.user-agent-generic": {"http_requests": [NODE | {"user_agent": "okhttp/4.12.0"}]},
    "session.app.nothing-left-behind": {"local_files": [{"path": "id", "change": "left", "phase": "removed"}]},
    "session.app.no-tracker-library": {"manifest_entries": [{"kind": "class", "name": "io.sentry.Sentry"}]},
    "session.app.sharing-off-by-default": {"settings": [{"key": "calls", "value": "true", "phase": "first-launch"}]},
    "session.app.account-asks-for-no-real-identity": {"ui_fields": [{"phase": "account-create", "screen": "x", "label": "Phone number", "input_type": "text"}]},
    "session.app.needed-hosts-by-default": {"conversations": [{"host": "api.giphy.com", "phase": "first-launch"}]},
    "session.seed.constant-call": {"http_requests": [SEED | {"method": "GET", "path": "/me", "user_agent": "WhatsApp"}]},
    "session.seed.first-contact": {"conversations": [{"host": "x.example", "first_contact": 1}]},
    "session.seed.shielded-by-tunnel": {"conversations": [{"iface": "wlan0", "in_tunnel": False, "vpn_up": True, "proto": "udp", "responder_ip": "198.51.100.7", "responder_port": 3478}]},
    "session.seed.no-real-address-through-tunnel": {"identifier_hits": [{"kind": "address", "vpn_up": True}]},
}  # fmt: skip
TELEMETRY = {"conversations": [{"host": "o1.ingest.sentry.io"}]}
UNKNOWN = {"process": "unknown"}


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("check", LEAKS)
def test_one_leak_breaks_the_check_of_its_clause(name, check):
    assert outcomes(name, evidence(name, LEAKS[check]))[check] is Outcome.FAIL


OWN = {"local_files", "manifest_entries", "settings", "ui_fields"}
"""Tables of the client's own things: whose they are is known."""


@pytest.mark.parametrize("check", [check for check, rows in LEAKS.items() if OWN.isdisjoint(rows)])
def test_a_leak_of_nobody_knows_whom_is_neither_excused_nor_blamed(check):
    (table, (row,)) = next(iter(LEAKS[check].items()))
    name = "session-desktop"
    found = outcomes(name, evidence(name, {table: [row | UNKNOWN]}))[check]
    assert found is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("name", CLIENTS)
def test_a_crash_service_is_the_apps_or_the_systems_by_whose_process_it_is(name):
    check = "session.app.no-telemetry"
    if CLIENTS[name] in {"android", "ios"}:
        check += "-beside-the-system"
    assert outcomes(name, evidence(name, TELEMETRY))[check] is Outcome.FAIL
    of_os = {"conversations": [TELEMETRY["conversations"][0] | {"process": "os", "transport": "tls-keys"}]}  # fmt: skip
    assert outcomes(name, evidence(name, of_os))[check] is Outcome.PASS


@pytest.mark.parametrize("name", ["session-android-play", "session-ios"])
def test_push_is_the_apps_own_and_allowed_on_phones_alone(name):
    capture = evidence(name, {"conversations": [PUSH]})
    check = "session.app.only-needed-recipients-on-phones"
    assert outcomes(name, capture)[check] is Outcome.PASS
    desktop = evidence("session-desktop", {"conversations": [PUSH]})
    found = outcomes("session-desktop", desktop)
    assert found["session.app.only-needed-recipients"] is Outcome.FAIL


@pytest.mark.parametrize("name", CLIENTS)
def test_an_import_proves_violations_and_nothing_else(name):
    changes = {"vantage": "import", "taps": ()}
    kept = outcomes(name, dataclasses.replace(evidence(name), **changes))
    passed = {check for check, outcome in kept.items() if outcome is Outcome.PASS}
    assert passed <= {
        "session.app.no-tracker-library", "session.app.sharing-off-by-default",
        "session.app.nothing-left-behind", "session.stores.build-without-store",
    }, "those that read files, settings and packages need no tap"  # fmt: skip
    check = "session.app.contents-on-the-wire"
    leaking = dataclasses.replace(evidence(name, LEAKS[check]), **changes)
    assert outcomes(name, leaking)[check] is Outcome.FAIL
