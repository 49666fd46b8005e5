"""Time stamps of a result by a server that the user names (RFC 3161).

The token lies beside ``result.json`` as ``result.json.tsr``, as ``openssl ts -verify`` reads it. It
says that these bytes existed at a moment, on the word of whoever signed it.
"""

from __future__ import annotations

import hashlib
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from audit.errors import CaptureError, SetupError, UsageError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, ExtensionType

    Kind = TypeVar("Kind", bound=ExtensionType)

BESIDE: Final = "result.json.tsr"
"""Name of the token beside ``result.json``."""
LARGEST: Final = 1 << 20
"""Bytes of an answer that are read; a token with its certificates has some 6 000."""
_PATIENCE_S: Final = 30.0
_SHA256: Final = bytes.fromhex("608648016503040201")
"""OID 2.16.840.1.101.3.4.2.1, encoded (RFC 5754 §2.2)."""
_TST_INFO: Final = bytes.fromhex("2a864886f70d0109100104")
"""OID 1.2.840.113549.1.9.16.1.4, id-ct-TSTInfo (RFC 3161 §2.4.2)."""
_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")
"""OID 1.2.840.113549.1.9.4 (RFC 5652 §11.2)."""
_CONTENT_TYPE: Final = bytes.fromhex("2a864886f70d010903")
"""OID 1.2.840.113549.1.9.3 (RFC 5652 §11.1)."""
_DIGESTS: Final = {
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_LONGEST_CHAIN: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a token says."""

    made_at: datetime
    """UTC, by the signer's clock."""
    signer: str
    """Subject of the certificate that signed."""
    is_trusted: bool
    """Whether its certificate leads to one that the caller trusts."""


@dataclass(frozen=True, slots=True)
class _Node:
    """One value in DER (X.690): tag, content, and the bytes of the whole."""

    tag: int
    content: bytes
    whole: bytes

    def children(self) -> list[_Node]:
        """Return the values inside."""
        found, at = [], 0
        while at < len(self.content):
            node = _read(self.content, at)
            found.append(node)
            at += len(node.whole)
        return found


def _read(data: bytes, at: int = 0) -> _Node:
    """Return the value at an offset; raises ``ValueError`` for what is no DER."""
    if at + 2 > len(data):
        raise ValueError("it ends inside a value")
    size, start = data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("a length is not definite")
        size, start = int.from_bytes(data[start : start + count], "big"), start + count
    if start + size > len(data):
        raise ValueError("it ends inside a value")
    return _Node(data[at], data[start : start + size], data[at : start + size])


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _integer(number: int) -> bytes:
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def request_of(data: bytes, nonce: int) -> bytes:
    """Return the TimeStampReq for some bytes, certificates asked for (RFC 3161 §2.4.1)."""
    algorithm = _der(0x30, _der(6, _SHA256) + _der(5, b""))
    imprint = _der(0x30, algorithm + _der(4, hashlib.sha256(data).digest()))
    return _der(0x30, _integer(1) + imprint + _integer(nonce) + _der(1, b"\xff"))


def stamp(data: bytes, url: str) -> bytes:
    """Ask the server at ``url`` for a token over some bytes; return its whole answer.

    Nobody else is contacted. Raises :class:`UsageError` for a URL that is none,
    :class:`SetupError` for a server that gives no token for these bytes.
    """
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise UsageError(f"--timestamp takes the URL of a server, not {url!r}")
    nonce = secrets.randbits(64)
    asked = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        url, request_of(data, nonce), {"Content-Type": "application/timestamp-query"}
    )
    opener = urllib.request.build_opener(_Stay(), urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=_PATIENCE_S) as answer:
            token = bytes(answer.read(LARGEST + 1))
    except (OSError, urllib.error.URLError, ValueError) as problem:
        raise SetupError(f"the time stamp server does not answer: {problem}", source=url) from None
    try:
        _require(_info(token)[1] == nonce, "its token answers another request")
        check(data, token)
    except (ValueError, CaptureError) as problem:
        raise SetupError(f"the server gave no time stamp: {problem}", source=url) from None
    return token


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: only the server that the user named is spoken to."""

    def redirect_request(self, *_: object) -> None:
        """Return nothing, so that the redirect becomes an error."""


def _content(token: bytes) -> tuple[list[_Node], bytes]:
    """Return the parts of SignedData, and the TSTInfo that it signs."""
    if len(token) > LARGEST:
        raise ValueError("it is too large")
    status, *rest = _read(token).children()
    if int.from_bytes(status.children()[0].content, "big") not in {0, 1} or not rest:
        raise ValueError("the server refused")
    signed = rest[0].children()[1].children()[0].children()
    kind, content = signed[2].children()
    if kind.content != _TST_INFO:
        raise ValueError("it is no time stamp token")
    return signed, content.children()[0].content


def _info(token: bytes) -> tuple[bytes, int | None, datetime]:
    """Return imprint, nonce and time of a token."""
    try:
        fields = _read(_content(token)[1]).children()
        algorithm, imprint = fields[2].children()
        if algorithm.children()[0].content != _SHA256:
            raise ValueError("its digest is not SHA-256")
        text = fields[4].content.decode("ascii").rstrip("Z")
        whole, _, part = text.partition(".")
        moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        moment = moment.replace(microsecond=int(part[:6].ljust(6, "0")) if part else 0)
        nonce = next((one for one in fields[5:] if one.tag == 2), None)
    except IndexError:
        raise ValueError("it lacks a part") from None
    number = int.from_bytes(nonce.content, "big") if nonce else None
    return imprint.content, number, moment


def check(data: bytes, token: bytes, trusted: bytes = b"") -> Stamp:
    """Check a token over some bytes: digest, signature, purpose and chain of certificates.

    ``trusted`` are certificates (PEM) that a chain may end in. Raises :class:`CaptureError` for a
    token that is not of these bytes, or whose signature is wrong.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        imprint, _, moment = _info(token)
        _require(imprint == hashlib.sha256(data).digest(), "it is of other bytes")
        signed, content = _content(token)
        signer, others = _verified(signed, content)
        anchors = _anchors(trusted)
        is_trusted = bool(anchors) and _leads(signer, others, anchors, moment)
    except (ValueError, IndexError, TypeError, InvalidSignature, UnsupportedAlgorithm) as problem:
        raise CaptureError(
            f"the time stamp does not hold: {problem or 'its signature is wrong'}"
        ) from None
    if anchors and not is_trusted:
        raise CaptureError("the time stamp's certificate leads to none that is trusted")
    return Stamp(made_at=moment, signer=signer.subject.rfc4514_string(), is_trusted=is_trusted)


