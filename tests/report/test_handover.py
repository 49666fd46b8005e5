"""The verifier: it re-derives what a result says from the recording, and notices what was changed."""

import ast
import contextlib
import importlib.util
import io
import json
import shutil
import ssl
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers.inputkind import ReadOptions
from audit.readers.inputs import recognise
from audit.report.handover import SUMS, VERIFIER, handover, read_sums, renewed, sums, verifier
from audit.report.json import render_json
from tests.conftest import ROOT, Demo, run_audit
from tests.readers import wire
from tests.readers.loopback import make_certificate
from tests.report.results import session_python

SAMPLE = ROOT / "captures" / "sample"
AS_OF = "2026-11-24T12:00:00Z"


def load() -> ModuleType:
    source = ROOT / "audit" / "report" / "verifier" / VERIFIER
    spec = importlib.util.spec_from_file_location("audit_verify_alone", source)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ALONE = load()


def check(*arguments: object) -> tuple[int, str]:
    """Run the verifier in this process."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = ALONE.run([*map(str, arguments)])
    return code, out.getvalue()


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it is handed over: the report of the sample, and the sample."""
    folder = tmp_path_factory.mktemp("handed")
    ran = run_audit("run", SAMPLE, "--as-of", AS_OF, "--out", folder / "report", "--exit-zero")
    assert ran.code == 0, ran.err
    shutil.copytree(SAMPLE, folder / "captures" / "sample")
    return folder


