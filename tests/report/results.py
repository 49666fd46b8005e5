"""Results as the evaluator would give them, made by hand, with fixed times and digests."""

from __future__ import annotations

import hashlib
from pathlib import Path

from audit.model.outcome import Outcome, worst
from audit.model.result import (
    CaptureRef,
    ClauseRecord,
    Coverage,
    Evidence,
    Finding,
    Gate,
    PolicyRef,
    Reason,
    Result,
    Tool,
    VerdictRecord,
)

POLICIES = Path(__file__).resolve().parents[2] / "policies"
CLIENT = "[address:5d2c81]"
"""The client's own address, as redaction leaves it."""
JOURNEY = [
    "account.create: the peer got a message from this account",
    "app.message.send: the peer received the message, its digest is that of the planted text",
    "app.attachment.send: the peer received the file, same digest",
    "app.message.receive: the client read what the peer had sent, same digest",
]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def policy_text() -> str:
    """The text of the shipped policy."""
    return (POLICIES / "session" / "source.txt").read_text(encoding="utf-8")


def clauses() -> list[tuple[str, str, str, str]]:
    """The clauses of the shipped policy: id, section, kind, quote."""
    import yaml

    document = yaml.safe_load((POLICIES / "session" / "policy.yaml").read_text(encoding="utf-8"))
    return [(c["id"], c["section"], c["kind"], c["quote"]) for c in document["clauses"]]


def make_evidence(**fields: object) -> Evidence:
    values: dict[str, object] = {
        "capture": "session-python-intercepted",
        "file": "flows.mitm",
        "record": "3",
        "part": "request.body",
        "locator": "flows.mitm#3:request.body@120-186",
        "excerpt": '{"method":"store","params":{"pubkey":"[account_id:1f3a9c]","timestamp":"1776156062114","ttl":"1209600000"}}',
        "reasoning": "The request came straight from the client's own address, and its body holds the account id.",
        "conversation": f"tcp {CLIENT}:40312 > 203.0.113.12:22021",
        "ts": "2026-04-14T08:41:02.114250Z",
    }
    return Evidence.model_validate(values | fields)


def packet_evidence(**fields: object) -> Evidence:
    values: dict[str, object] = {
        "capture": "session-python-passive",
        "file": "packets.pcapng",
        "record": "17,18",
        "part": "tcp.sent",
        "locator": "packets.pcapng#17,18:tcp.sent@412-478",
        "excerpt": '…params":{"pubKey":"[account_id:1f3a9c]","lastHash":""}}',
        "reasoning": "Packets 17 and 18 carry the same request; their sender is the client's address.",
        "conversation": f"tcp {CLIENT}:40266 > 203.0.113.12:22021",
        "ts": "2026-04-14T08:39:58.207113Z",
    }
    return Evidence.model_validate(values | fields)


def make_finding(**fields: object) -> Finding:
    columns = {
        "kind": "account_id",
        "recipient": "storage_node",
        "location": "body $.params.pubkey",
    }
    values: dict[str, object] = {
        "id": "session.app.identity-beside-address/not-beside-the-address/1",
        "expectation": "not-beside-the-address",
        "severity": "critical",
        "message": "account_id sent to 203.0.113.12, which also sees the address of the client, in body $.params.pubkey as plain",
        "columns": columns,
        "fingerprint": sha(str(fields)),
        "count": 6,
        "evidence": [make_evidence(), packet_evidence()],
        "terms": {"dpv": "pd:AccountIdentifier", "fideslang": "user.unique_id.pseudonymous"},
    }
    return Finding.model_validate(values | fields)


def make_verdict(check: str, clause: str, outcome: Outcome, **fields: object) -> VerdictRecord:
    quotes = {clause_id: quote for clause_id, _, _, quote in clauses()}
    values: dict[str, object] = {
        "check": check,
        "clause": clause,
        "title": check,
        "severity": "high",
        "quote": quotes.get(clause, clause),
        "reading": "What the check takes the sentence to mean.",
        "outcome": outcome,
        "reasons": [],
        "limits": [],
        "leaned_on": [],
        "exercised": JOURNEY if outcome in {Outcome.PASS, Outcome.FAIL} else [],
        "findings": [],
    }
    return VerdictRecord.model_validate(values | fields)