def _verified(signed: list[_Node], content: bytes) -> tuple[Certificate, list[Certificate]]:
    """Check the signature (RFC 5652 §5.4); return the signer's certificate and the others."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    certificates = [
        x509.load_der_x509_certificate(node.whole)
        for part in signed
        if part.tag == 0xA0
        for node in part.children()
        if node.tag == 0x30
    ]
    fields = signed[-1].children()[0].children()
    issuer, serial = fields[1].children()
    number = int.from_bytes(serial.content, "big", signed=True)
    found = [
        one
        for one in certificates
        if one.serial_number == number and one.issuer.public_bytes() == issuer.whole
    ]
    if not found:
        raise ValueError("the signer's certificate is not in it")
    digest = _DIGESTS.get(fields[2].children()[0].content, "")
    if not digest or fields[3].tag != 0xA0:
        raise ValueError("it is signed in a way that is not read")
    attributes = {
        node.children()[0].content: node.children()[1].children()[0].content
        for node in fields[3].children()
    }
    if attributes.get(_MESSAGE_DIGEST) != hashlib.new(digest, content).digest():
        raise ValueError("what is signed is not its content")
    if attributes.get(_CONTENT_TYPE) != _TST_INFO:
        raise ValueError("what is signed is no time stamp")
    _check_signature(found[0], fields[5].content, b"\x31" + fields[3].whole[1:], digest)
    usage = _extension(found[0], x509.ExtendedKeyUsage)
    if usage is None or ExtendedKeyUsageOID.TIME_STAMPING not in usage:
        raise ValueError("the signer's certificate is not for time stamps")
    return found[0], [one for one in certificates if one is not found[0]]


def _check_signature(signer: Certificate, signature: bytes, text: bytes, digest: str) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    kinds: dict[str, hashes.HashAlgorithm] = {
        "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }
    kind = kinds[digest]
    key = signer.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, text, padding.PKCS1v15(), kind)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, text, ec.ECDSA(kind))
    else:
        raise TypeError("its kind of key is not read")


def _anchors(trusted: bytes) -> list[Certificate]:
    from cryptography import x509

    return x509.load_pem_x509_certificates(trusted) if trusted.strip() else []


def _leads(
    signer: Certificate, others: list[Certificate], anchors: list[Certificate], moment: datetime
) -> bool:
    """Whether a chain of certificates, all valid at the moment, ends in a trusted one."""
    from cryptography.exceptions import InvalidSignature

    at = signer
    for _ in range(_LONGEST_CHAIN):
        if not at.not_valid_before_utc <= moment <= at.not_valid_after_utc:
            return False
        if at in anchors:
            return True
        for issuer in [*anchors, *others]:
            if issuer == at or issuer.subject != at.issuer or not _may_issue(issuer):
                continue
            try:
                at.verify_directly_issued_by(issuer)
            except (ValueError, TypeError, InvalidSignature):
                continue
            at = issuer
            break
        else:
            return False
    return False


def _may_issue(certificate: Certificate) -> bool:
    """Whether a certificate is an authority's; no other may sign one (RFC 5280 §4.2.1.9)."""
    from cryptography import x509

    found = _extension(certificate, x509.BasicConstraints)
    return found is not None and found.ca


def _extension(certificate: Certificate, kind: type[Kind]) -> Kind | None:
    """Return an extension, ``None`` where there is none; raises ``ValueError`` if it is broken."""
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as problem:
        raise ValueError(str(problem)) from None


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def read_token(folder: Path) -> bytes | None:
    """Return the token beside a result, ``None`` where there is none."""
    path = folder / BESIDE
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(LARGEST + 1)
