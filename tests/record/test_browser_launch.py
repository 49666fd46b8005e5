"""How a browser is started."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from audit.errors import SetupError
from audit.record.browser_launch import BrowserFacts, key_digest, launch_options
from audit.record.echo import make_certificate


def facts(folder: Path, *, trusts_all: bool = False) -> BrowserFacts:
    return BrowserFacts(
        program="/usr/bin/chromium", start="https://site.example/", folder=str(folder / "out"),
        profile=str(folder / "profile"), consent="refuse", trusts_all=trusts_all, locale="sv_SE",
    )  # fmt: skip


def test_certificates_are_checked_but_in_the_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUDIT_AUTHORITY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    assert not [a for a in launch_options(facts(tmp_path))["args"] if "certificate" in a]
    arguments = launch_options(facts(tmp_path, trusts_all=True))["args"]
    assert "--ignore-certificate-errors" in arguments


def test_an_interception_is_trusted_by_its_key_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    path = make_certificate("192.0.2.1", tmp_path)
    monkeypatch.setenv("AUDIT_AUTHORITY", str(path))
    (switch,) = [a for a in launch_options(facts(tmp_path))["args"] if "spki" in a]
    key = x509.load_pem_x509_certificate(path.read_bytes()).public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert switch.partition("=")[2] == base64.b64encode(hashlib.sha256(der).digest()).decode()


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    for content in (b"", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"):
        (tmp_path / "c.pem").write_bytes(content)
        with pytest.raises(SetupError):
            key_digest(tmp_path / "c.pem")


def test_an_explicit_proxy_keeps_its_secret_out_of_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://user:secret@127.0.0.1:8080")
    assert launch_options(facts(tmp_path))["proxy"] == {
        "server": "http://127.0.0.1:8080", "username": "user", "password": "secret",
    }  # fmt: skip


def test_settings_are_written_once_into_a_new_profile(tmp_path: Path) -> None:
    launch_options(facts(tmp_path))
    file = tmp_path / "profile" / "Default" / "Preferences"
    assert json.loads(file.read_text())["signin"]["allowed"] is False
    file.write_text("{}")
    launch_options(facts(tmp_path))
    assert file.read_text() == "{}"