def make_capture(
    name: str, version: str, pass_: str, start: str, end: str, **fields: object
) -> CaptureRef:
    files = [
        "flows.mitm",
        "identity.json",
        "journal.jsonl",
        "onion-keys.json",
        "packets.pcapng",
        "tls.jsonl",
    ]
    values: dict[str, object] = {
        "id": f"{name}-{pass_}",
        "digest": sha(name + pass_),
        "client": {
            "name": name,
            "version": version,
            "digest": sha(name + version),
            "command": ["python", "driver.py", "client"],
            "exit_code": 0,
        },
        "vantage": "netns",
        "pass": pass_,
        "device": "device-1",
        "install": f"install-{pass_}",
        "started_at": start,
        "ended_at": end,
        "digests": {
            file: sha(name + pass_ + file)
            for file in files
            if pass_ == "intercepted" or file != "flows.mitm"
        },
        "ladder": [{"name": "netns", "works": True, "reason": None}],
        "tools": {"audit": "0.1.0", "kernel": "6.1.0", "mitmproxy": "11.0.2", "python": "3.11.2"},
        "truncated": [],
        "limits": [],
    }
    return CaptureRef.model_validate(values | fields)


def make_coverage(**fields: object) -> Coverage:
    values: dict[str, object] = {
        "conversations": {
            "transport": {
                "plaintext": 14,
                "tls-keys": 11,
                "tls-intercepted": 12,
                "pinned-refused": 1,
            },
            "content": {"readable": 21, "mixed": 9, "opaque": 6, "empty": 2},
        },
        "bytes": {
            "transport": {
                "plaintext": 48_211,
                "tls-keys": 96_410,
                "tls-intercepted": 101_004,
                "pinned-refused": 3_912,
            },
            "content": {"readable": 61_870, "mixed": 88_400, "opaque": 99_112, "empty": 155},
        },
        "missed_by_proxy": [],
        "drops": {"packets": 0},
        "truncated": [],
        "unattributed": {"conversations": 0, "bytes": 0},
        "actions": [],
        "vantage": ["netns"],
        "recipients": [],
    }
    return Coverage.model_validate(values | fields)


def make_result(verdicts: list[VerdictRecord], **fields: object) -> Result:
    by_clause: dict[str, list[VerdictRecord]] = {}
    for verdict in verdicts:
        by_clause.setdefault(verdict.clause, []).append(verdict)
    records = [
        ClauseRecord(
            id=clause_id,
            quote=quote,
            section=section,
            kind=kind,
            outcome=worst(v.outcome for v in by_clause.get(clause_id, []) if v.status == "stable"),
            checks=[v.check for v in by_clause.get(clause_id, [])],
        )
        for clause_id, section, kind, quote in clauses()
    ]
    values: dict[str, object] = {
        "as_of": "2026-04-14T09:00:00Z",
        "tool": Tool(name="privacy-audit", version="0.1.0"),
        "policy": PolicyRef(
            id="session",
            title="Session privacy policy",
            sha256=sha(policy_text()),
            text=policy_text(),
        ),
        "target": {
            "name": "session-python",
            "title": "session-python, a third-party Python library",
            "platform": "library",
            "is_official": False,
            "remark": "An independent implementation; what is found here is about this library, not about the official apps.",
        },
        "captures": [
            make_capture(
                "session-python",
                "1.0.5",
                "passive",
                "2026-04-14T08:39:55.001200Z",
                "2026-04-14T08:40:01.907000Z",
            ),
            make_capture(
                "session-python",
                "1.0.5",
                "intercepted",
                "2026-04-14T08:41:00.204000Z",
                "2026-04-14T08:41:07.511000Z",
            ),
        ],
        "coverage": make_coverage(),
        "clauses": records,
        "verdicts": verdicts,
        "reported": [],
        "gate": Gate(exit_code=0, reasons=[]),
    }
    return Result.model_validate(values | fields)


