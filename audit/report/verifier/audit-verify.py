#!/usr/bin/env python3
"""Re-derive what a privacy audit's result.json says from the recording itself.

One file, Python 3.9 or newer, nothing but its standard library. It shares no code with the program
that wrote the report: it reads the formats anew, so that whoever disputes a finding can.

    python3 audit-verify.py                          check everything, list the findings
    python3 audit-verify.py FINDING                  show the bytes behind one finding
    python3 audit-verify.py --capture FOLDER ...     where the recordings lie

Exit codes: 0 all is as the result says, 1 something differs, 2 wrong call.

What it proves: the recording is byte for byte the one that was judged; every finding's bytes lie
where the result says, in the packets that it names; decoded as it says they are the value it
names; the excerpt is made of these bytes; the fingerprint is that of the columns. What it cannot
do it says: HTTP/2, onion layers and CBC cipher suites are not opened here.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import html
import io
import ipaddress
import json
import os
import re
import struct
import sys
import unicodedata
import urllib.parse
import zipfile
import zlib
from bisect import bisect_right

READ_LIMIT = 1 << 30
"""Bytes of one file that are read."""
PACKET_LIMIT = 5_000_000
STREAM_LIMIT = 64 << 20
STREAMS_KEPT = 16
"""Streams that are kept for the next piece of evidence."""
TLS_LIMIT = 8 << 20
"""Bytes of one direction that are decrypted: AES in Python is slow."""
INFLATE_LIMIT = 16 << 20
PIECE_LIMIT = 256
"""Decoded pieces that are kept for one step."""
SHOWN = 512
"""Bytes of one piece of evidence that are printed, without --whole."""
AROUND = 32
"""Bytes before and after that are printed with it."""


class Unable(Exception):
    """Something cannot be derived here, and why."""


class Differs(Exception):
    """Something is not as the result says."""


# -- output that a terminal cannot be harmed by


def safe(text, longest=400):
    """Return any value as one line of printable ASCII."""
    text = text if isinstance(text, str) else repr(text)
    cut = text[:longest] + ("..." if len(text) > longest else "")
    return "".join(
        c if " " <= c <= "~" else c.encode("unicode_escape", "replace").decode() for c in cut
    )


def say(text=""):
    """Print a line that holds nothing but printable ASCII."""
    sys.stdout.write("".join(c if " " <= c <= "~" else "?" for c in text) + "\n")


def hexdump(data, base, start, end):
    """Print bytes as hex and text; those in [start, end) are marked."""
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        cells = []
        for i, byte in enumerate(row):
            inside = start <= base + at + i < end
            cells.append(("%02x" % byte) + ("*" if inside else " "))
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        say("      %08x  %-48s |%s|" % (base + at, "".join(cells), text))


# -- digests


def sha256_of(path):
    """Return the SHA-256 of a file, read in blocks."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()


def joint_digest(digests):
    """Return the digest that names a capture: of the sorted lines 'sha256  path'."""
    lines = "".join("%s  %s\n" % (digests[name], name) for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_file(path):
    """Return a file's bytes; raises Unable beyond the bound."""
    if os.path.getsize(path) > READ_LIMIT:
        raise Unable("%s is larger than %d bytes" % (os.path.basename(path), READ_LIMIT))
    with open(path, "rb") as file:
        return file.read(READ_LIMIT + 1)


def strict_json(data):
    """Read JSON in which no key stands twice."""

    def pairs(items):
        found = dict(items)
        if len(found) != len(items):
            raise ValueError("a key stands twice")
        return found

    return json.loads(data.decode("utf-8"), object_pairs_hook=pairs)


# -- canonical JSON (RFC 8785), to see that result.json is written as it was


def canonical(value):
    """Return canonical JSON; numbers beyond integers as Python writes them."""
    if isinstance(value, dict):
        order = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in order) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    return json.dumps(value, ensure_ascii=False)


# -- captures


class Capture:
    """One recording: a bundle folder, or a bare file."""

    def __init__(self, place, files, digests, manifest=None, withheld=()):
        self.place = place
        self.files = files
        """Name that references use -> path."""
        self.digests = digests
        self.manifest = manifest
        self.withheld = tuple(withheld)
        self.digest = (
            next(iter(digests.values()))
            if manifest is None and len(digests) == 1
            else joint_digest(digests)
        )
        self.identity = []
        self.key = None
        self._packets = None
        self._flows = None
        self._entries = None
        if "identity.json" in files:
            self._read_identity(files["identity.json"])

    def _read_identity(self, path):
        data = strict_json(read_file(path))
        self.identity = [(item["kind"], item["value"]) for item in data["identifiers"]]
        self.key = subject_key(self.identity)

    def path(self, name):
        """Return the path of a file that a reference names."""
        if name not in self.files:
            raise Unable("%s is not in the recording at hand" % safe(name))
        return self.files[name]

    def packets(self, name):
        """Return the packet index of a capture file."""
        if self._packets is None:
            self._packets = Packets(read_file(self.path(name)))
        return self._packets

    def flow(self, name, number):
        """Return the state of a flow of mitmproxy's dump."""
        if self._flows is None:
            self._dump = read_file(self.path(name))
            self._flows = list(flow_records(self._dump))
        if not 1 <= number <= len(self._flows):
            raise Differs("%s has no record %d" % (safe(name), number))
        return self._flows[number - 1][0]

    def record(self, name, number):
        """Return the bytes of a whole record of mitmproxy's dump."""
        self.flow(name, number)
        return self._dump[slice(*self._flows[number - 1][1:])]

    def entry(self, name, number):
        """Return an entry of an HTTP archive."""
        if self._entries is None:
            data = read_file(self.path(name))
            try:
                self._entries = json.loads(data.decode("utf-8-sig", "surrogateescape"))["log"]
            except (ValueError, KeyError, TypeError):
                raise Unable("this archive is read by the toolkit alone") from None
        entries = self._entries["entries"]
        if not 1 <= number <= len(entries):
            raise Differs("%s has no entry %d" % (safe(name), number))
        return self._entries, entries[number - 1]