def test_it_runs_alone_in_an_empty_folder_and_agrees(handed: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-I", "-S", handed / "report" / VERIFIER],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "all that was checked is as the result says" in ran.stdout
    assert " 0 not re-derived here, 0 differ" in ran.stdout
    assert "the files of the report are those of SHA256SUMS" in ran.stdout


def test_it_is_standard_library_and_python_3_9_alone() -> None:
    tree = ast.parse(verifier(), feature_version=(3, 9))
    names = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert names <= sys.stdlib_module_names


def test_the_bytes_of_a_finding_are_shown(handed: Path) -> None:
    result = json.loads((handed / "report" / "result.json").read_text())
    finding = next(f for v in result["verdicts"] for f in v["findings"])
    code, out = check("--result", handed / "report", finding["id"])
    assert code == 0, out
    assert "|python-requests/|" in out or "python-request" in out.replace("|\n", "")
    assert finding["fingerprint"] in out
    assert "mitm#" in out


def test_every_reading_of_the_sample_is_derived_anew() -> None:
    """What the toolkit read of each message is what the verifier derives from its reference."""
    compare([SAMPLE / "packets.pcapng", SAMPLE / "flows.mitm"], floor=300)


def compare(paths: list[Path], floor: int) -> None:
    same = 0
    for path in paths:
        extract = recognise(path).read(path, ReadOptions(capture="c", file=path.name))
        capture = ALONE.Capture(str(path), {path.name: str(path)}, {path.name: "0"})
        for payload in extract.payloads:
            ref = ALONE.Reference(str(payload.ref))
            try:
                part = ALONE.resolve(capture, ref)
            except ALONE.Unable:  # what it says it cannot do
                assert "/" in str(ref.part) or len(ref.records) > 1, payload.ref
                continue
            start = part.base if ref.start is None else ref.start
            end = part.base + len(part.data) if ref.end is None else ref.end
            data = part.data[start - part.base : end - part.base]
            if data != payload.data:
                assert payload.location == "dns", payload.ref
                assert ALONE.labels_at(part.data, start - part.base - 1) == payload.data.decode()
            same += 1
    assert same >= floor


def flip(data: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[at % len(data)] ^= 1 << bit
    return bytes(changed)


NAMES = [
    *(f"captures/sample/{path.name}" for path in sorted(SAMPLE.iterdir())),
    "report/result.json", f"report/{SUMS}", "report/index.html",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=6, deadline=None)
@given(at=st.integers(0, 1 << 30), bit=st.integers(0, 7))
def test_one_flipped_bit_of_any_file_is_noticed(handed: Path, name: str, at: int, bit: int) -> None:
    path = handed / name
    whole = path.read_bytes()
    path.write_bytes(flip(whole, at, bit))
    try:
        code, out = check("--result", handed / "report", "--capture", handed / "captures/sample")
    finally:
        path.write_bytes(whole)
    assert code == 1, out
    assert "DIFFERS" in out


@pytest.fixture(scope="module")
def forged(handed: Path, tmp_path_factory: pytest.TempPathFactory):
    """Writes another result, its digest renewed as a careful forger would."""
    folder = tmp_path_factory.mktemp("forged")

    def write(result: dict) -> tuple[int, str]:
        data = ALONE.canonical(result).encode()
        (folder / "result.json").write_bytes(data)
        (folder / SUMS).write_bytes(sums({"result.json": data}))
        return check("--result", folder, "--capture", handed / "captures" / "sample")

    return write


def read(handed: Path) -> dict:
    return json.loads((handed / "report" / "result.json").read_text())


def pieces(result: dict) -> list[tuple[dict, dict]]:
    return [(f, e) for v in result["verdicts"] for f in v["findings"] for e in f["evidence"]]


def test_a_result_written_again_as_it_was_still_agrees(handed: Path, forged) -> None:
    code, out = forged(read(handed))
    assert code == 0, out


def test_a_result_that_names_no_recording_is_told(handed: Path, forged) -> None:
    code, out = forged(read(handed) | {"captures": []})
    assert code == 1, out
    assert "names no recording" in out


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_forger_who_renews_the_digests_is_noticed(handed: Path, forged, data) -> None:
    result = read(handed)
    finding, evidence = data.draw(st.sampled_from(pieces(result)))
    what = data.draw(
        st.sampled_from(["column", "locator", "excerpt", "digest", "fingerprint", "outcome"])
    )
    if what == "column":
        name = data.draw(st.sampled_from(sorted(finding["columns"])))
        finding["columns"][name] = (finding["columns"][name] or "") + "x"
    elif what == "locator":
        number = int(evidence["record"]) + data.draw(st.sampled_from([-3, -2, 1000]))
        evidence["record"] = str(max(number, 1))
        evidence["locator"] = evidence["locator"].replace(f"#{int(number)}", f"#{number}")
    elif what == "excerpt":
        evidence["excerpt"] = evidence["excerpt"].replace("python-requests", "curl")
    elif what == "digest":
        name = data.draw(st.sampled_from(sorted(result["captures"][0]["digests"])))
        digest = result["captures"][0]["digests"][name]
        result["captures"][0]["digests"][name] = ("0" if digest[0] != "0" else "1") + digest[1:]
    elif what == "fingerprint":
        finding["fingerprint"] = "0" * 64
    else:
        verdict = next(one for one in result["verdicts"] if finding in one["findings"])
        verdict["outcome"] = "pass"
    code, out = forged(result)
    assert code == 1, (what, out)


def test_bytes_one_further_are_not_the_value_any_more(tmp_path: Path) -> None:
    bundle, result = leaking(tmp_path)
    for shift in ((3, 0), (0, -3), (2, 2)):
        changed = json.loads(json.dumps(result))
        for _, evidence in pieces(changed):
            if not evidence["chain"]:
                continue
            head, _, span = evidence["locator"].rpartition("@")
            start, end = map(int, span.split("-"))
            evidence["locator"] = f"{head}@{start + shift[0]}-{end + shift[1]}"
        path = tmp_path / "changed.json"
        path.write_bytes(ALONE.canonical(changed).encode())
        code, out = check("--result", path, "--capture", bundle)
        assert code == 1, (shift, out)
        assert "DIFFERS" in out


def leaking(folder: Path) -> tuple[Path, dict]:
    """An import with an identity: a pcap of one request that says who asked, and its result."""
    pcap = make_pcap(folder / "leak.pcap")
    identity = folder / "who.json"
    identity.write_text(json.dumps({"schema": "audit/identity@1", "identifiers": WHO}))
    bundle = folder / "leak"
    ran = run_audit("import", pcap, "-o", bundle, "--identity", identity)
    assert ran.code == 0, ran.err
    return bundle, judged(folder, bundle)


WHO = [
    {"kind": "email", "value": "marie.curie.1867@example.org", "canary": True},
    {"kind": "serial", "value": "SER-00418-QX77", "canary": True},
]


def judged(folder: Path, *arguments: object) -> dict:
    ran = run_audit("run", *arguments, "--as-of", AS_OF, "--out", folder / "report", "--exit-zero")
    assert ran.code == 0, ran.err
    result = json.loads((folder / "report" / "result.json").read_text())
    assert pieces(result)
    return result


def make_pcap(path: Path, headers: bytes = b"") -> Path:
    """One HTTP request in two segments, the second one sent twice, with an answer."""
    body = b'{"who": "marie.curie.1867@example.org", "x": "U0VSLTAwNDE4LVFYNzc="}'
    sent = (
        b"POST /in HTTP/1.1\r\nHost: tracker.example\r\nUser-Agent: leaky/1.0\r\n"
        b"Content-Type: application/json\r\n%bContent-Length: %d\r\n\r\n" % (headers, len(body))
    ) + body
    got = b"HTTP/1.1 204 No Content\r\n\r\n"
    cut = len(sent) - 40
    steps = [
        (True, 2, 99, b""), (False, 18, 499, b""), (True, 24, 100, sent[:cut]),
        (True, 24, 100 + cut, sent[cut:]), (True, 24, 100 + cut, sent[cut:]),
        (False, 24, 500, got),
    ]  # fmt: skip
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for number, (is_client, flags, seq, data) in enumerate(steps):
        ports = (40000, 80) if is_client else (80, 40000)
        ends = [bytes((192, 0, 2, 10)), bytes((198, 51, 100, 9))]
        source, target = ends if is_client else ends[::-1]
        ack = 500 if is_client else 100 + len(sent)
        tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 65535, 0, 0) + data
        ip = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), number, 0, 64, 6, 0, source, target
        )
        out += (
            struct.pack("<IIII", 1_700_000_000 + number, 0, len(ip + tcp), len(ip + tcp)) + ip + tcp
        )
    path.write_bytes(out)
    return path