def _actions() -> list[dict[str, object]]:
    rows = []
    for capture, minute, start in (
        ("session-python-passive", 39, 55.1),
        ("session-python-intercepted", 41, 0.4),
    ):
        seconds = start
        for name, phase, driver, by, wait in (
            ("app.install.clean", "install", "recorder", "recorder", 0.3),
            ("app.first-launch", "first-launch", "recorder", "recorder", 1.2),
            ("account.create", "account-create", "script", "peer", 1.1),
            ("app.message.send", "steady", "script", "peer", 0.9),
            ("app.attachment.send", "steady", "script", "peer", 1.4),
            ("app.message.receive", "steady", "script", "peer", 1.0),
        ):
            whole = minute * 60 + seconds
            ts = f"2026-04-14T08:{int(whole // 60):02d}:{whole % 60:09.6f}Z"
            rows.append(
                {
                    "capture": capture,
                    "name": name,
                    "phase": phase,
                    "ok": True,
                    "driver": driver,
                    "corroborated_by": by,
                    "ts": ts,
                    "note": "",
                }
            )
            seconds += wait
    return rows


def _hits(recipient: str, role: str, kind: str, n: int, **fields: object) -> dict[str, object]:
    row = {"recipient": recipient, "role": role, "kind": kind, "layer": 0, "seen_as": "client"}
    return row | {"forms": ["plain"], "count": n} | fields


