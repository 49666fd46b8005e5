"""Time stamps against a real authority: OpenSSL's, behind a small HTTP server on loopback."""

import http.server
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.cli.timestamps import BESIDE, check, read_token, request_of, stamp
from audit.errors import AuditError, CaptureError, SetupError, UsageError
from tests.conftest import ROOT, run_audit

OPENSSL = shutil.which("openssl")
DATA = b'{"schema":"audit/result@1"}'
SAMPLE = ROOT / "captures" / "sample"


class Authority:
    """A time stamp authority: its certificates, and where it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[bytes] = []
        self.certificates()
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                authority.asked.append(body)
                if self.path == "/elsewhere":
                    self.send_response(302)
                    self.send_header("Location", "/")
                    self.end_headers()
                    return
                if self.path == "/replay":
                    body = authority.asked[0]
                answer = authority.reply(body) if self.path != "/junk" else b"0\x03junk"
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def certificates(self, between: bool | None = None) -> None:
        """Make a root and a signer; ``between``: a third between them, and if it is an authority."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, rsa
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        now = datetime.now(UTC)
        key = rsa.generate_private_key(65537, 2048)
        issuer_key = root_key = ec.generate_private_key(ec.SECP256R1())
        issuer = root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test root")])
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        steps = [("root.pem", root, root_key, x509.BasicConstraints(True, None))]
        if between is not None:
            middle = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test middle")])
            middle_key = ec.generate_private_key(ec.SECP256R1())
            steps.append(("middle.pem", middle, middle_key, x509.BasicConstraints(between, None)))
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test time stamps")])
        for file, subject, subject_key, extension in [*steps, ("tsa.pem", name, key, purpose)]:
            made = (
                x509.CertificateBuilder()
                .subject_name(subject).issuer_name(issuer).public_key(subject_key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
                .add_extension(extension, critical=True)
                .sign(issuer_key, hashes.SHA256())
            )  # fmt: skip
            (self.folder / file).write_bytes(made.public_bytes(serialization.Encoding.PEM))
            issuer, issuer_key = subject, subject_key
        (self.folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (self.folder / "serial").write_text("01\n")
        (self.folder / "tsa.cnf").write_text(
            f"[tsa]\ndefault_tsa = one\n[one]\nserial = {self.folder}/serial\ncrypto_device = builtin\n"
            f"signer_cert = {self.folder}/tsa.pem\nsigner_key = {self.folder}/key.pem\n"
            "signer_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256\nordering = yes\n"
            "ess_cert_id_chain = no\naccuracy = secs:1\n"
            + (f"certs = {self.folder}/middle.pem\n" if between is not None else "")
        )

    def reply(self, query: bytes) -> bytes:
        assert OPENSSL
        (self.folder / "q.tsq").write_bytes(query)
        subprocess.run(
            [OPENSSL, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q.tsq", "-out", "r.tsr"],
            cwd=self.folder, check=True, capture_output=True, timeout=30,
        )  # fmt: skip
        return (self.folder / "r.tsr").read_bytes()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    if OPENSSL is None:
        pytest.skip("openssl is not installed")
    made = Authority(tmp_path_factory.mktemp("authority"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return stamp(DATA, authority.url)


def test_a_token_says_when_and_who(authority: Authority, token: bytes) -> None:
    trusted = (authority.folder / "root.pem").read_bytes()
    found = check(DATA, token, trusted)
    assert found.is_trusted
    assert found.signer == "CN=Test time stamps"
    assert abs((datetime.now(UTC) - found.made_at).total_seconds()) < 300
    assert not check(DATA, token).is_trusted


def test_openssl_reads_what_we_ask_and_what_we_keep(
    authority: Authority, token: bytes, tmp_path: Path
) -> None:
    assert OPENSSL
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "token.tsr").write_bytes(token)
    (tmp_path / "q.tsq").write_bytes(request_of(DATA, 255))
    asked = subprocess.run(
        [OPENSSL, "ts", "-query", "-in", "q.tsq", "-text"],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30,
    ).stdout  # fmt: skip
    assert "Nonce: 0xFF" in asked
    assert "Certificate required: yes" in asked
    done = subprocess.run(
        [OPENSSL, "ts", "-verify", "-data", "data", "-in", "token.tsr", "-CAfile", authority.folder / "root.pem"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert "Verification: OK" in done.stdout + done.stderr


def test_other_bytes_other_roots_and_other_answers_are_refused(
    authority: Authority, token: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(CaptureError, match="other bytes"):
        check(DATA + b" ", token)
    other = tmp_path_factory.mktemp("other")
    stranger = Authority.__new__(Authority)
    stranger.folder = other
    stranger.certificates()
    with pytest.raises(CaptureError, match="none that is trusted"):
        check(DATA, token, (other / "root.pem").read_bytes())
    for path, said in (
        ("/junk", "no time stamp"),
        ("/replay", "no time stamp"),
        ("/elsewhere", "not answer"),
    ):
        with pytest.raises(SetupError, match=said):
            stamp(b"something else", authority.url + path)


@pytest.mark.parametrize("is_authority", [True, False])
def test_only_authorities_stand_between_a_signer_and_a_trusted_root(
    tmp_path: Path, is_authority: bool
) -> None:
    if OPENSSL is None:
        pytest.skip("openssl is not installed")
    signing = Authority.__new__(Authority)
    signing.folder = tmp_path
    signing.certificates(is_authority)
    token = signing.reply(request_of(DATA, 255))
    trusted = (tmp_path / "root.pem").read_bytes()
    assert not check(DATA, token).is_trusted
    if is_authority:
        assert check(DATA, token, trusted).is_trusted
    else:
        with pytest.raises(CaptureError, match="none that is trusted"):
            check(DATA, token, trusted)


def test_a_signer_without_purpose_or_certificate_is_refused_in_one_sentence(
    authority: Authority, token: bytes
) -> None:
    purpose = bytes.fromhex("0603551d25")
    assert token.count(purpose) == 1
    with pytest.raises(CaptureError, match="not for time stamps"):
        check(DATA, token.replace(purpose, bytes.fromhex("0603551d63")))
    pem = (authority.folder / "tsa.pem").read_text()
    at = token.index(ssl.PEM_cert_to_DER_cert(pem)) - 4
    assert token[at] == 0xA0
    with pytest.raises(CaptureError, match="certificate is not in it"):
        check(DATA, token[:at] + b"\xa2" + token[at + 1 :])


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 1 << 20), bit=st.integers(0, 7), cut=st.booleans())
def test_a_changed_token_never_names_another_moment(
    token: bytes, at: int, bit: int, cut: bool
) -> None:
    data = bytearray(token)
    data[at % len(data)] ^= 1 << bit
    changed = bytes(data[: at % len(data)] if cut else data)
    whole = check(DATA, token)
    try:
        found = check(DATA, changed)
    except AuditError:
        return
    assert found.made_at == whole.made_at  # a part that nobody signs


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_sentence(data: bytes) -> None:
    with pytest.raises(CaptureError):
        check(DATA, data)


def test_only_a_server_that_is_named_is_asked() -> None:
    for url in ("", "file:///etc/passwd", "ftp://x.example", "127.0.0.1:1"):
        with pytest.raises(UsageError):
            stamp(DATA, url)
    with pytest.raises(SetupError):
        stamp(DATA, "http://127.0.0.1:9")


def test_run_gets_a_stamp_and_verify_checks_it(authority: Authority, tmp_path: Path) -> None:
    report = tmp_path / "report"
    ran = run_audit("run", SAMPLE, "--out", report, "--exit-zero", "--timestamp", authority.url)
    assert ran.code == 0, ran.err
    assert read_token(report)
    verify = ["verify", report, "--capture", SAMPLE, "--trust", authority.folder / "root.pem"]
    ran = run_audit(*verify)
    assert ran.code == 0, ran.err
    assert "CN=Test time stamps (trusted)" in ran.out
    ran = run_audit(*verify[:4])
    assert "nobody was named to trust" in ran.out
    (report / "SHA256SUMS").unlink()
    path = report / "result.json"
    result = json.loads(path.read_text())
    result["as_of"] = "2020-01-01T00:00:00Z"
    path.write_text(json.dumps(result))
    ran = run_audit(*verify)
    assert ran.code == 3
    assert "time stamp does not hold: it is of other bytes" in ran.err
    (report / BESIDE).unlink()
    assert run_audit(*verify).code == 2
