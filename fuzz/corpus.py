"""What is damaged: files made here, and real captures where a folder of them is given."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from fuzz import wrapping

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "captures" / "sample"
KEYS = {
    "schema": "audit/onion-keys@1",
    "keys": [{"x25519_private": "11" * 32, "ed25519_public": "22" * 32, "endpoint": "a:1"}],
}
IDENTITY = {
    "schema": "audit/identity@1",
    "identifiers": [{"kind": "email", "value": "kim@mail.example", "canary": True}],
}
HELLO = (
    b"GET /a?b=c HTTP/1.1\r\nHost: a.example\r\nCookie: d=e; f=g\r\nAccept-Encoding: gzip\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'd\r\n{"x": ["y"]}\n\r\n0\r\nT: u\r\n\r\n'
)


REPORT = b"""{"type": "networkActivity", "domain": "a.example", "bundleID": "com.example.app", "hits": 3, \
"timeStamp": "2023-11-14T22:13:20.000+01:00", "firstTimeStamp": "2023-11-14T22:13:10.000+01:00", \
"initiatedType": "AppInitiated", "context": "", "domainType": 1, "domainOwner": "A"}
{"type": "access", "accessor": {"identifier": "com.example.app", "identifierType": "bundleID"}, \
"category": "location", "kind": "intervalBegin", "identifier": "1", "timeStamp": "2023-11-14T22:13:20.000Z"}
"""
PCAPDROID = b"""IPProto,SrcIP,SrcPort,DstIp,DstPort,UID,App,PackageName,Proto,Status,Info,BytesSent,BytesRcvd,\
PktsSent,PktsRcvd,FirstSeen,LastSeen
6,10.215.173.1,40000,198.51.100.7,443,10123,An app,org.app,TLS,Closed,a.example,1000,2000,10,12,\
2024-01-01T10:00:00.123+0100,2024-01-01T10:00:02.123+0100
"""
TRACKERCONTROL = b"""uid,daddr,time,uncertain,Tracker,Category,Package,App
10123,metrics.example,1700000000000,0,Metrics,Analytics,org.app,An app
"""


_AT = {"ts": "2026-01-01T00:00:00Z", "visit": 1, "site": "a.example", "value": "v"}
_PAGE = "https://a.example/"
BROWSER = [
    {**_AT, "kind": "begin", "schema": "audit/browser@1"},
    {**_AT, "kind": "control", "token": "ab" * 16, "areas": ["cookie", "call"]},
    {**_AT, "kind": "visit", "url": _PAGE},
    {**_AT, "kind": "set-cookie", "by": "header", "url": _PAGE, "text": "u=1; Max-Age=99; Domain=a.example"},
    {**_AT, "kind": "cookie", "name": "u", "domain": ".a.example", "path": "/", "expires": 1.8e9,
     "http_only": True, "secure": True, "same_site": "Lax", "partition": None},
    {**_AT, "kind": "stored", "area": "local", "origin": _PAGE, "key": "k"},
    {**_AT, "kind": "call", "api": "canvas.toDataURL", "count": 1, "detail": "", "frame": _PAGE,
     "script": None},
    {**_AT, "kind": "request", "method": "GET", "url": _PAGE, "type": "Document", "frame": _PAGE,
     "document": _PAGE, "initiator": "other", "by": None},
    {**_AT, "kind": "form", "page": _PAGE, "action": _PAGE, "method": "POST",
     "fields": [{"name": "email", "type": "email"}]},
    {**_AT, "kind": "consent", "asked": False, "answer": "refuse", "ok": True},
    {**_AT, "kind": "gap", "what": "x", "blocks": "storage"},
    {**_AT, "kind": "aged", "seconds": 86400.0},
    {**_AT, "kind": "end"},
]  # fmt: skip
"""A browser's record, a line of each kind."""


def made() -> dict[str, bytes]:
    """Return files of every kind, small, by name."""
    har = {
        "log": {
            "version": "1.2",
            "creator": {"name": "x", "version": "1"},
            "entries": [
                {
                    "startedDateTime": "2023-11-14T22:13:20Z", "time": 1, "connection": "1",
                    "serverIPAddress": "203.0.113.5",
                    "request": {
                        "method": "POST", "url": "https://a.example/b?c=d", "httpVersion": "h2",
                        "headers": [{"name": "X", "value": "y"}],
                        "postData": {"mimeType": "application/json", "text": '{"a": 1}'},
                    },
                    "response": {
                        "status": 200, "headers": [], "content":
                        {"mimeType": "text/plain", "text": "aGk=", "encoding": "base64", "size": 2},
                    },
                    "_webSocketMessages": [
                        {"type": "send", "time": 1.5, "opcode": 2, "data": "aGk="}
                    ],
                }
            ],
        }
    }  # fmt: skip
    return {
        "streams.pcap": wrapping.streams(b"\0\0\x52" + HELLO),
        "websocket.pcap": wrapping.streams(b"\0\2\x80" + b"\x81\x85abcdefghi" + b"\x81\x02hi"),
        "http2.pcap": wrapping.streams(
            b"\0\3\xff" + b"\0\0\0\4\0\0\0\0\0\0\0\6\1\5\0\0\0\1\x82\x84\x86\x41\x01a"
        ),
        "datagrams.pcap": wrapping.datagrams(
            b"\0" + b"\0\1\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1"
        ),
        "packed.pcap.gz": gzip.compress(wrapping.streams(b"\0\0\x52" + HELLO)),
        "one.har": json.dumps(har).encode(),
        "tls.jsonl": json.dumps(
            {
                "ts": "2023-11-14T22:13:20Z", "client": "198.18.7.2:40000",
                "server": "203.0.113.5:443", "sni": "a.example",
                "outcome": "refused-by-client", "reason": "alert",
            }
        ).encode()
        + b"\n",
        "browser.jsonl": b"".join(json.dumps(line).encode() + b"\n" for line in BROWSER),
        "journal.jsonl": b'{"ts": "2023-11-14T22:13:20Z", "driver": "script", "action":'
        b' "app.idle", "facts": {"account": "05ab"}, "control": {"token": "ab", "echo": "a:1"}}\n',
        "identity.json": json.dumps(IDENTITY).encode(),
        "onion-keys.json": json.dumps(KEYS).encode(),
        "http.bin": HELLO,
        "report.ndjson": REPORT,
        "pcapdroid.csv": PCAPDROID,
        "trackercontrol.csv": TRACKERCONTROL,
    }  # fmt: skip


def committed() -> dict[str, bytes]:
    """Return the files of the committed sample bundle and of the shipped policies, by path."""
    found = {}
    policies = sorted((ROOT / "policies").rglob("*.yaml"))
    for path in [*sorted(SAMPLE.glob("*")), *policies[:: max(1, len(policies) // 12)]]:
        if path.is_file() and path.stat().st_size < 1 << 19:
            found[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    return found


def load(folder: Path | None) -> dict[str, bytes]:
    """Return all there is; ``folder`` holds further files, which are never committed."""
    found = made() | committed()
    if folder is not None and folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.suffix != ".tsv":
                found[path.name] = path.read_bytes()
    return found