def session_python() -> Result:
    """A client that breaks two promises, as the first demo target does."""
    files = {
        "kind": "account_id",
        "recipient": "file_server",
        "location": "query account",
    }
    contact = {
        "kind": "contact_id",
        "recipient": "storage_node",
        "location": "body $.params.pubKey",
    }
    leaned = [
        "journey cut to account.create, app.message.send, app.attachment.send, app.message.receive: the target's client can do no more"
    ]
    opaque = (
        "6 of 38 conversations hold content that no decoder explains; what they carry was not read"
    )
    no_onion = "no onion request was seen"
    opened = Reason(
        text="no onion request was seen, so nothing inside an onion could be judged",
        hint="record a client that sends onion requests, in the lab, whose nodes hand over their keys",
    )
    verdicts = [
        make_verdict(
            "session.app.identity-beside-address",
            "app.identity",
            Outcome.FAIL,
            title="No server sees who the account is next to the client's address",
            severity="critical",
            reading="Nothing that a server receives straight from the client holds the account's id, the recovery phrase, or a name, e-mail or phone number of the person, in any form.",
            findings=[
                make_finding(
                    fingerprint=sha("f1"),
                    expected="no identifier of the person is in anything sent to a server that sees the client's own address",
                ),
                make_finding(
                    id="session.app.identity-beside-address/not-beside-the-address/2",
                    message="account_id sent to filev2.getsession.org, which also sees the address of the client, in query account as base64",
                    columns=files,
                    fingerprint=sha("f2"),
                    count=1,
                    evidence=[
                        make_evidence(
                            record="9",
                            part="request.head",
                            locator="flows.mitm#9:request.head@18-106",
                            excerpt="POST /file?account=[account_id:1f3a9c]&ttl=14 HTTP/1.1\nHost: filev2.getsession.org\nContent-Type: application/octet-stream",
                            reasoning="The query of the upload holds the account id as base64; the connection came from the client's own address.",
                            conversation=f"tcp {CLIENT}:40388 > 198.51.100.20:80",
                            ts="2026-04-14T08:41:04.602000Z",
                        )
                    ],
                ),
            ],
            leaned_on=leaned,
            remediation="Reach storage nodes and the file server through the onion.",
            references=["MASVS-PRIVACY-2", "GDPR Art. 25"],
        ),
        make_verdict(
            "session.app.identity-in-onion",
            "app.identity",
            Outcome.NOT_OBSERVABLE,
            title="No server learns a real-world identity, inside the onion either",
            severity="critical",
            reading="What a server finds after opening its layer of an onion request holds no name, e-mail or phone number of the person.",
            reasons=[opened],
            attest={
                "question": "Do storage nodes and file server learn no real-world identity of an account?",
                "by": ["operator"],
                "valid_for": "180d",
                "needs": ["signed statement", "configuration of logging"],
            },
        ),
        make_verdict(
            "session.app.contacts-beside-address",
            "app.contacts",
            Outcome.FAIL,
            title="No server sees a contact next to the client's address",
            severity="critical",
            reading="Nothing that a server receives straight from the client holds a contact's id, in any form.",
            findings=[
                make_finding(
                    id="session.app.contacts-beside-address/not-beside-the-address/1",
                    message="contact_id sent to 203.0.113.14, which also sees the address of the client, in body $.params.pubKey as plain",
                    columns=contact,
                    fingerprint=sha("f3"),
                    count=4,
                    evidence=[
                        make_evidence(
                            record="5",
                            locator="flows.mitm#5:request.body@61-127",
                            excerpt='{"method":"get_swarm","params":{"pubKey":"[contact_id:77b0e2]"}}',
                            reasoning="The client asks a storage node straight from its own address for the swarm of its contact.",
                            conversation=f"tcp {CLIENT}:40330 > 203.0.113.14:22021",
                            ts="2026-04-14T08:41:03.220000Z",
                        ),
                        packet_evidence(
                            record="44,45,46,49",
                            part="tls.sent",
                            locator="packets.pcapng#44,45,46,49:tls.sent@233-299",
                            excerpt='…"method":"get_swarm","params":{"pubKey":"[contact_id:77b0e2]"}}',
                            conversation=f"tcp {CLIENT}:40291 > 203.0.113.14:22021",
                            ts="2026-04-14T08:39:59.480000Z",
                        ),
                    ],
                )
            ],
            leaned_on=leaned,
            remediation="Look up and reach the servers of a contact through the onion.",
        ),
        make_verdict(
            "session.app.contents-on-the-wire",
            "app.contents",
            Outcome.PASS,
            title="No message text, attachment or file name leaves in anything readable",
            severity="critical",
            reading="The text of the message, the attachment and its name, each a canary, are in nothing that the client sends and that can be read on the wire, in any form.",
            limits=[opaque],
            leaned_on=[],
        ),
        make_verdict(
            "session.app.only-needed-recipients",
            "app.no-collection",
            Outcome.PASS,
            title="The app contacts only the hosts that it needs",
            reading="Seed nodes, storage nodes, the file server, the official service hosts and the name server are the only recipients; no other name is looked up.",
            leaned_on=leaned,
        ),
        make_verdict(
            "session.app.no-telemetry",
            "app.no-collection",
            Outcome.PASS,
            title="The app sends no telemetry",
            reading="No analytics, crash or attribution service is contacted or looked up by the app's process, inside the onion either.",
            limits=[no_onion],
            leaned_on=leaned,
        ),
        make_verdict(
            "session.app.device-identifiers-on-the-wire",
            "app.device-identifiers",
            Outcome.PASS,
            title="No device identifier leaves in anything readable on the wire, in any encoding",
            severity="critical",
            reading="No planted or known device identifier appears, plain, encoded, compressed or hashed, in anything readable that the app sends.",
            limits=[opaque],
            leaned_on=leaned,
        ),
        make_verdict(
            "session.app.user-agent-generic",
            "app.device-identifiers",
            Outcome.PASS,
            title="The user agent is one constant, the same for every user and device",
            severity="medium",
            reading="Each app request sends an allowed constant or no user agent; no token names device, OS, build or language.",
            leaned_on=leaned,
        ),
        make_verdict(
            "session.app.account-needs-no-real-identity",
            "app.account",
            Outcome.PASS,
            title="An account is made and used without phone number, e-mail or user name being sent",
            reading="The account works although no phone number, e-mail or user name of the person is in anything that the client sends, at any layer that can be read.",
            limits=[opaque],
        ),
        make_verdict(
            "session.app.private-defaults",
            "app.private-by-default",
            Outcome.INCONCLUSIVE,
            title="With a fresh profile nothing optional is on",
            severity="high",
            status="experimental",
            reading="With a fresh profile and no setting changed, optional sharing is off and no optional host is contacted.",
            reasons=[
                Reason(
                    text="the action app.idle was not exercised in any recording that supplies what the check observes",
                    hint="record with an idle stretch of at least ten minutes: audit record --idle 10m",
                ),
                Reason(
                    text="2 rows are unsure: the app reached an address that no name and no node list explains",
                    hint=None,
                ),
            ],
            procedure="Start with an empty profile. Change no setting. Leave the client idle for ten minutes, then read its settings file.",
        ),
        make_verdict(
            "session.seed.first-contact",
            "seed.list-only",
            Outcome.PASS,
            title="The first server that a fresh install contacts is a seed node, and it serves the list of servers",
            severity="medium",
            reading="On a clean profile the first recipient besides the name server is a seed node, and its answer is the list of servers.",
        ),
        make_verdict(
            "session.seed.constant-call",
            "seed.blind",
            Outcome.PASS,
            title="A seed node is asked for the node list and nothing else",
            reading="Requests to seed nodes carry only the constant node-list call; no query, cookie, extra header or extra body key, and no value of the person or a contact.",
        ),
        make_verdict(
            "session.stores.os-telemetry",
            "stores.os-telemetry",
            Outcome.NOT_APPLICABLE,
            title="Operating system telemetry is listed apart",
            severity="info",
            reading="Traffic of the operating system is listed, never excused when the app's own process sends it.",
        ),
    ]
    recipients = [
        {
            "recipient": "198.51.100.53",
            "role": "resolver",
            "owner": None,
            "process": "app",
            "conversations": 6,
            "bytes": 812,
        },
        {
            "recipient": "seed1.getsession.org",
            "role": "seed",
            "owner": None,
            "process": "app",
            "conversations": 4,
            "bytes": 22_114,
        },
        {
            "recipient": "filev2.getsession.org",
            "role": "file_server",
            "owner": None,
            "process": "app",
            "conversations": 4,
            "bytes": 66_731,
        },
        {
            "recipient": "203.0.113.12",
            "role": "storage_node",
            "owner": None,
            "process": "app",
            "conversations": 14,
            "bytes": 101_532,
        },
        {
            "recipient": "203.0.113.14",
            "role": "storage_node",
            "owner": None,
            "process": "app",
            "conversations": 10,
            "bytes": 58_348,
        },
    ]
    spans = {
        "198.51.100.53": [(0.9, 1.0), (4.1, 4.2)],
        "seed1.getsession.org": [(1.0, 1.6)],
        "203.0.113.14": [(2.4, 3.4), (5.3, 5.9)],
        "203.0.113.12": [(1.8, 3.1), (3.6, 3.8), (5.6, 6.4)],
        "filev2.getsession.org": [(4.2, 5.0)],
    }
    timeline = [
        {
            "capture": capture,
            "recipient": recipient,
            "spans": [
                [
                    f"2026-04-14T08:{minute:02d}:{base + a:09.6f}Z",
                    f"2026-04-14T08:{minute:02d}:{base + b:09.6f}Z",
                ]
                for a, b in pairs
            ],
        }
        for capture, minute, base in (("session-python-intercepted", 41, 0.2),)
        for recipient, pairs in spans.items()
    ]
    coverage = make_coverage(
        missed_by_proxy=[
            {
                "capture": "session-python-intercepted",
                "conversation": f"tcp {CLIENT}:40402 > 198.51.100.2:4443",
                "recipient": "seed2.getsession.org",
                "reason": "the client refused the proxy's certificate (alert unknown_ca)",
                "bytes": 3_912,
            },
            {
                "capture": "session-python-intercepted",
                "conversation": "udp [2001:db8:7::2]:51820 > [2001:db8:9::1]:3478",
                "recipient": "2001:db8:9::1",
                "reason": "not TCP: the proxy does not carry it",
                "bytes": 164,
            },
        ],
        recipients=recipients,
        actions=_actions(),
        timeline=timeline,
        who_got_what=[
            _hits("203.0.113.12", "storage_node", "account_id", 6),
            _hits("203.0.113.14", "storage_node", "account_id", 1),
            _hits("203.0.113.14", "storage_node", "contact_id", 4),
            _hits("filev2.getsession.org", "file_server", "account_id", 1, forms=["base64"]),
            _hits("203.0.113.12", "storage_node", "display_name", 2, layer=2, seen_as="onion"),
        ],
    )
    return make_result(
        verdicts,
        coverage=coverage,
        reported=[
            {
                "check": "session.app.no-telemetry",
                "id": "official-services",
                "title": "Hosts of the operator, announced by the policy",
                "columns": ["recipient", "peer_role", "bytes_out", "first_seen"],
                "rows": [
                    ["seed1.getsession.org", "seed", 1_204, "2026-04-14T08:39:56.120000Z"],
                    {
                        "recipient": "filev2.getsession.org",
                        "peer_role": "file_server",
                        "bytes_out": 60_911,
                        "first_seen": "2026-04-14T08:40:00.002000Z",
                    },
                ],
                "count": 3,
            }
        ],
        gate=Gate(
            exit_code=1,
            reasons=[
                "session.app.contacts-beside-address is fail, critical: 1 finding",
                "session.app.identity-beside-address is fail, critical: 2 findings",
            ],
        ),
    )