def test_an_import_of_packets_is_derived_anew(tmp_path: Path) -> None:
    bundle, result = leaking(tmp_path)
    code, out = check("--result", tmp_path / "report", "--capture", bundle)
    assert code == 0, out
    assert "0 not re-derived" in out
    kinds = {f["columns"].get("kind") for f, _ in pieces(result)}
    assert "email" in kinds
    found = next(f["id"] for f, e in pieces(result) if f["columns"].get("kind") == "email")
    _, shown = check("--result", tmp_path / "report", "--capture", bundle, found)
    assert "the subject's email" in shown
    assert "marie" in shown


def tls_talk(folder: Path, *requests: bytes) -> bytes:
    """Return packets of requests over TLS, and its secrets."""
    certificate, key = make_certificate(folder)
    contexts = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    contexts[0].check_hostname, contexts[0].verify_mode = False, ssl.CERT_NONE
    contexts[0].keylog_filename = str(folder / "keys.log")
    contexts[1].load_cert_chain(certificate, key)
    up, down, talk = ssl.MemoryBIO(), ssl.MemoryBIO(), wire.TcpTalk(sport=443).open()
    ends = contexts[0].wrap_bio(down, up), contexts[1].wrap_bio(up, down, server_side=True)
    for end in (*ends, *ends):
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
        for one, say in ((up, talk.sent), (down, talk.received)):
            if one.pending and end is ends[0 if one is up else 1]:
                data = one.read()
                say(data)
                one.write(data)
    for request in requests:
        ends[0].write(request)
        talk.sent(up.read())
    key_log = (folder / "keys.log").read_bytes()
    return wire.pcapng(wire.frames(talk.packets), key_log=key_log)


