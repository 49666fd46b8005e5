"""How a browser is started so that what it sends is the page's: facts handed over, switches."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from audit.bundle.layout import CONTROL_HOST
from audit.errors import SetupError

_FEATURES: Final = (
    "IsolateOrigins", "site-per-process", "OptimizationHints", "MediaRouter",
    "AutofillServerCommunication", "CertificateTransparencyComponentUpdater",
    "DialMediaRouteProvider", "InterestFeedContentSuggestions", "Translate", "LensOverlay",
    "HttpsUpgrades", "NetworkTimeServiceQuerying", "AimEnabled", "AimServerEligibilityEnabled",
    "AimServerRequestOnStartupEnabled", "AimServerRequestOnIdentityChangeEnabled",
)  # fmt: skip
SWITCHES: Final = (
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-domain-reliability",
    "--disable-client-side-phishing-detection", "--disable-breakpad", "--no-pings",
    "--no-first-run", "--no-default-browser-check", "--disable-quic",
    "--disable-blink-features=AutomationControlled", "--disable-site-isolation-trials",
    f"--disable-features={','.join(_FEATURES)}",
    "--gaia-url=http://127.0.0.1:1/", "--gcm-checkin-url=http://127.0.0.1:1/",
    f"--host-resolver-rules=MAP {CONTROL_HOST} ~NOTFOUND",
)  # fmt: skip
"""Switches of Chromium: its own traffic is off (what has no switch is asked for at a closed port);
QUIC is, so that bytes can be had; frames share one process, so that one connection sees them all; a
page is not told that it is automated."""
PREFERENCES: Final[dict[str, Any]] = {
    "signin": {"allowed": False, "allowed_on_next_startup": False},
    "search": {"suggest_enabled": False},
    "browser": {"enable_spellchecking": False},
    "spellcheck": {"dictionaries": [], "dictionary": "", "use_spelling_service": False},
    "gcm": {"channel_status": False},
    "default_search_provider": {"enabled": False},
    "default_search_provider_data": {
        "template_url_data": {
            "keyword": "none", "short_name": "none", "id": "2", "prepopulate_id": 0,
            "url": f"http://{CONTROL_HOST}/?q={{searchTerms}}", "suggestions_url": "",
            "safe_for_autoreplace": False, "synced_guid": "",
        }
    },
}  # fmt: skip
"""Settings of a new profile: no account, no search engine to connect to beforehand, no spelling
dictionary to fetch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserFacts:
    """What the recorder hands over to the program that drives the browser."""

    program: str
    """Path of Chromium."""
    start: str
    """Address of the first page."""
    folder: str
    """Where the evidence is written."""
    profile: str
    """Folder of the browser's profile, new."""
    consent: str
    """``accept`` or ``refuse``."""
    steps: dict[str, Any] = field(default_factory=dict)
    """The steps as plain data; empty: the default ones."""
    trusts_all: bool = False
    """Whether certificates are not checked: stand-ins have none that anybody signed."""
    locale: str = "en-US"
    time_zone: str = "UTC"
    test: str | None = None
    """Test file that drives instead of the steps."""

    def told(self) -> dict[str, Any]:
        """Return what stands in the first line of the evidence."""
        return {
            "start": self.start, "consent": self.consent, "driver": "test" if self.test else "steps"
        }  # fmt: skip


def read_facts(path: Path) -> BrowserFacts:
    """Read the facts, which the recorder wrote as JSON."""
    return BrowserFacts(**json.loads(path.read_text(encoding="utf-8")))


def launch_options(facts: BrowserFacts) -> dict[str, Any]:
    """Return the arguments of Playwright's ``launch_persistent_context``."""
    _prepare_profile(Path(facts.profile))
    arguments = list(SWITCHES)
    if facts.trusts_all:
        arguments.append("--ignore-certificate-errors")
    authority = os.environ.get("AUDIT_AUTHORITY")
    if authority:
        arguments.append(f"--ignore-certificate-errors-spki-list={key_digest(Path(authority))}")
    found: dict[str, Any] = {
        "user_data_dir": facts.profile,
        "executable_path": facts.program,
        "args": arguments,
        "headless": True,
        "chromium_sandbox": False,
        "accept_downloads": True,
        "locale": facts.locale.replace("_", "-"),
        "timezone_id": facts.time_zone,
        "service_workers": "allow",
        "env": dict(os.environ),
    }
    proxy = os.environ.get("https_proxy")
    if proxy:
        parts = urlsplit(proxy)
        found["proxy"] = {
            "server": f"{parts.scheme}://{parts.hostname}:{parts.port}",
            "username": parts.username or "",
            "password": parts.password or "",
        }
    return found


def _prepare_profile(profile: Path) -> None:
    """Write the settings of a profile that is new; one that was used keeps its own."""
    file = profile / "Default" / "Preferences"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(PREFERENCES), encoding="utf-8")


def key_digest(certificate: Path) -> str:
    """Return the SHA-256 of a certificate's public key in base64, as Chromium's switch takes it.

    Raises :class:`SetupError` for a file that holds no certificate in PEM.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        raise SetupError(
            "the recording's authority cannot be read", source=str(certificate)
        ) from None
    key = loaded.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(key).digest()).decode("ascii")