def messenger() -> Result:
    """A client that routes through the onion and gives itself away by its user agent."""
    capture = "sessionpy-messenger-passive"
    agent = make_finding(
        id="session.app.user-agent-generic/allowed-constant/1",
        expectation="allowed-constant",
        severity="medium",
        message="python-requests/2.32.5 sent to 203.0.113.16",
        columns={"recipient": "storage_node", "user_agent": "python-requests/2.32.5"},
        fingerprint=sha("ua"),
        count=9,
        evidence=[
            packet_evidence(
                capture=capture,
                record="61",
                part="request.body/onion.2",
                locator="packets.pcapng#61:request.body/onion.2@0-88",
                excerpt="POST /storage_rpc/v1 HTTP/1.1\nUser-Agent: python-requests/2.32.5",
                reasoning="The user agent is not the constant of the official clients.",
            )
        ],
    )
    verdicts = [
        make_verdict(
            "session.app.identity-beside-address",
            "app.identity",
            Outcome.PASS,
            severity="critical",
            title="No server sees who the account is next to the client's address",
        ),
        make_verdict(
            "session.app.contacts-beside-address",
            "app.contacts",
            Outcome.PASS,
            severity="critical",
            title="No server sees a contact next to the client's address",
        ),
        make_verdict(
            "session.app.contents-on-the-wire",
            "app.contents",
            Outcome.PASS,
            severity="critical",
            title="No message text, attachment or file name leaves in anything readable",
        ),
        make_verdict(
            "session.app.only-needed-recipients",
            "app.no-collection",
            Outcome.PASS,
            title="The app contacts only the hosts that it needs",
        ),
        make_verdict(
            "session.app.user-agent-generic",
            "app.device-identifiers",
            Outcome.FAIL,
            severity="medium",
            title="The user agent is one constant, the same for every user and device",
            findings=[agent],
        ),
        make_verdict(
            "session.app.account-needs-no-real-identity",
            "app.account",
            Outcome.PASS,
            title="An account is made and used without phone number, e-mail or user name being sent",
        ),
        make_verdict(
            "session.seed.first-contact",
            "seed.list-only",
            Outcome.PASS,
            severity="medium",
            title="The first server that a fresh install contacts is a seed node",
        ),
        make_verdict(
            "session.seed.constant-call",
            "seed.blind",
            Outcome.INCONCLUSIVE,
            title="A seed node is asked for the node list and nothing else",
            reasons=[
                Reason(
                    text="no request to a seed node was seen", hint="start from an empty profile"
                )
            ],
        ),
    ]
    return make_result(
        verdicts,
        target={
            "name": "sessionpy-messenger",
            "title": "sessionpy-messenger, a third-party Python library",
            "platform": "library",
            "is_official": False,
            "remark": "",
        },
        captures=[
            make_capture(
                "sessionpy-messenger",
                "0.1.0",
                "passive",
                "2026-04-14T08:50:00.000000Z",
                "2026-04-14T08:50:08.000000Z",
            )
        ],
        gate=Gate(
            exit_code=4, reasons=["session.seed.constant-call is inconclusive, high needs pass"]
        ),
    )