def test_a_body_far_inside_a_tls_stream_is_derived_anew(tmp_path: Path) -> None:
    """It is in chunks, so that it has offsets of its own: they say nothing of where it lies."""
    head = b"POST /a HTTP/1.1\r\nHost: server.example\r\n"
    large = head + b"Content-Length: 200000\r\n\r\n" + b"z" * 200_000
    parts = b"6\r\nmarie.\r\n7\r\ncurie@x\r\n0\r\n\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + parts
    made = wire.read(tmp_path, tls_talk(tmp_path, large, chunked, chunked))
    found = [one for one in made.payloads if one.data == b"marie.curie@x"]
    assert [one.ref.part.partition("/body.")[0] for one in found] == ["tls.sent"] * 2
    capture = ALONE.Capture("", {"packets.pcapng": str(tmp_path / "packets.pcapng")}, {"a": "0"})
    for one in found:
        ref = ALONE.Reference(str(one.ref))
        assert ALONE.resolve(capture, ref).data[ref.start : ref.end] == one.data


def test_a_bare_file_is_derived_anew(tmp_path: Path) -> None:
    pcap = make_pcap(tmp_path / "bare.pcap")
    identity = tmp_path / "who.json"
    identity.write_text(json.dumps({"schema": "audit/identity@1", "identifiers": WHO}))
    judged(tmp_path, pcap, "--identity", identity)
    code, out = check("--result", tmp_path / "report", "--capture", pcap)
    assert code == 0, out
    pcap.write_bytes(pcap.read_bytes()[:-1] + b"!")
    code, out = check("--result", tmp_path / "report", "--capture", pcap)
    assert code == 1, out


def test_an_archive_is_derived_anew(tmp_path: Path) -> None:
    har = tmp_path / "bare.har"
    asked = {
        "method": "POST", "url": "https://tracker.example/in?mail=marie.curie.1867%40example.org",
        "httpVersion": "HTTP/1.1", "headers": [{"name": "User-Agent", "value": "leaky/1.0"}],
        "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 14,
        "postData": {"mimeType": "text/plain", "text": "SER-00418-QX77"},
    }  # fmt: skip
    answer = {
        "status": 204, "statusText": "No Content", "httpVersion": "HTTP/1.1", "headers": [],
        "cookies": [], "content": {"size": 0, "mimeType": ""}, "redirectURL": "",
        "headersSize": -1, "bodySize": 0,
    }  # fmt: skip
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z", "time": 1, "request": asked, "response": answer,
        "cache": {}, "timings": {}, "serverIPAddress": "198.51.100.9",
    }  # fmt: skip
    har.write_text(
        json.dumps(
            {
                "log": {
                    "version": "1.2",
                    "creator": {"name": "x", "version": "1"},
                    "entries": [entry],
                }
            }
        )
    )
    identity = tmp_path / "who.json"
    identity.write_text(json.dumps({"schema": "audit/identity@1", "identifiers": WHO}))
    judged(tmp_path, har, "--identity", identity)
    code, out = check("--result", tmp_path / "report", "--capture", har)
    assert code == 0, out
    assert " 0 not re-derived here, 0 differ" in out
    compare([har], floor=3)


def test_wrong_calls_are_told_apart(handed: Path, tmp_path: Path) -> None:
    assert check("--result", tmp_path / "none")[0] == 2
    assert check("--result", handed / "report", "--capture", tmp_path / "none")[0] == 2
    assert check("--result", handed / "report", "no.such.finding")[0] == 2
    (tmp_path / "result.json").write_bytes(b"[" * 100_000)
    assert check("--result", tmp_path)[0] == 1


def test_a_withheld_identity_is_said_and_no_difference(handed: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(SAMPLE, tmp_path / "sample"))
    (bundle / "identity.json").unlink()
    code, out = check("--result", handed / "report", "--capture", bundle)
    assert code == 0, out
    assert "identity.json withheld" in out