def subject_key(identifiers):
    """Return the key of a subject's pseudonyms; None without identifiers."""
    if not identifiers:
        return None
    listed = json.dumps(sorted(set(identifiers)), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(b"audit/identity@1\0" + listed.encode("utf-8", "surrogatepass")).digest()


def pseudonym(key, kind, value):
    """Return what a value is called in a report."""
    digest = hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return "[%s:%s]" % (kind, digest[:6])


SECRET_FILES = ("identity.json", "onion-keys.json")


def open_bundle(folder, problems):
    """Open a bundle; whatever is not as its manifest says goes to ``problems``."""
    manifest = strict_json(read_file(os.path.join(folder, "capture.json")))
    recorded = manifest.get("files") or {}
    files, found = {}, {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            inside = os.path.relpath(path, folder).replace(os.sep, "/")
            if inside == "capture.json":
                continue
            if os.path.islink(path) or not os.path.isfile(path):
                problems.append("%s is no plain file" % safe(inside))
                continue
            files[inside] = path
            found[inside] = sha256_of(path)
    where = safe(str(manifest.get("id")))
    if manifest.get("status") != "complete":
        return Capture(folder, files, found, manifest)
    withheld = []
    for name in sorted(recorded):
        if name not in found and name in SECRET_FILES:
            withheld.append(name)
        elif name not in found:
            problems.append("%s: %s is missing" % (where, safe(name)))
        elif found[name] != recorded[name]:
            problems.append("%s: %s is not the file that was recorded" % (where, safe(name)))
    for name in sorted(set(found) - set(recorded)):
        problems.append("%s: %s is not in the manifest" % (where, safe(name)))
    return Capture(folder, files, dict(recorded), manifest, withheld)


def find_captures(named, result_path, wanted):
    """Return the captures that could be found: named ones, else those near the result."""
    problems, found = [], []
    places = list(named)
    if not places:
        here = os.path.dirname(os.path.abspath(result_path))
        for base in (
            here,
            os.path.dirname(here),
            os.path.dirname(os.path.dirname(here)),
            os.getcwd(),
        ):
            places += sorted(bundles_below(base))
    seen = set()
    for place in places:
        real = os.path.realpath(place)
        if real in seen:
            continue
        seen.add(real)
        try:
            if os.path.isdir(place):
                said = []
                capture = open_bundle(place, said)
                if named or capture.digest in wanted:
                    problems += said
                    found.append(capture)
            else:
                name = os.path.basename(place)
                found.append(Capture(place, {name: place}, {name: sha256_of(place)}))
        except (OSError, ValueError, KeyError, TypeError, RecursionError, Unable) as error:
            if named:
                problems.append("%s cannot be read: %s" % (safe(place), safe(str(error))))
    bare = [capture for capture in found if capture.manifest is None]
    if len(bare) > 1:
        files = {name: path for one in bare for name, path in one.files.items()}
        digests = {name: digest for one in bare for name, digest in one.digests.items()}
        found.append(Capture("", files, digests))
    return found, problems


def bundles_below(base):
    """Yield folders with a capture.json, at most three levels down, of the first two thousand."""
    count = 0
    for top in (base, os.path.join(base, "captures")):
        for folder, names, files in os.walk(top):
            depth = os.path.relpath(folder, top).count(os.sep)
            count += 1
            if count > 2000:
                return
            if depth >= 2:
                names[:] = []
            names[:] = [name for name in names if not name.startswith(".")]
            if "capture.json" in files:
                yield folder


# -- references


REFERENCE = re.compile(
    r"(?P<file>[^#]+)(?:#(?P<records>\d{1,12}(?:,\d{1,12})*))?(?::(?P<part>[^@]+))?"
    r"(?:@(?P<start>\d{1,15})-(?P<end>\d{1,15}))?\Z"
)


class Reference:
    """FILE#RECORDS:PART@START-END."""

    def __init__(self, text):
        match = REFERENCE.match(text)
        if not match:
            raise Differs("%s is no reference" % safe(text))
        self.file = match["file"]
        self.records = (
            [int(word) for word in match["records"].split(",")] if match["records"] else []
        )
        self.part = match["part"]
        self.start = int(match["start"]) if match["start"] else None
        self.end = int(match["end"]) if match["end"] else None


class Bytes:
    """Bytes of a part, and what was noticed on the way."""

    def __init__(self, data, base=0, notes=()):
        self.data = data
        self.base = base
        """Offset of data[0] in the part."""
        self.notes = list(notes)


def resolve(capture, ref):
    """Return the whole part that a reference counts in; raises Unable or Differs."""
    lower = ref.file.lower()
    if lower.endswith((".pcapng", ".pcap", ".cap")) or (ref.part or "").split(".")[0] in (
        "tcp",
        "tls",
        "frame",
    ):
        if not lower.endswith((".mitm", ".har")):
            return packet_bytes(capture, ref)
    if lower.endswith(".har"):
        return Bytes(archive_bytes(capture, ref))
    if lower.endswith(".mitm") and ref.part is None and len(ref.records) == 1:
        return Bytes(capture.record(ref.file, ref.records[0]))
    if (ref.part or "").startswith(
        ("request", "response", "websocket", "tcp", "udp", "dns", "tls")
    ):
        return Bytes(flow_bytes(capture, ref))
    return Bytes(line_bytes(capture, ref))


def line_bytes(capture, ref):
    """Return lines of a text file (journals, logs, lists), or the whole file."""
    data = read_file(capture.path(ref.file))
    if not ref.records:
        return data
    if ref.part:
        raise Unable(
            "the part %s of %s is read by the toolkit alone" % (safe(ref.part), safe(ref.file))
        )
    lines = data.split(b"\n")
    if max(ref.records) > len(lines):
        raise Differs("%s has no line %d" % (safe(ref.file), max(ref.records)))
    return b"\n".join(lines[number - 1] for number in ref.records)


# -- mitmproxy's dump: typed netstrings (LEN:payload TYPE)


def tnetstring(data, at, depth=0):
    """Return the value at an offset, and where it ends."""
    colon = data.find(b":", at, at + 13)
    digits = data[at:colon] if colon > 0 else b""
    if not digits.isdigit() or depth > 32:
        raise Differs("the dump is damaged at byte %d" % at)
    first = colon + 1
    last = first + int(digits)
    if last >= len(data):
        raise Differs("the dump ends inside a record")
    kind = data[last : last + 1]
    payload = data[first:last] if kind in b",;#^!~" else b""
    if kind == b",":
        return payload, last + 1
    if kind == b";":
        return payload.decode("utf-8", "surrogateescape"), last + 1
    if kind == b"#":
        return int(payload[:64]), last + 1
    if kind == b"^":
        return float(payload[:64]), last + 1
    if kind == b"!":
        return payload == b"true", last + 1
    if kind == b"~":
        return None, last + 1
    if kind in b"]}":
        items, place = [], first
        while place < last:
            item, place = tnetstring(data, place, depth + 1)
            items.append(item)
        if kind == b"]":
            return items, last + 1
        keys = [key.decode("latin-1") if isinstance(key, bytes) else key for key in items[::2]]
        return dict(zip(keys, items[1::2])), last + 1
    raise Differs("the dump is damaged at byte %d" % at)


def flow_records(data):
    """Yield the records of a dump."""
    at = 0
    while at < len(data):
        start = at
        value, at = tnetstring(data, at)
        yield value, start, at


def octets(value):
    """Return bytes of a state's value."""
    if isinstance(value, bytes):
        return value
    return ("" if value is None else str(value)).encode("utf-8", "surrogateescape")


def head_of(first, headers):
    """Return the canonical head: first line, a header a line, an empty line."""
    lines = [first] + [octets(name) + b": " + octets(value) for name, value in headers or []]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def message_part(side, name, first, headers, body, trailers):
    """Return head, body or trailers of an HTTP message."""
    if name == "head":
        return head_of(first, headers)
    if name == "body":
        if body is None:
            raise Differs("the %s has no body there" % side)
        return octets(body)
    if name == "trailers":
        return (
            b"".join(octets(k) + b": " + octets(v) + b"\r\n" for k, v in trailers or []) + b"\r\n"
        )
    raise Unable("the part %s.%s is read by the toolkit alone" % (side, safe(name)))


def flow_bytes(capture, ref):
    """Return a part of a flow."""
    if len(ref.records) != 1:
        raise Differs("a flow has one number")
    state = capture.flow(ref.file, ref.records[0])
    if (
        not isinstance(state, dict)
        or not isinstance(state.get("version"), int)
        or state["version"] < 15
    ):
        raise Unable("dumps of so old a mitmproxy are read by the toolkit alone")
    part, _, deeper = (ref.part or "").partition("/")
    if deeper.startswith("unfolded."):
        return unfolded(
            flow_bytes(capture, Reference("%s#%d:%s" % (ref.file, ref.records[0], part))), deeper
        )
    if deeper:
        raise Unable(not_opened(deeper))
    try:
        return flow_part(state, part)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError):
        raise Differs("flow %d has no part %s" % (ref.records[0], safe(part))) from None


def flow_part(state, part):
    """Return a part of a flow's state."""
    side, _, name = part.partition(".")
    if part == "request.authority":
        return octets(state["request"]["authority"])
    if part == "request.host":
        return octets(state["request"]["host"] or state["server_conn"]["address"][0])
    if part == "tls.sni":
        return octets(state["client_conn"]["sni"])
    if part == "dns":
        question = state["request"]["questions"][0]
        return octets(question["name"])
    if side == "dns":
        kind, _, place = name.partition(".")
        return octets(state["request"][kind][int(place) - 1]["data"])
    if side in ("request", "response"):
        message = state[side]
        if side == "request":
            first = b" ".join(octets(message[key]) for key in ("method", "path", "http_version"))
        else:
            code = b"%d" % message["status_code"]
            first = b" ".join([octets(message["http_version"]), code, octets(message["reason"])])
        return message_part(
            side, name, first, message["headers"], message["content"], message["trailers"]
        )
    if side == "websocket":
        messages = state["websocket"]["messages"]
        if int(name) <= len(messages):
            return octets(messages[int(name) - 1][2])
        code = state["websocket"]["close_code"]
        reason = octets(state["websocket"]["close_reason"] or "")
        return b"" if code == 1005 else struct.pack(">H", code) + reason
    if side in ("tcp", "udp"):
        chosen = name == "sent"
        return b"".join(octets(one[1]) for one in state["messages"] if (one[0] is True) == chosen)
    raise Unable("the part %s is read by the toolkit alone" % safe(part))


def unfolded(head, deeper):
    """Return a header value of several lines, joined, that begins at a byte of its head."""
    start = int(deeper.partition(".")[2])
    end = start
    while True:
        end = head.find(b"\r\n", end)
        if end < 0 or head[end + 2 : end + 3] not in (b" ", b"\t"):
            break
        end += 2
    return re.sub(rb"\r?\n[ \t]+", b"", head[start : end if end >= 0 else len(head)])


# -- HTTP archives


def archive_bytes(capture, ref):
    """Return a part of an archive's entry, for archives of a common shape."""
    if len(ref.records) != 1:
        raise Differs("an entry has one number")
    log, entry = capture.entry(ref.file, ref.records[0])
    part, _, deeper = (ref.part or "").partition("/")
    if deeper:
        raise Unable(not_opened(deeper))
    if not part:
        return json.dumps(entry, sort_keys=True).encode()
    side, _, name = part.partition(".")
    try:
        message = entry[side]
        headers = [
            (h["name"], h["value"]) if isinstance(h, dict) else tuple(h)
            for h in message.get("headers") or []
        ]
        if side == "request":
            url = urllib.parse.urlsplit(message["url"].strip())
            target = (url.path or "/") + ("?" + url.query if url.query else "")
            first = [message["method"], target, message.get("httpVersion") or "HTTP/1.1"]
        else:
            first = [
                message.get("httpVersion") or "HTTP/1.1",
                str(message["status"]),
                message.get("statusText") or "",
            ]
        if name == "head":
            return head_of(" ".join(first).encode("utf-8", "surrogateescape"), headers)
        if part == "request.host":
            return url.netloc.rpartition("@")[2].encode("utf-8", "surrogateescape")
        if part == "request.user":
            return url.netloc.rpartition("@")[0].encode("utf-8", "surrogateescape")
        if name == "body":
            return archive_body(log, message, side)
        if name.startswith("listed"):
            raise Unable("what an archive lists apart is read by the toolkit alone")
        if side == "websocket":
            raise Unable("WebSocket messages of archives are read by the toolkit alone")
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Unable("this entry's shape is read by the toolkit alone") from None
    raise Unable("the part %s is read by the toolkit alone" % safe(part))


def archive_body(log, message, side):
    """Return the body of an entry's request or answer."""
    found = message.get("postData" if side == "request" else "content") or {}
    text = found["text"]
    if str(found.get("encoding")).lower() == "base64":
        return base64.b64decode(text)
    creator = str((log.get("creator") or {}).get("name") or "").lower()
    kind = str(found.get("mimeType") or "")
    bytewise = not kind or kind.startswith(("application/octet-stream", "application/grpc"))
    if side == "request" and creator.startswith("mitmproxy") and bytewise:
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            pass
    return text.encode(
        "utf-8",
        "surrogateescape" if any("\udc80" <= c <= "\udcff" for c in text) else "surrogatepass",
    )


def not_opened(deeper):
    """Say why a part below another is not opened here."""
    if deeper.startswith("onion"):
        return "an onion layer is opened with the node keys by the toolkit alone (audit tables)"
    if deeper.startswith("h2"):
        return "HTTP/2 is unpacked by the toolkit alone; tshark shows it as well"
    return "the part below (%s) is unpacked by the toolkit alone" % safe(deeper)


# -- packets: pcap and pcapng


class Packet:
    """One frame, and where its transport payload lies."""

    __slots__ = (
        "ack",
        "flags",
        "flow",
        "number",
        "payload",
        "proto",
        "seq",
        "size",
        "ts",
    )


class Packets:
    """Index of a capture file: frames by number, secrets, conversations."""

    def __init__(self, data):
        if data[:2] == b"\x1f\x8b":
            data = inflate(data, 31, READ_LIMIT)
        self.data = data
        self.frames = []
        """(offset, captured length, link type, ns since 1970) of each packet."""
        self.secrets = {}
        """Client random -> label -> secret."""
        if data[:4] == b"\n\r\r\n":
            self._pcapng()
        else:
            self._pcap()
        self.streams = {}
        """Number of a connection's first packet and flow -> stream and that of the other way."""
        self._parsed = {}
        self._flows = None

    def _pcap(self):
        magics = {
            b"\xd4\xc3\xb2\xa1": ("<", 1000),
            b"\xa1\xb2\xc3\xd4": (">", 1000),
            b"\x4d\x3c\xb2\xa1": ("<", 1),
            b"\xa1\xb2\x3c\x4d": (">", 1),
        }
        if self.data[:4] not in magics or len(self.data) < 24:
            raise Unable("this capture file is of a kind that is not read here")
        order, unit = magics[self.data[:4]]
        link = struct.unpack_from(order + "I", self.data, 20)[0] & 0xFFFF
        at = 24
        while at + 16 <= len(self.data) and len(self.frames) < PACKET_LIMIT:
            sec, part, length, _ = struct.unpack_from(order + "IIII", self.data, at)
            if at + 16 + length > len(self.data):
                break
            self.frames.append((at + 16, length, link, sec * 10**9 + part * unit))
            at += 16 + length

    def _pcapng(self):
        data, at, order, links = self.data, 0, "<", []
        while at + 12 <= len(data) and len(self.frames) < PACKET_LIMIT:
            if data[at : at + 4] == b"\n\r\r\n":
                order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
                links = []
            kind, length = struct.unpack_from(order + "II", data, at)
            if length < 12 or length % 4 or at + length > len(data):
                break
            self._block(kind, order, at, length, links)
            at += length

    def _block(self, kind, order, at, length, links):
        data = self.data
        if kind == 1 and length >= 20:
            links.append(
                (
                    struct.unpack_from(order + "H", data, at + 8)[0],
                    self._unit(order, at + 16, at + length - 4),
                )
            )
        elif kind in (2, 6) and length >= 32:
            if kind == 6:
                interface, high, low, size = struct.unpack_from(order + "IIII", data, at + 8)
            else:
                interface, _, high, low, size = struct.unpack_from(order + "HHIII", data, at + 8)
            link, unit = links[interface] if interface < len(links) else (1, 1000)
            size = min(size, length - 32)
            self.frames.append((at + 28, size, link, ((high << 32) | low) * unit))
        elif kind == 3 and length >= 16:
            size = min(struct.unpack_from(order + "I", data, at + 8)[0], length - 16)
            self.frames.append((at + 12, size, links[0][0] if links else 1, 0))
        elif kind == 10 and length >= 20:
            sort, size = struct.unpack_from(order + "II", data, at + 8)
            if sort == 0x544C534B:
                self._secrets(data[at + 16 : at + 16 + min(size, length - 20)])

    def _unit(self, order, at, end):
        while at + 4 <= end:
            code, size = struct.unpack_from(order + "HH", self.data, at)
            if code == 9 and size == 1:
                power = self.data[at + 4]
                return 10 ** max(9 - power, 0) if power < 128 else 1
            if code == 0:
                break
            at += 4 + size + (-size % 4)
        return 1000

    def _secrets(self, text):
        for line in text.split(b"\n"):
            words = line.split()
            if len(words) == 3:
                try:
                    random, secret = (
                        bytes.fromhex(words[1].decode()),
                        bytes.fromhex(words[2].decode()),
                    )
                except ValueError:
                    continue
                self.secrets.setdefault(random, {})[words[0].decode("ascii", "replace")] = secret

    def frame(self, number):
        """Return a packet's bytes."""
        if not 1 <= number <= len(self.frames):
            raise Differs("there is no packet %d" % number)
        at, size = self.frames[number - 1][:2]
        return self.data[at : at + size]

    def packet(self, number):
        """Return a packet with its headers read; None where it carries no TCP or UDP."""
        if number not in self._parsed:
            at, size, link, ts = self.frames[number - 1]
            found = headers_of(self.data, at, at + size, link)
            if found is not None:
                found.number, found.ts = number, ts
            self._parsed[number] = found
        return self._parsed[number]

    def conversation(self, number):
        """Return the packets of both directions of a packet's 5-tuple, in order of time."""
        if not 1 <= number <= len(self.frames):
            raise Differs("there is no packet %d" % number)
        if self._flows is None:
            self._flows = {}
            for other in range(1, len(self.frames) + 1):
                packet = self.packet(other)
                if packet is not None:
                    key = (packet.proto, frozenset(packet.flow))
                    self._flows.setdefault(key, []).append(packet)
        packet = self.packet(number)
        if packet is None:
            raise Unable("packet %d carries no TCP or UDP that is read here" % number)
        return sorted(
            self._flows[packet.proto, frozenset(packet.flow)], key=lambda one: (one.ts, one.number)
        )


def network_layer(data, at, end, link):
    """Return where the network layer begins and its EtherType, for common link types."""
    if link == 1:
        kind, at = int.from_bytes(data[at + 12 : at + 14], "big"), at + 14
        while kind in (0x8100, 0x88A8, 0x9100, 0x9200):
            kind, at = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        if kind == 0x8864:
            kind = {0x21: 0x800, 0x57: 0x86DD}.get(int.from_bytes(data[at + 6 : at + 8], "big"), 0)
            at += 8
        return at, kind
    if link in (12, 14, 101, 228, 229):
        return at, {4: 0x800, 6: 0x86DD}.get(data[at] >> 4 if at < end else 0, 0)
    if link in (0, 108):
        family = data[at : at + 4]
        numbers = {int.from_bytes(family, "little"), int.from_bytes(family, "big")}
        return at + 4, 0x800 if 2 in numbers else 0x86DD if numbers & {10, 24, 28, 30} else 0
    if link == 113:
        return at + 16, int.from_bytes(data[at + 14 : at + 16], "big")
    if link == 276:
        return at + 20, int.from_bytes(data[at : at + 2], "big")
    if link in (149, 258) and at + 12 <= end:
        second = at + 40 <= end and struct.unpack_from("<I", data, at + 36)[0] & 0x80000
        length = data[at] if second else struct.unpack_from("<I", data, at)[0]
        inner = struct.unpack_from("<H" if second else "<I", data, at + (6 if second else 8))[0]
        if inner not in (149, 258) and at + length <= end:
            return network_layer(data, at + length, end, inner)
    return at, 0


def headers_of(data, at, end, link):
    """Return a packet's ends, numbers and payload; None where it is no whole TCP or UDP packet."""
    at, kind = network_layer(data, at, end, link)
    try:
        if kind == 0x800:
            proto, source, target = data[at + 9], data[at + 12 : at + 16], data[at + 16 : at + 20]
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            if int.from_bytes(data[at + 6 : at + 8], "big") & 0x3FFF:
                return None
            stop = min(end, at + length) if length else end
            at += (data[at] & 15) * 4
        elif kind == 0x86DD:
            source, target = data[at + 8 : at + 24], data[at + 24 : at + 40]
            length = int.from_bytes(data[at + 4 : at + 6], "big")
            stop = min(end, at + 40 + length) if length else end
            proto, at = data[at + 6], at + 40
            while proto in (0, 43, 60):
                proto, at = data[at], at + 8 + data[at + 1] * 8
        else:
            return None
        if proto not in (6, 17) or at + 8 > stop:
            return None
        found = Packet()
        sport, dport = struct.unpack_from(">HH", data, at)
        found.proto = proto
        found.flow = ((source, sport), (target, dport))
        if proto == 17:
            found.seq = found.ack = found.flags = 0
            size = int.from_bytes(data[at + 4 : at + 6], "big")
            stop = min(stop, at + size) if size >= 8 else stop
            at += 8
        else:
            found.seq, found.ack = struct.unpack_from(">II", data, at + 4)
            found.flags = data[at + 13]
            at += (data[at + 12] >> 4) * 4
        found.payload, found.size = at, max(stop - at, 0)
        return found
    except (IndexError, struct.error):
        return None


class Stream:
    """Bytes of one direction of a TCP connection, gaps filled with nothing."""

    def __init__(self):
        self.data = bytearray()
        self.runs = []
        """(offset in the stream, where it stands in data, length, packet number)."""
        self.tls = None
        """What opens it, once it was asked for."""

    def get(self, start, end):
        """Return bytes of the stream; raises Differs where they are not in the capture."""
        out = bytearray()
        place = max(bisect_right(self.runs, (start, 1 << 62)) - 1, 0)
        for offset, where, size, _ in self.runs[place:]:
            if offset >= end:
                break
            low, high = max(start, offset), min(end, offset + size)
            if low < high:
                if low != start + len(out):
                    break
                out += self.data[where + low - offset : where + high - offset]
        if len(out) != end - start:
            raise Differs("bytes %d-%d of the stream are not in the capture" % (start, end))
        return bytes(out)

    def first_run(self, start=0):
        """Return the bytes without a gap from an offset on."""
        end = start
        for offset, _, size, _ in self.runs:
            if offset <= end < offset + size:
                end = offset + size
        return self.get(start, end)

    def window(self, start, end, low, high):
        """Widen a range to [low, high), as far as there is no gap."""
        before, after = start, end
        for offset, _, size, _ in self.runs:
            if offset <= after < offset + size:
                after = offset + size
        for offset, _, size, _ in reversed(self.runs):
            if offset < before <= offset + size:
                before = offset
        return max(before, low), min(after, high)

    def numbers(self, start, end):
        """Return the numbers of the packets that carried a range."""
        return sorted(
            {
                number
                for offset, _, size, number in self.runs
                if offset < end and offset + size > start
            }
        )


def stream_of(index, number):
    """Return the stream that a packet's bytes are part of, and that of the other direction."""
    listed = index.conversation(number)
    chosen = index.packet(number)
    if chosen.proto != 6:
        raise Differs("packet %d is no TCP packet" % number)
    cuts, last = [0], {}
    for place, packet in enumerate(listed):
        if packet.flags & 0x12 == 2:
            if last.get(packet.flow, packet.seq) != packet.seq or not follows(
                listed[cuts[-1] : place], packet
            ):
                cuts.append(place)
            last[packet.flow] = packet.seq
    mine = next(place for place, packet in enumerate(listed) if packet.number == number)
    low = max(cut for cut in cuts if cut <= mine)
    high = min([cut for cut in cuts if cut > mine] + [len(listed)])
    key = (listed[low].number, chosen.flow)
    if key not in index.streams:
        part = listed[low:high]
        one = assemble(index.data, [packet for packet in part if packet.flow == chosen.flow])
        other = assemble(index.data, [packet for packet in part if packet.flow != chosen.flow])
        if len(index.streams) >= STREAMS_KEPT:
            index.streams.clear()
        index.streams[key] = one, other
        index.streams.setdefault((key[0], chosen.flow[::-1]), (other, one))
    return index.streams[key]


def follows(before, opening):
    """Whether the packets before a SYN can belong to its connection (order in time may be off)."""
    for packet in before:
        if packet.size and not packet.flags & 2:
            known = packet.seq if packet.flow == opening.flow else packet.ack
            if (known - opening.seq - 1) & 0xFFFFFFFF > 1 << 20:
                return False
    return True


def assemble(data, own):
    """Put segments in place; of bytes that were sent twice, the first copy counts."""
    stream = Stream()
    opening = [packet.seq for packet in own if packet.flags & 2]
    carrying = [packet for packet in own if packet.size]
    if not carrying:
        return stream
    base = (opening[0] + 1) & 0xFFFFFFFF if opening else carrying[0].seq
    places, at, last = [], 0, base
    for packet in carrying:
        at += ((packet.seq - last + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
        last = packet.seq
        places.append(at + (1 if packet.flags & 2 else 0))
    if not opening:
        lowest = min([place for place in places if abs(place) < 1 << 30] + [0])
        places = [place - lowest for place in places]
    taken = []
    for place, packet in zip(places, carrying):
        free = [(max(place, 0), min(place + packet.size, STREAM_LIMIT))]
        begin = max(bisect_right(taken, (free[0][0], 1 << 62)) - 1, 0)
        for low, high in [span[:2] for span in taken[begin:] if span[0] < free[0][1]]:
            free = [
                piece
                for left, right in free
                for piece in ((left, min(right, low)), (max(left, high), right))
                if piece[0] < piece[1]
            ]
        for low, high in free:
            if low < high:
                offset = packet.payload + low - place
                taken.insert(bisect_right(taken, (low, high)), (low, high))
                stream.runs.append((low, len(stream.data), high - low, packet.number))
                stream.data += data[offset : offset + high - low]
    stream.runs.sort()
    return stream


def packet_bytes(capture, ref):
    """Return a part of packets."""
    if not ref.records:
        raise Unable("the whole file is meant")
    index = capture.packets(ref.file)
    first = ref.records[0]
    part, _, deeper = (ref.part or "frame").partition("/")
    if part in ("frame", "dns", "hello", "datagram") or part.startswith("udp"):
        return Bytes(datagram_bytes(index, ref, part, deeper))
    if part.partition(".")[0] not in ("tcp", "tls"):
        raise Unable("the part %s is read by the toolkit alone" % safe(part))
    last = max(ref.records)
    stream, other = stream_of(index, first)
    if index.packet(last) is None or index.packet(last).flow != index.packet(first).flow:
        raise Differs("packets %d and %d are not of one direction" % (first, last))
    notes = []
    if part.startswith("tls"):
        client = is_client(stream, other)
        if stream.tls is None:
            stream.tls = TlsReader(index.secrets, stream, other, client)
        if (part == "tls.sent") != client:
            raise Differs("packet %d is of the other direction than %s" % (first, part))
        notes.append("decrypted here with the secrets in the file; every record's tag is right")
        if deeper:
            return Bytes(below_tls(stream.tls, deeper, ref.end), notes=notes)
        stream = stream.tls.opened(ref.end)
    if deeper:
        return Bytes(below(stream, deeper), notes=notes)
    if ref.start is None:
        data = stream.first_run()
        return Bytes(data, notes=notes)
    low, high = max(ref.start - 4096, 0), ref.end + 4096
    listed = stream.numbers(ref.start, ref.end)
    stream.get(ref.start, ref.end)
    named = set(ref.records)
    if not set(listed) <= named or not named <= set(stream.numbers(0, 1 << 62)):
        raise Differs(
            "these bytes came in packets %s, not in those named" % ",".join(map(str, listed[:20]))
        )
    low, high = stream.window(ref.start, ref.end, low, high)
    return Bytes(stream.get(low, high), low, notes)


def is_client(stream, other):
    """Whether a stream is the client's, by its first TLS record: ClientHello is type 1."""
    for one, answer in ((stream, True), (other, False)):
        start = one.first_run()[:6]
        if start[:1] == b"\x16" and len(start) == 6:
            return (start[5] == 1) == answer
    raise Unable("the TLS handshake is not in the capture")


def datagram_bytes(index, ref, part, deeper):
    """Return a frame, the payload of a datagram, or datagrams joined."""
    if deeper:
        raise Unable(not_opened(deeper))
    if part.startswith("udp"):
        return b"".join(payload(index, number) for number in ref.records)
    if len(ref.records) != 1 or part in ("hello", "datagram"):
        raise Unable(
            "what lies in several packets (%s) is put together by the toolkit alone" % safe(part)
        )
    number = ref.records[0]
    if part == "frame":
        return index.frame(number)
    return payload(index, number)


def payload(index, number):
    """Return what a packet carries above TCP or UDP."""
    index.frame(number)
    packet = index.packet(number)
    if packet is None:
        raise Unable("packet %d is a fragment or carries neither TCP nor UDP" % number)
    return index.data[packet.payload : packet.payload + packet.size]


def below(stream, deeper):
    """Return an HTTP/1 body of a stream, its chunks joined."""
    name, _, rest = deeper.partition("/")
    if not re.match(r"body\.\d+\Z", name):
        raise Unable(not_opened(deeper))
    if rest:
        raise Unable(not_opened(rest))
    data = stream.first_run(int(name[5:]))
    head, mark, body = data.partition(b"\r\n\r\n")
    if not mark:
        raise Differs("no HTTP head begins there")
    lower = head.lower()
    if re.search(rb"\r\ntransfer-encoding:[^\r\n]*chunked", lower):
        return dechunked(body)
    length = re.search(rb"\r\ncontent-length:[ \t]*(\d{1,15})", lower)
    return body[: int(length[1])] if length else body


def below_tls(tls, deeper, end):
    """Return a body of a decrypted stream, of which no more is opened than is needed for it."""
    reach = 1 << 16
    while True:
        plain = tls.opened(reach)
        is_all = len(plain.data) < reach
        try:
            data = below(plain, deeper)
        except Differs:
            if is_all:
                raise
        else:
            if is_all or (end is not None and end <= len(data)):
                return data
        reach *= 2


def dechunked(body):
    """Return chunks joined."""
    out, at = bytearray(), 0
    while True:
        line = body.find(b"\r\n", at, at + 4096)
        match = re.match(rb"[0-9A-Fa-f]{1,8}", body[at:line] if line >= 0 else b"")
        if not match or int(match[0], 16) == 0:
            return bytes(out)
        size = int(match[0], 16)
        out += body[line + 2 : line + 2 + size]
        at = line + 4 + size


# -- AES, GCM, ChaCha20-Poly1305 (FIPS 197, SP 800-38D, RFC 8439), for records of TLS 1.2 and 1.3


def _aes_tables():
    box, value = [0] * 256, 1
    powers, logs = [0] * 256, [0] * 256
    for i in range(255):
        powers[i], logs[value] = value, i
        value ^= (value << 1) ^ (0x11B if value & 0x80 else 0)
        value &= 0xFF
    for i in range(256):
        inverse = powers[(255 - logs[i]) % 255] if i else 0
        turned = inverse
        for _ in range(4):
            inverse = ((inverse << 1) | (inverse >> 7)) & 0xFF
            turned ^= inverse
        box[i] = turned ^ 0x63
    columns = []
    for i in range(256):
        s = box[i]
        double = ((s << 1) ^ (0x11B if s & 0x80 else 0)) & 0xFF
        columns.append((double << 24) | (s << 16) | (s << 8) | (double ^ s))
    return box, columns


BOX, COLUMNS = _aes_tables()
ROTATED = [[((c >> (8 * n)) | (c << (32 - 8 * n))) & 0xFFFFFFFF for c in COLUMNS] for n in range(4)]


class Aes:
    """AES encryption of one block."""

    def __init__(self, key):
        words = list(struct.unpack(">%dI" % (len(key) // 4), key))
        size, rounds, constant = len(words), len(words) + 6, 1
        for i in range(size, 4 * (rounds + 1)):
            word = words[i - 1]
            if i % size == 0:
                word = ((word << 8) | (word >> 24)) & 0xFFFFFFFF
                word = self._box(word) ^ (constant << 24)
                constant = ((constant << 1) ^ (0x11B if constant & 0x80 else 0)) & 0xFF
            elif size > 6 and i % size == 4:
                word = self._box(word)
            words.append(words[i - size] ^ word)
        self.words, self.rounds = words, rounds

    @staticmethod
    def _box(word):
        return (
            (BOX[word >> 24] << 24)
            | (BOX[word >> 16 & 255] << 16)
            | (BOX[word >> 8 & 255] << 8)
            | BOX[word & 255]
        )

    def block(self, data):
        """Encrypt 16 bytes."""
        words, (r0, r1, r2, r3) = self.words, ROTATED
        a, b, c, d = (x ^ k for x, k in zip(struct.unpack(">4I", data), words))
        for i in range(4, 4 * self.rounds, 4):
            a, b, c, d = (
                r0[a >> 24] ^ r1[b >> 16 & 255] ^ r2[c >> 8 & 255] ^ r3[d & 255] ^ words[i],
                r0[b >> 24] ^ r1[c >> 16 & 255] ^ r2[d >> 8 & 255] ^ r3[a & 255] ^ words[i + 1],
                r0[c >> 24] ^ r1[d >> 16 & 255] ^ r2[a >> 8 & 255] ^ r3[b & 255] ^ words[i + 2],
                r0[d >> 24] ^ r1[a >> 16 & 255] ^ r2[b >> 8 & 255] ^ r3[c & 255] ^ words[i + 3],
            )
        last = []
        for n, (w, x, y, z) in enumerate(((a, b, c, d), (b, c, d, a), (c, d, a, b), (d, a, b, c))):
            mixed = (w & 0xFF000000) | (x & 0xFF0000) | (y & 0xFF00) | (z & 0xFF)
            last.append(self._box(mixed) ^ words[4 * self.rounds + n])
        return struct.pack(">4I", *last)


class Gcm:
    """AES-GCM: opens what its tag vouches for."""

    def __init__(self, key):
        self.aes = Aes(key)
        value = int.from_bytes(self.aes.block(bytes(16)), "big")
        self.table = []
        """Product of the hash key with each single bit, from the highest."""
        for _ in range(128):
            self.table.append(value)
            value = (value >> 1) ^ (0xE1 << 120 if value & 1 else 0)

    def _times(self, value):
        out, i = 0, 127
        while value:
            if value & 1:
                out ^= self.table[i]
            value >>= 1
            i -= 1
        return out

    def _hash(self, extra, sealed):
        out = 0
        for text in (extra, sealed):
            for at in range(0, len(text), 16):
                out = self._times(out ^ int.from_bytes(text[at : at + 16].ljust(16, b"\0"), "big"))
        return self._times(out ^ (len(extra) * 8 << 64 | len(sealed) * 8))

    def open(self, nonce, sealed, extra):
        """Return the plaintext; None where the tag is wrong."""
        sealed, tag = sealed[:-16], sealed[-16:]
        mask = int.from_bytes(self.aes.block(nonce + b"\0\0\0\1"), "big")
        if self._hash(extra, sealed) ^ mask != int.from_bytes(tag, "big"):
            return None
        blocks = (len(sealed) + 15) // 16
        stream = b"".join(self.aes.block(nonce + struct.pack(">I", n + 2)) for n in range(blocks))
        return xor(sealed, stream)


def xor(one, two):
    """Return the exclusive or of two byte strings, as long as the first."""
    size = len(one)
    return (int.from_bytes(one, "big") ^ int.from_bytes(two[:size], "big")).to_bytes(size, "big")


class ChaCha:
    """ChaCha20-Poly1305: opens what its tag vouches for."""

    def __init__(self, key):
        self.key = struct.unpack("<8I", key)

    def _block(self, counter, nonce):
        start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *self.key, counter, *nonce]
        x = list(start)
        turns = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
        slants = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
        for _ in range(10):
            for a, b, c, d in turns + slants:
                for one, two, three, bits in (
                    (a, b, d, 16),
                    (c, d, b, 12),
                    (a, b, d, 8),
                    (c, d, b, 7),
                ):
                    x[one] = (x[one] + x[two]) & 0xFFFFFFFF
                    value = x[three] ^ x[one]
                    x[three] = ((value << bits) | (value >> (32 - bits))) & 0xFFFFFFFF
        return struct.pack("<16I", *((p + q) & 0xFFFFFFFF for p, q in zip(x, start)))

    def open(self, nonce, sealed, extra):
        """Return the plaintext; None where the tag is wrong."""
        sealed, tag = sealed[:-16], sealed[-16:]
        words = struct.unpack("<3I", nonce)
        once = self._block(0, words)
        r = int.from_bytes(once[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
        text = extra + bytes(-len(extra) % 16) + sealed + bytes(-len(sealed) % 16)
        text += struct.pack("<QQ", len(extra), len(sealed))
        total = 0
        for at in range(0, len(text), 16):
            total = (
                (total + int.from_bytes(text[at : at + 16] + b"\1", "little"))
                * r
                % ((1 << 130) - 5)
            )
        total = (total + int.from_bytes(once[16:32], "little")) & ((1 << 128) - 1)
        if total.to_bytes(16, "little") != tag:
            return None
        count = (len(sealed) + 63) // 64
        return xor(sealed, b"".join(self._block(n + 1, words) for n in range(count)))


SUITES = {0x1301: (Gcm, 16, "sha256"), 0x1302: (Gcm, 32, "sha384"), 0x1303: (ChaCha, 32, "sha256")}
SUITES.update(dict.fromkeys(range(52392, 52399), (ChaCha, 32, "sha256")))
for _number in list(range(0x9C, 0xAE, 2)) + list(range(0xC02B, 0xC033, 2)):
    SUITES[_number] = (Gcm, 16, "sha256")
    SUITES[_number + 1] = (Gcm, 32, "sha384")


def expand_label(secret, label, length, digest):
    """HKDF-Expand-Label with an empty context (RFC 8446 section 7.1)."""
    name = b"tls13 " + label
    info = struct.pack(">HB", length, len(name)) + name + b"\0"
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(secret, block + info + bytes((counter,)), digest).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def prf(secret, seed, length, digest):
    """P_hash of TLS 1.2 (RFC 5246 section 5)."""
    out, chain = b"", seed
    while len(out) < length:
        chain = hmac.new(secret, chain, digest).digest()
        out += hmac.new(secret, chain + seed, digest).digest()
    return out[:length]


def tls_records(data):
    """Yield type, header, body, start and end of each whole record."""
    at = 0
    while at + 5 <= len(data):
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        if data[at] not in (20, 21, 22, 23, 24) or at + 5 + size > len(data):
            return
        yield data[at], data[at : at + 5], data[at + 5 : at + 5 + size], at, at + 5 + size
        at += 5 + size


def hello_of(data, kind):
    """Return random, cipher suite (a server's) and version of the last hello sent in clear."""
    text = b"".join(body for sort, _, body, _, _ in tls_records(data[: 1 << 17]) if sort == 22)
    at, found = 0, None
    while at + 4 <= len(text):
        size = int.from_bytes(text[at + 1 : at + 4], "big")
        body = text[at + 4 : at + 4 + size]
        if text[at] == kind and len(body) >= 38:
            found = body
        at += 4 + size
        if found is not None and kind == 1:
            break
    if found is None:
        raise Unable("the TLS handshake is not in the capture")
    random, version, suite = found[2:34], 0x303, 0
    if kind == 2:
        place = 35 + found[34]
        suite = int.from_bytes(found[place : place + 2], "big")
        place += 5
        while place + 4 <= len(found):
            code, size = struct.unpack_from(">HH", found, place)
            if code == 43 and size == 2:
                version = int.from_bytes(found[place + 4 : place + 6], "big")
            place += 4 + size
    return random, suite, version


class TlsReader:
    """Opens one direction of a TLS connection with the secrets in the file."""

    def __init__(self, secrets, stream, other, is_client):
        client, server = (stream, other) if is_client else (other, stream)
        self.stream = stream
        self.side = "CLIENT" if is_client else "SERVER"
        self.random, _, _ = hello_of(client.first_run(), 1)
        self.answer, suite, self.version = hello_of(server.first_run(), 2)
        self.secrets = secrets.get(self.random)
        if not self.secrets:
            raise Unable(
                "the file holds no secrets of this TLS connection: its records stay closed"
            )
        if suite not in SUITES:
            raise Unable(
                "cipher suite 0x%04x needs more than the standard library: use tshark" % suite
            )
        self.cipher, self.size, self.hash = SUITES[suite]
        records = tls_records(stream.first_run())
        self.texts = (self._records13 if self.version == 0x304 else self._records12)(records)
        """Application data, start and end of each record that is not opened yet."""
        self.plain = PlainStream()
        self.closed = None
        """Why no further record opens."""

    def opened(self, end):
        """Return the application data up to an offset at least, as a stream."""
        wanted = TLS_LIMIT if end is None else end + 8192
        if end is not None and end > TLS_LIMIT:
            raise Unable("more than %d bytes are not decrypted here: use tshark" % TLS_LIMIT)
        while len(self.plain.data) < wanted:
            if self.closed:
                raise self.closed
            try:
                text, start, stop = next(self.texts)
            except StopIteration:
                break
            except Unable as reason:
                self.closed = reason
                continue
            for number in self.stream.numbers(start, stop):
                at = len(self.plain.data)
                self.plain.runs.append((at, at, len(text), number))
            self.plain.data += text
        return self.plain

    def _records13(self, records):
        epochs = []
        for label in ("EARLY_TRAFFIC_SECRET", "HANDSHAKE_TRAFFIC_SECRET", "TRAFFIC_SECRET_0"):
            secret = self.secrets.get("%s_%s" % (self.side, label))
            if secret:
                epochs.append([secret, *self._keys(secret), 0, label.endswith("0")])
        if not epochs or not epochs[-1][4]:
            raise Unable("the traffic secret of this direction is not in the file")
        closed = 0
        for kind, header, body, start, stop in records:
            if kind != 23:
                continue
            for place, epoch in enumerate(epochs):
                nonce = xor(epoch[2], epoch[3].to_bytes(12, "big"))
                inner = epoch[1].open(nonce, body, header)
                if inner is not None:
                    del epochs[:place]
                    break
            else:
                closed += 1
                if (epochs[0][4] and epochs[0][3]) or closed > 64:
                    raise Unable("a TLS record does not open with the secrets in the file")
                continue
            epoch = epochs[0]
            epoch[3] += 1
            inner = inner.rstrip(b"\0")
            if inner[-1:] == b"\x17":
                yield inner[:-1], start, stop
            elif inner[-1:] == b"\x16" and inner[:1] == b"\x18" and epoch[4]:
                epoch[0] = expand_label(epoch[0], b"traffic upd", len(epoch[0]), self.hash)
                epoch[1], epoch[2] = self._keys(epoch[0])
                epoch[3] = 0

    def _keys(self, secret):
        key = expand_label(secret, b"key", self.size, self.hash)
        return self.cipher(key), expand_label(secret, b"iv", 12, self.hash)

    def _records12(self, records):
        master = self.secrets.get("CLIENT_RANDOM")
        if not master:
            raise Unable("the master secret of this connection is not in the file")
        iv_size = 12 if self.cipher is ChaCha else 4
        block = prf(
            master,
            b"key expansion" + self.answer + self.random,
            2 * (self.size + iv_size),
            self.hash,
        )
        place = 0 if self.side == "CLIENT" else 1
        cipher = self.cipher(block[place * self.size : (place + 1) * self.size])
        at = 2 * self.size + place * iv_size
        iv = block[at : at + iv_size]
        sequence = -1
        for kind, header, body, start, stop in records:
            if kind == 20:
                sequence = 0
                continue
            if sequence < 0:
                continue
            if self.cipher is ChaCha:
                nonce, sealed = xor(iv, sequence.to_bytes(12, "big")), body
            else:
                nonce, sealed = iv + body[:8], body[8:]
            extra = (
                struct.pack(">Q", sequence)
                + header[:3]
                + struct.pack(">H", max(len(sealed) - 16, 0))
            )
            text = cipher.open(nonce, sealed, extra)
            if text is None:
                raise Unable("a TLS record does not open with the secrets in the file")
            sequence += 1
            if kind == 23:
                yield text, start, stop


class PlainStream(Stream):
    """Decrypted bytes: several packets may have carried one record."""

    def get(self, start, end):
        """Return bytes of the stream."""
        if end > len(self.data):
            raise Differs(
                "bytes %d-%d of the decrypted stream are not in the capture" % (start, end)
            )
        return bytes(self.data[start:end])

    def window(self, start, end, low, high):
        """Widen a range to [low, high)."""
        return min(max(low, 0), start), max(min(high, len(self.data)), end)

    def first_run(self, start=0):
        """Return all bytes from an offset on."""
        return bytes(self.data[start:])


# -- decoders


def inflate(data, bits, limit=INFLATE_LIMIT):
    """Return decompressed bytes, at most ``limit``."""
    machine = zlib.decompressobj(bits)
    try:
        return machine.decompress(data, limit)
    except zlib.error as error:
        raise Unable("not compressed as it should be: %s" % error) from None


BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{4,}={0,2}")
ESCAPE = re.compile(
    rb"((?:\\u[0-9A-Fa-f]{4})+)|\\x([0-9A-Fa-f]{2})|\\([0-7]{3})|\\u\{([0-9A-Fa-f]{1,6})\}|\\(.)",
    re.DOTALL,
)
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"0": b"\0"}


def decode_base64(data):
    """Yield what the runs of base64 say, at each of the four offsets."""
    runs = BASE64.findall(data)
    joined = re.sub(rb"\s+", b"", data)
    for run in [joined, *runs] if joined != data else runs:
        text = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            part = text[start:]
            part = part[: len(part) - (len(part) % 4 == 1)]
            try:
                yield binascii.a2b_base64(part + b"=" * (-len(part) % 4))
            except (binascii.Error, ValueError):
                continue


def decode_base32(data):
    """Yield what the runs of base32 say."""
    for run in re.findall(rb"[A-Za-z2-7]{8,}", data):
        for start in range(8):
            part = run[start:].upper()
            part = part[: len(part) - {1: 1, 3: 1, 6: 1}.get(len(part) % 8, 0)]
            try:
                yield base64.b32decode(part + b"=" * (-len(part) % 8))
            except (binascii.Error, ValueError):
                continue


def decode_hex(data):
    """Yield what the runs of hexadecimal digits say."""
    joined = re.sub(rb"[^0-9A-Fa-f]+", b"", re.sub(rb"0[xX]|\\x", b"", data))
    for run in [*re.findall(rb"[0-9A-Fa-f]{4,}", data), joined]:
        for start in range(2):
            part = run[start:]
            yield binascii.unhexlify(part[: len(part) // 2 * 2])


def decode_escapes(data):
    """Yield text with its backslash escapes undone, as UTF-8."""

    def one(match):
        if match[1]:
            return from_units(match[1])
        if match[2]:
            return bytes((int(match[2], 16),))
        if match[3]:
            return bytes((int(match[3], 8) & 255,))
        if match[4]:
            return chr(min(int(match[4], 16), 0x10FFFF)).encode("utf-8", "replace")
        return LETTERS.get(match[5], match[5])

    for _ in range(3):
        data = ESCAPE.sub(one, data)
        yield data


def from_units(text):
    """Return units of UTF-16, written as four digits behind two signs each, as UTF-8."""
    digits = b"".join(text[at + 2 : at + 6] for at in range(0, len(text), 6))
    return bytes.fromhex(digits.decode()).decode("utf-16-be", "replace").encode()


def decode_percent_u(data):
    """Yield text with its %uHHHH undone."""
    units = re.compile(rb"(?:%u[0-9A-Fa-f]{4})+")
    yield urllib.parse.unquote_to_bytes(units.sub(lambda match: from_units(match[0]), data))


def decode_utf16(data):
    """Yield what is UTF-16, of either order and alignment."""
    for start in (0, 1):
        for name in ("utf-16-le", "utf-16-be"):
            yield data[start:].decode(name, "replace").encode("utf-8", "replace")


def decode_zip(data):
    """Yield the members of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for item in archive.infolist()[:64]:
                with archive.open(item) as file:
                    yield item.filename.encode("utf-8", "replace")
                    yield file.read(INFLATE_LIMIT)
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        zlib.error,
    ):
        at = data.find(b"PK\3\4")
        while at >= 0:
            name, extra = struct.unpack_from("<HH", data.ljust(at + 30, b"\0"), at + 26)
            yield from attempt(data[at + 30 + name + extra :], -15)
            at = data.find(b"PK\3\4", at + 4)


def attempt(data, bits):
    """Yield what decompresses, nothing where it does not."""
    try:
        yield inflate(data, bits)
    except Unable:
        return


def decode_gzip(data):
    """Yield what the members of gzip hold, one by one and joined (RFC 1952 section 2.2)."""
    at, joined = data.find(b"\x1f\x8b"), b""
    for _ in range(64):
        if at < 0 or len(joined) > INFLATE_LIMIT:
            break
        machine = zlib.decompressobj(31)
        try:
            made = machine.decompress(data[at:], INFLATE_LIMIT)
        except zlib.error:
            made = b""
        yield made
        joined += made
        at = data.find(b"\x1f\x8b", len(data) - len(machine.unused_data) if made else at + 1)
    yield joined


def decode_zlib(data):
    """Yield what begins as zlib does (RFC 1950 section 2.2)."""
    at, count = data.find(b"\x78"), 0
    while at >= 0 and count < 64:
        yield from attempt(data[at:], 15)
        at, count = data.find(b"\x78", at + 1), count + 1


def decode_deflate(data):
    """Yield what is headerless deflate."""
    for start in range(min(len(data), 16)):
        yield from attempt(data[start:], -15)


def decode_percent(data):
    """Yield text with percent escapes undone, a plus as itself and as a blank."""
    once = urllib.parse.unquote_to_bytes(data)
    for _ in range(3):
        yield once
        once = urllib.parse.unquote_to_bytes(once)
    yield urllib.parse.unquote_to_bytes(data.replace(b"+", b" "))


def decode_html(data):
    """Yield text with character references undone."""
    yield html.unescape(data.decode("utf-8", "surrogateescape")).encode("utf-8", "replace")


def decode_quoted(data):
    """Yield text with quoted-printable undone."""
    yield binascii.a2b_qp(data)
    yield binascii.a2b_qp(data, header=True)


def decode_any_escape(data):
    """Yield text with escapes undone: backslashes, %uHHHH, quoted-printable, all after another."""
    for made in (*decode_escapes(data), *decode_percent_u(data), *decode_quoted(data)):
        yield made
        yield from decode_escapes(made)


DECODERS = {
    "jwt": decode_base64,
    "base64": decode_base64,
    "base64url": decode_base64,
    "base32": decode_base32,
    "hex": decode_hex,
    "hex-groups": decode_hex,
    "escaped": decode_any_escape,
    "percent": decode_percent,
    "percent-u": decode_percent_u,
    "plus": decode_percent,
    "html": decode_html,
    "utf16": decode_utf16,
    "quoted": decode_quoted,
    "zip": decode_zip,
    "gzip": decode_gzip,
    "zlib": decode_zlib,
    "deflate": decode_deflate,
}
STRUCTURES = {
    "json",
    "form",
    "multipart",
    "protobuf",
    "msgpack",
    "cbor",
    "data-url",
    "grpc",
    "path",
    "dns",
}
"""Formats that leave a value's bytes in place."""
TERMINAL = {"plain", "case", "squeezed", "reversed", "packed-address", "integer-address"}
DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
STRICT = {
    "plain",
    "case",
    "base64",
    "base64url",
    "hex",
    "percent",
    "gzip",
    "zlib",
    "json",
    "form",
    "multipart",
}
"""Steps that leave no doubt: where a chain has others, and nothing is found, that is no proof."""


def decode(data, chain):
    """Return the pieces that a chain of decoders makes, and the step that is not known here."""
    pieces, every = [data], [data]
    for step in chain:
        if step in STRUCTURES or step in TERMINAL or step in DIGESTS:
            continue
        if step not in DECODERS:
            return every, step
        found = []
        for piece in pieces:
            try:
                for made in DECODERS[step](piece):
                    if made and len(found) < PIECE_LIMIT:
                        found.append(made[:INFLATE_LIMIT])
            except (ValueError, struct.error, OverflowError):
                continue
        pieces = found
        every = every + found
    return every, None


def squeezed(data):
    """Return letters and digits alone, lower case, accents dropped."""
    text = unicodedata.normalize("NFKD", data.decode("utf-8", "replace"))
    return "".join(c for c in text.lower() if c.isalnum()).encode()


def spellings(kind, value):
    """Yield what a value may look like."""
    data = value.encode("utf-8", "surrogatepass")
    yield data
    yield data.lower()
    if len(squeezed(data)) >= 2:
        yield squeezed(data)
    if kind == "phone":
        digits = re.sub(rb"\D", b"", data)
        yield digits
        yield digits[-7:]
    try:
        packed = ipaddress.ip_address(value).packed
        yield ipaddress.ip_address(value).exploded.encode()
        yield packed
        yield str(int.from_bytes(packed, "big")).encode()
        yield str(int.from_bytes(packed[::-1], "big")).encode()
    except ValueError:
        pass
    try:
        yield bytes.fromhex(re.sub(r"[^0-9A-Fa-f]", "", value) if kind != "phone" else "zz")
    except ValueError:
        pass


def holds(pieces, kind, value, form):
    """Whether a value stands in one of the pieces, in its form."""
    wanted = [text for text in dict.fromkeys(spellings(kind, value)) if text]
    if form in DIGESTS:
        wanted += [text.upper() for text in wanted] + [
            re.sub(rb"[^0-9A-Za-z]", b"", t) for t in wanted
        ]
        wanted += [re.sub(rb"[:-]", sign, text) for text in wanted for sign in (b":", b"-", b"")]
        hashed = [hashlib.new(form, text).digest() for text in wanted]
        wanted = (
            hashed
            + [one.hex().encode() for one in hashed]
            + [base64.b64encode(one).rstrip(b"=") for one in hashed]
        )
    if form == "reversed":
        wanted = [text[::-1] for text in wanted] + [value[::-1].encode("utf-8", "replace")]
        wanted += [squeezed(text) for text in wanted if squeezed(text)]
    for piece in pieces:
        views = (piece, piece.lower(), squeezed(piece), re.sub(rb"\D", b"", piece))
        if any(text in view for view in views for text in wanted):
            return True
    return False


# -- what a result says, held against the bytes


LABEL = re.compile(r"\[([a-z][a-z0-9_]*):[0-9a-f]{6}\]")
COLUMN = re.compile(r"; (?=[a-z_][A-Za-z0-9_.-]*=)")
LITERAL = {"user_agent", "path", "query", "method"}
"""Columns of a request whose text stands in its head as it is."""


def readable(data):
    """Return bytes as excerpts show them."""
    shown = {9: " ", 10: " ", 13: " "}
    text = data.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else shown.get(ord(c), "\u00b7") for c in text)


def is_made_of(excerpt, views):
    """Whether an excerpt's own words stand in one of the views, in order."""
    begins, ends = excerpt.startswith("\u2026"), excerpt.endswith("\u2026")
    text = excerpt[begins : len(excerpt) - ends]
    words = [word for word in LABEL.split(text)[::2] if word]
    if not words:
        return True
    for view in views:
        at, shown = 0, readable(view)
        for word in words:
            at = shown.find(word, at)
            if at < 0 and "\ufffd" in word:
                at = 0 if all(bit in shown for bit in word.split("\ufffd") if bit) else -1
            if at < 0:
                break
        else:
            return True
    return False


class Piece:
    """One piece of evidence, checked."""

    def __init__(self, evidence):
        self.evidence = evidence
        self.data = b""
        self.around = b""
        self.base = 0
        self.start = self.end = 0
        self.differs = []
        self.unable = []
        self.notes = []
        self.pieces = []

    @property
    def state(self):
        """Return one word."""
        return "DIFFERS" if self.differs else "not re-derived" if self.unable else "as said"


def check_evidence(captures, evidence, columns):
    """Derive the bytes of a piece of evidence and hold them against what is said of them."""
    found = Piece(evidence)
    try:
        capture = captures.get(evidence["capture"])
        if capture is None:
            raise Unable("the recording %s is not at hand" % safe(evidence["capture"]))
        ref = Reference(evidence["locator"])
        check_locator(ref, evidence)
        part = resolve(capture, ref)
        found.notes += part.notes
        start = part.base if ref.start is None else ref.start
        end = part.base + len(part.data) if ref.end is None else ref.end
        if not part.base <= start <= end <= part.base + len(part.data):
            raise Differs(
                "bytes %d-%d are not in a part of %d bytes"
                % (start, end, part.base + len(part.data))
            )
        found.start, found.end, found.base, found.around = start, end, part.base, part.data
        found.data = part.data[start - part.base : end - part.base]
        check_conversation(capture, ref, evidence)
        check_meaning(capture, found, columns)
    except Unable as reason:
        found.unable.append(str(reason))
    except Differs as reason:
        found.differs.append(str(reason))
    except (
        IndexError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OSError,
        struct.error,
        RecursionError,
    ) as reason:
        found.differs.append("it cannot be read: %s" % safe(repr(reason)))
    return found


def check_locator(ref, evidence):
    """Check that file, record and part are those of the locator."""
    said = (evidence["file"], evidence["record"], evidence["part"])
    if (ref.file, ",".join(map(str, ref.records)), ref.part) != said:
        raise Differs("file, record and part are not those of the locator")


ENDS = re.compile(r"(tcp|udp|quic) (.+):(\d{1,5}) > (.+):(\d{1,5})\Z")


def check_conversation(capture, ref, evidence):
    """Check that the packets are of the conversation that is named."""
    match = ENDS.match(evidence.get("conversation") or "")
    if not match or not ref.records or not ref.file.lower().endswith((".pcapng", ".pcap", ".cap")):
        return
    index = capture.packets(ref.file)
    index.frame(ref.records[0])
    packet = index.packet(ref.records[0])
    if packet is None:
        return
    said = ((match[2], int(match[3])), (match[4], int(match[5])))
    ends = [(str(ipaddress.ip_address(address)), port) for address, port in packet.flow]
    for one, two in (ends, ends[::-1]):
        if all(same_end(text, end) for text, end in zip(said, (one, two))):
            return
    raise Differs("packet %d is not of the conversation that is named" % ref.records[0])


def same_end(said, end):
    """Whether an end of a conversation is the one said; a redacted address is any."""
    if said[1] != end[1]:
        return False
    text = said[0].strip("[]")
    if ":" in text and LABEL.match(said[0]):
        return True
    try:
        return str(ipaddress.ip_address(text)) == end[0]
    except ValueError:
        return True


def check_meaning(capture, found, columns):
    """Hold the bytes against value and excerpt."""
    evidence = found.evidence
    chain = evidence.get("chain") or []
    if not chain:
        check_columns(found)
        return
    every, unknown = decode(found.data, chain)
    if (evidence["part"] or "") in ("frame", "dns", "tcp.sent", "tcp.received"):
        every = [*every, *names_in(found)]
    found.pieces = every
    kind, form = columns.get("kind"), next((s for s in chain if s in DIGESTS), chain[-1])
    is_plain = STRICT.issuperset(chain) and kind != "address"
    near = found.around[max(found.start - found.base - 4096, 0) : found.end - found.base + 4096]
    close = found.around[max(found.start - found.base - 512, 0) : found.end - found.base + 512]
    made = is_made_of(evidence["excerpt"], [near, *every]) or is_made_of(
        evidence["excerpt"], decode(close, chain)[0]
    )
    if unknown:
        raise Unable("the standard library cannot undo %s" % safe(unknown))
    if not made and not is_plain:
        raise Unable("how the excerpt was made of these bytes is not followed here")
    if not made:
        raise Differs("the excerpt is not made of these bytes")
    values = [value for one, value in capture.identity if one == kind]
    if not values:
        found.notes.append(
            "identity.json is not at hand: that these bytes are a value of the subject is not checked"
        )
        return
    named = [m[0] for m in LABEL.finditer(evidence["excerpt"]) if m[1] == kind]
    if not named:
        raise Unable("the excerpt names no value")
    for value in values:
        if pseudonym(capture.key, kind, value) in named and holds(every, kind, value, form):
            found.notes.append(
                "these bytes are the subject's %s, %s"
                % (safe(kind), pseudonym(capture.key, kind, value))
            )
            return
    for other in capture.identity:
        if pseudonym(capture.key, *other) in named and holds(every, *other, form):
            return
    if all(pseudonym(capture.key, *one) not in named for one in capture.identity):
        found.notes.append(
            "another recording's key made the pseudonym; the value was looked for by its kind"
        )
        if any(holds(every, kind, value, form) for value in values):
            return
    if not is_plain:
        raise Unable("a value in so rare a form (%s) is not recognised here" % safe(form))
    raise Differs(
        "these bytes are no value of the subject of kind %s, by the chain %s"
        % (safe(kind), safe(" > ".join(chain)))
    )


def names_in(found):
    """Yield names as text where they stand as labels behind their lengths."""
    yield re.sub(rb"[\x01-\x1f]", b".", found.data)
    at = max(found.start - found.base - 64, 0)
    for start in range(at, found.start - found.base):
        name = labels_at(found.around, start)
        if name:
            yield name.encode("utf-8", "replace")


def labels_at(message, at):
    """Return the name whose labels begin at an offset; an empty one where there is none."""
    name, end = read_labels(message, at)
    return name if message[end : end + 1] == b"\0" else ""


def read_labels(message, at):
    """Return the labels that follow one another from an offset, and where they end."""
    labels = []
    while at < len(message) and 0 < message[at] < 64 and len(labels) < 128:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("utf-8", "replace"))
        at += 1 + message[at]
    return ".".join(labels), at


def check_columns(found):
    """Check the columns of an excerpt whose text stands in a request's head as it is."""
    part = found.evidence["part"] or ""
    for item in COLUMN.split(found.evidence["excerpt"]):
        name, equals, value = item.partition("=")
        if not equals or value == "(none)" or value.endswith("\u2026"):
            continue
        if part.endswith(".head") or part in ("tls.sent", "tcp.sent"):
            if name in LITERAL and not is_made_of(value, [found.data]):
                raise Differs("%s is not in these bytes" % safe(item))
        elif part == "dns" and name == "name":
            text = value.lower().rstrip(".")
            views = [
                found.data.lower(),
                *(one.encode("utf-8", "replace") for one in dns_names(found.data)),
            ]
            if not is_made_of(text, views):
                raise Differs("the name %s is not in this message" % safe(value))


def dns_names(message):
    """Return the names of a DNS message's questions (RFC 1035 section 4.1)."""
    found, at = [], 12
    for _ in range(min(int.from_bytes(message[4:6], "big"), 16)):
        name, at = read_labels(message, at)
        found.append(name.lower())
        at += 5
    return found


def fingerprint(check, expectation, columns):
    """Return the digest that names a finding."""
    listed = json.dumps(
        [check, expectation, columns], ensure_ascii=True, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(listed.encode()).hexdigest()


def check_finding(check, finding):
    """Return what of a finding's own words differs, and what cannot be told."""
    differs, unable = [], []
    columns = finding["columns"]
    if any(text is not None and text.endswith("\u2026") for text in columns.values()):
        unable.append("a column is shortened, so the fingerprint cannot be recomputed")
    elif fingerprint(check, finding["expectation"], columns) != finding["fingerprint"]:
        differs.append("the fingerprint is not that of check, expectation and columns")
    if not finding["id"].startswith("%s/%s/" % (check, finding["expectation"])):
        differs.append("the finding's id is not of its check and expectation")
    if finding["count"] < len(finding["evidence"]):
        differs.append("it points at more rows than it counts")
    return differs, unable


def check_capture(said, capture):
    """Return what of a recording differs from what the result says of it."""
    differs = []
    if capture.manifest is None:
        return differs
    manifest = capture.manifest
    if said.get("manifest") not in (None, sha256_of(os.path.join(capture.place, "capture.json"))):
        differs.append("capture.json is not the one that was judged")
    for name in ("vantage", "pass", "started_at", "ended_at"):
        if manifest.get(name) != said.get(name):
            differs.append("%s is not what the manifest says" % name)
    if said["digests"] != manifest["files"]:
        differs.append("the digests in the result are not those of the manifest")
    return differs


REPORT_FILES = {"result.json", "index.html", "audit-verify.py"}
"""Files that every list of digests names, where they are there."""


def check_sums(folder):
    """Check the files of the report by SHA256SUMS; return what differs and what to say."""
    path = os.path.join(folder, "SHA256SUMS")
    if not os.path.isfile(path):
        return (
            [],
            "no SHA256SUMS lies beside the result: its words are checked only where they can be re-derived",
        )
    differs, names = [], set()
    for line in read_file(path).decode("utf-8", "replace").split("\n")[:1000]:
        match = re.match(r"([0-9a-f]{64})  ([^/\\]+)\Z", line)
        if not match:
            differs += ["SHA256SUMS has a line that is none: %s" % safe(line, 100)] if line else []
            continue
        names.add(match[2])
        target = os.path.join(folder, match[2])
        if os.path.isfile(target) and sha256_of(target) != match[1]:
            differs.append("%s is not the file that was written" % safe(match[2]))
    unknown = [name for name in sorted(os.listdir(folder)) if name in REPORT_FILES - names]
    missing = sorted(name for name in names if not os.path.isfile(os.path.join(folder, name)))
    for name in missing:
        say("note: %s is not here" % safe(name))
    if (missing and unknown) or "result.json" not in names:
        differs.append("SHA256SUMS does not name %s" % safe(", ".join(unknown)))
    return differs, "the files of the report are those of SHA256SUMS"


# -- the command


def show(piece, number, whole):
    """Print the bytes of one piece of evidence."""
    evidence = piece.evidence
    say("  evidence %d: %s" % (number, piece.state))
    say(
        "    where      %s  (recording %s)" % (safe(evidence["locator"]), safe(evidence["capture"]))
    )
    say("    why        %s" % safe(evidence["reasoning"]))
    say("    excerpt    %s" % safe(evidence["excerpt"]))
    for name in ("conversation", "ts"):
        if evidence.get(name):
            say("    %-10s %s" % (name, safe(evidence[name])))
    if evidence.get("chain"):
        say("    decoded by %s" % safe(" > ".join(evidence["chain"])))
    for text in piece.differs:
        say("    DIFFERS    %s" % safe(text))
    for text in piece.unable:
        say("    not here   %s" % safe(text))
        if evidence["file"].endswith(".pcapng") and re.fullmatch(r"[\d,]+", evidence["record"]):
            say(
                "    tshark     tshark -r packets.pcapng -Y 'frame.number in {%s}' -x"
                % evidence["record"][:300]
            )
    for text in piece.notes:
        say("    note       %s" % safe(text))
    if piece.data:
        say(
            "    bytes      %d, sha256 %s"
            % (len(piece.data), hashlib.sha256(piece.data).hexdigest())
        )
        limit = len(piece.data) if whole else SHOWN
        low = max(piece.start - AROUND, piece.base)
        high = min(
            piece.start + min(len(piece.data), limit) + AROUND, piece.base + len(piece.around)
        )
        hexdump(piece.around[low - piece.base : high - piece.base], low, piece.start, piece.end)
        if len(piece.data) > limit:
            say("      ... %d bytes more, shown with --whole" % (len(piece.data) - limit))
    for made in piece.pieces[1:4]:
        say("    decoded    %s" % safe(readable(made), 200))


def show_records(captures, piece):
    """Print the packets behind evidence that could not be derived, as they were recorded."""
    evidence = piece.evidence
    capture = captures.get(evidence["capture"])
    if piece.data or capture is None or not evidence["file"].endswith(".pcapng"):
        return
    try:
        for number in Reference(evidence["locator"]).records[:3]:
            frame = capture.packets(evidence["file"]).frame(number)
            say(
                "    packet %d as recorded: %d bytes, sha256 %s"
                % (number, len(frame), hashlib.sha256(frame).hexdigest())
            )
            hexdump(frame[:SHOWN], 0, 0, 0)
    except (Unable, Differs) as reason:
        say("    %s" % safe(str(reason)))


def arguments(argv):
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="audit-verify.py",
        description="Re-derive what a result.json says from the recording itself.",
    )
    parser.add_argument(
        "finding",
        nargs="*",
        help="ids of findings (or a beginning of them) to show with their bytes",
    )
    parser.add_argument(
        "--result", default="", help="the result.json; default: the one beside this file"
    )
    parser.add_argument(
        "--capture",
        action="append",
        default=[],
        help="a recording: folder or bare file (repeatable)",
    )
    parser.add_argument("--list", action="store_true", help="list the findings, derive nothing")
    parser.add_argument("--whole", action="store_true", help="print all bytes of an evidence")
    return parser.parse_args(argv)


def run(argv):
    """Check everything; return the exit code."""
    asked = arguments(argv)
    here = os.path.dirname(os.path.abspath(__file__)) if "__file__" in globals() else os.getcwd()
    path = asked.result or os.path.join(here, "result.json")
    if os.path.isdir(path):
        path = os.path.join(path, "result.json")
    if not os.path.isfile(path):
        say("there is no result at %s: name it with --result" % safe(path))
        return 2
    for place in asked.capture:
        if not os.path.exists(place):
            say("there is no recording at %s" % safe(place))
            return 2
    problems = []
    try:
        raw = read_file(path)
        result = strict_json(raw)
        if result["schema"] != "audit/result@1":
            raise ValueError("its schema is %r" % result["schema"])
        if canonical(result).encode("utf-8") != raw:
            problems.append("result.json is not canonical: it was written by something else")
        return judge(asked, path, result, problems)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Unable) as error:
        say("DIFFERS: this is no result as the toolkit writes it: %s" % safe(repr(error)))
        return 1


def judge(asked, path, result, problems):
    """Check the whole of a result; return the exit code."""
    say(
        "%s %s judged by the policy %s, as of %s"
        % tuple(
            map(
                safe,
                (
                    result["tool"]["name"],
                    result["tool"]["version"],
                    result["policy"]["id"],
                    result["as_of"],
                ),
            )
        )
    )
    differs, told = check_sums(os.path.dirname(os.path.abspath(path)))
    problems += differs
    say("note: " + told)
    captures = open_captures(asked, path, result, problems)
    findings = [
        (verdict, finding) for verdict in result["verdicts"] for finding in verdict["findings"]
    ]
    chosen = findings
    if asked.finding:
        chosen = [
            (v, f)
            for v, f in findings
            if any(f["id"] == one or f["id"].startswith(one) for one in asked.finding)
        ]
        if not chosen:
            say("there is no finding %s; --list names them" % safe(" ".join(asked.finding)))
            return 2
    for verdict in result["verdicts"]:
        if (verdict["outcome"] == "fail") != bool(verdict["findings"]):
            problems.append(
                "%s is %s with %d findings"
                % (verdict["check"], verdict["outcome"], len(verdict["findings"]))
            )
    for _, finding in findings:
        if not finding["evidence"]:
            say("note: %s names no bytes: nothing of it is checked" % safe(finding["id"]))
    counts = {"as said": 0, "not re-derived": 0, "DIFFERS": 0}
    say("")
    for verdict, finding in chosen:
        check_one(asked, captures, verdict, finding, problems, counts)
    say("")
    if not asked.list:
        say(
            "%d findings; evidence: %d as said, %d not re-derived here, %d differ"
            % (len(chosen), counts["as said"], counts["not re-derived"], counts["DIFFERS"])
        )
    for text in problems:
        say("DIFFERS: %s" % safe(text))
    say(
        "not checked here: outcomes, messages, and what no finding speaks of; "
        "'audit verify --again' judges the recordings anew"
    )
    say(
        "something differs from what the result says"
        if problems
        else "all that was checked is as the result says"
    )
    return 1 if problems else 0


def open_captures(asked, path, result, problems):
    """Find the recordings of a result; return them by the name that evidence uses."""
    wanted = {one["digest"]: one for one in result["captures"]}
    if not wanted:
        problems.append("the result names no recording that it is of")
    found, said = find_captures(asked.capture, path, wanted)
    problems += said
    captures = {}
    by_digest = {capture.digest: capture for capture in found}
    for digest, one in wanted.items():
        capture = by_digest.get(digest)
        if capture is None:
            cut = [c for c in found if c.manifest and c.manifest.get("redacted_from") == digest]
            if cut:
                say(
                    "note: what lies here is a redaction of %s: the bytes that were cut cannot be checked"
                    % safe(one["id"])
                )
            problems.append(
                "no recording here has the digest %s of %s (name it with --capture)"
                % (digest[:16], safe(one["id"]))
            )
            continue
        problems += ["%s: %s" % (safe(one["id"]), text) for text in check_capture(one, capture)]
        captures[one["id"]] = capture
        withheld = "".join(", %s withheld" % name for name in capture.withheld)
        say(
            "recording %s: %d files as recorded, digest %s...%s"
            % (safe(one["id"]), len(capture.digests) - len(capture.withheld), digest[:16], withheld)
        )
    return captures


def check_one(asked, captures, verdict, finding, problems, counts):
    """Check and print one finding."""
    differs, unable = check_finding(verdict["check"], finding)
    problems += ["%s: %s" % (safe(finding["id"]), text) for text in differs]
    say("%s  [%s] %s" % (safe(finding["id"]), safe(finding["severity"]), safe(finding["message"])))
    if asked.finding:
        say("  clause     %s: %s" % (safe(verdict["clause"]), safe(verdict["quote"])))
        say("  reading    %s" % safe(verdict["reading"]))
        for name, value in finding["columns"].items():
            say("  %-10s %s" % (safe(name), safe(str(value))))
        say("  fingerprint %s" % safe(finding["fingerprint"]))
    for text in unable:
        say("  note: %s" % text)
    if asked.list:
        return
    reasons = {}
    for number, evidence in enumerate(finding["evidence"], start=1):
        piece = check_evidence(captures, evidence, finding["columns"])
        counts[piece.state] += 1
        problems += [
            "%s, evidence %d: %s" % (safe(finding["id"]), number, text) for text in piece.differs
        ]
        for text in piece.unable:
            reasons[text] = reasons.get(text, 0) + 1
        if asked.finding:
            show(piece, number, asked.whole)
            show_records(captures, piece)
    if not asked.finding:
        for text, count in sorted(reasons.items()):
            say("  %d not re-derived: %s" % (count, safe(text)))


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