def misbehaving(n: int = 14) -> Result:
    """A client that sends planted identifiers to a tracker: many findings of one check."""
    kinds = [
        "address",
        "mac",
        "host_name",
        "device_model",
        "serial",
        "ad_id",
        "android_id",
        "email",
        "phone",
        "user_name",
        "locale",
        "time_zone",
    ]
    forms = ["plain", "base64", "hex", "sha256", "reversed", "utf16", "percent", "md5"]
    findings = [
        make_finding(
            id=f"session.app.device-identifiers-on-the-wire/no-hit/{i}",
            expectation="no-hit",
            message=f"{kinds[i % 12]} sent to {('metrics.example', 'tracker.example', '198.18.44.1')[i % 3]} in body $.device[{i}] as {forms[i % 8]}",
            columns={
                "kind": kinds[i % 12],
                "recipient": ("metrics.example", "tracker.example", "198.18.44.1")[i % 3],
                "location": f"body $.device[{i}]",
            },
            fingerprint=sha(f"m{i}"),
            count=1 + i % 4,
            evidence=[
                make_evidence(
                    record=str(20 + i),
                    locator=f"flows.mitm#{20 + i}:request.body@{40 + i}-{90 + i}",
                    excerpt=f'{{"device":{{"v{i}":"[{kinds[i % 12]}:{i:06x}]"}}}}',
                    conversation=f"tcp {CLIENT}:{41000 + i} > 198.51.100.90:443",
                )
            ],
        )
        for i in range(n)
    ]
    verdicts = [
        make_verdict(
            "session.app.device-identifiers-on-the-wire",
            "app.device-identifiers",
            Outcome.FAIL,
            severity="critical",
            title="No device identifier leaves in anything readable on the wire, in any encoding",
            findings=findings,
        ),
        make_verdict(
            "session.app.no-telemetry",
            "app.no-collection",
            Outcome.FAIL,
            title="The app sends no telemetry",
            findings=[
                make_finding(
                    id="x",
                    message="looked up metrics.example",
                    columns={"name": "metrics.example"},
                    fingerprint=sha("dns"),
                    count=2,
                    evidence=[
                        packet_evidence(
                            record="7",
                            part="dns",
                            locator="packets.pcapng#7:dns@0-33",
                            excerpt="metrics.example A",
                            conversation=f"udp {CLIENT}:5353 > 198.51.100.53:53",
                        )
                    ],
                )
            ],
        ),
        make_verdict(
            "session.app.contents-on-the-wire",
            "app.contents",
            Outcome.PASS,
            severity="critical",
            title="No message text, attachment or file name leaves in anything readable",
        ),
    ]
    return make_result(verdicts, gate=Gate(exit_code=1, reasons=["2 checks fail"]))