def test_hostile_words_of_a_result_reach_a_terminal_as_text(handed: Path, forged) -> None:
    result = read(handed)
    for finding, evidence in pieces(result):
        finding["message"] = "\x1b]0;owned\x07\u202e\r\n::error::x"
        evidence["reasoning"] = "\x9b31m"
    _, out = forged(result)
    assert out.isascii()
    assert not set(out) & {"\x1b", "\x07", "\r", "\x9b"}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=600), st.sampled_from(["packets.pcapng", "flows.mitm", "a.har", "x.jsonl"])
)
def test_any_bytes_are_told_or_refused(scratch: Path, data: bytes, name: str) -> None:
    heads = {
        "packets.pcapng": (SAMPLE / "packets.pcapng").read_bytes()[:200],
        "flows.mitm": b"",
        "a.har": b"",
        "x.jsonl": b"",
    }
    path = scratch / name
    path.write_bytes(heads[name] + data)
    try:
        capture = ALONE.Capture("", {name: str(path)}, {name: "0"})
        parts = [
            "tcp.sent@0-4",
            "tls.sent@0-4",
            "frame@0-4",
            "dns",
            "request.head",
            "response.body",
        ]
        for part in parts:
            evidence = {
                "capture": "c", "file": name, "record": "1", "part": part.partition("@")[0],
                "locator": f"{name}#1:{part}", "excerpt": "a=b", "reasoning": "", "chain": [],
            }  # fmt: skip
            piece = ALONE.check_evidence({"c": capture}, evidence, {})
            assert piece.state in {"as said", "DIFFERS", "not re-derived"}
    finally:
        path.unlink()


def test_ciphers_are_those_of_the_standards() -> None:
    """FIPS 197 C.1, RFC 8439 2.8.2 and SP 800-38D, against the library that the toolkit uses."""
    from cryptography.hazmat.primitives.ciphers import aead

    one = ALONE.Aes(bytes(range(16))).block(bytes.fromhex("00112233445566778899aabbccddeeff"))
    assert one.hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    for size, real, ours in (
        (16, aead.AESGCM, ALONE.Gcm),
        (32, aead.AESGCM, ALONE.Gcm),
        (32, aead.ChaCha20Poly1305, ALONE.ChaCha),
    ):
        key, nonce, text = bytes(range(size)), bytes(range(12)), bytes(range(256)) * 3 + b"tail"
        sealed = real(key).encrypt(nonce, text, b"head")
        assert ours(key).open(nonce, sealed, b"head") == text
        assert ours(key).open(nonce, flip(sealed, 7, 1), b"head") is None


def test_sums_are_those_of_what_was_written(tmp_path: Path) -> None:
    contents = {"result.json": render_json(session_python())}
    files = {**contents, **handover(contents)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert set(read_sums(tmp_path / SUMS)) == {"result.json", VERIFIER}
    again = renewed(tmp_path, {"result.sarif": b"{}"})
    assert again is not None
    assert b"  result.sarif\n" in again
    (tmp_path / "result.json").write_bytes(b"{}")
    assert renewed(tmp_path, {"result.sarif": b"{}"}) is None
    assert renewed(tmp_path / "none", {}) is None


@pytest.mark.system
@pytest.mark.parametrize("name", ["session-python", "sessionpy-messenger", "misbehaving"])
def test_every_finding_of_the_demo_is_derived_anew(demo: Demo, name: str) -> None:
    folders = sorted(path for path in demo.captures.glob(f"{name}-*") if path.is_dir())
    options = [word for folder in folders for word in ("--capture", folder)]
    code, out = check("--result", demo.reports / name, *options)
    assert code == 0, out
    if name != "misbehaving":  # whose leaks are drawn at random, Brotli among them
        assert " 0 not re-derived here, 0 differ" in out


@pytest.mark.system
def test_every_reading_of_the_demo_is_derived_anew(demo: Demo) -> None:
    for folder in sorted(path for path in demo.captures.glob("*-*") if path.is_dir()):
        compare([*folder.glob("*.pcapng"), *folder.glob("*.mitm")], floor=100)
