"""Closed vocabularies (design §6). A word that is not here is an error at its place."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final, Literal, cast, get_args

Capability = Literal[
    "transport.opened", "onion.opened", "packets.all_interfaces", "process.attribution",
    "dns.seen", "tls.metadata", "identifiers.planted", "app.files", "app.settings",
    "app.screens", "app.package", "browser.storage", "browser.scripts",
    "server.logs", "server.records", "server.config",
]  # fmt: skip
Action = Literal[
    "app.install.clean", "app.first-launch", "app.relaunch", "app.idle", "app.remove",
    "account.create", "account.delete", "app.message.send", "app.message.receive",
    "app.attachment.send", "app.attachment.receive", "app.group.create", "app.call.start",
    "app.link.paste", "app.push.register", "app.crash.forced", "setting.changed",
    "vpn.up", "vpn.drop", "vpn.down", "web.visit", "web.consent.accept", "web.consent.refuse",
    "web.newsletter.subscribe", "web.newsletter.unsubscribe", "web.download", "web.revisit",
    "web.probe",
]  # fmt: skip
Phase = Literal["install", "first-launch", "account-create", "steady", "after-drop", "removed"]
Form = Literal[
    "plain", "case", "squeezed", "reversed", "percent", "base64", "base64url", "base32", "hex",
    "utf16", "escaped", "html", "packed-address", "integer-address",
    "md5", "sha1", "sha256", "sha512",
]  # fmt: skip
Kind = Literal[
    "address", "mac", "host_name", "device_model", "serial", "ad_id", "android_id", "email",
    "phone", "account_id", "contact_id", "display_name", "message", "attachment",
    "attachment_name", "recovery_phrase", "locale", "time_zone", "user_name", "user_agent",
]  # fmt: skip
Direction = Literal["sent", "received"]
Location = Literal[
    "path", "query", "header", "cookie", "body", "trailer", "websocket", "dns", "sni",
    "payload", "response", "log", "column", "file", "storage",
]  # fmt: skip
Transport = Literal[
    "plaintext", "tls-keys", "tls-intercepted", "tls-passthrough", "pinned-refused", "metadata-only"
]
Content = Literal["readable", "mixed", "opaque", "empty"]
SeenAs = Literal["client", "proxy", "onion"]
Process = Literal["app", "os", "browser", "control", "unknown"]
ProcessBasis = Literal["netns", "uid", "socket-table", "cgroup", "package", "bundle-id", "declared"]
Vantage = Literal["netns", "socket-tap", "proxy", "wireguard", "browser", "import"]
Pass = Literal["passive", "intercepted"]
Driver = Literal["recorder", "script", "peer", "manual"]
Tap = Literal["proxy", "packets", "device"]
Platform = Literal["android", "ios", "desktop", "library", "web", "server"]
Severity = Literal["info", "low", "medium", "high", "critical"]

CAPABILITIES: Final = get_args(Capability)
ACTIONS: Final = get_args(Action)
PHASES: Final = get_args(Phase)
FORMS: Final = get_args(Form)
KINDS: Final = get_args(Kind)
LOCATIONS: Final = get_args(Location)
PLATFORMS: Final = get_args(Platform)
SEVERITIES: Final = get_args(Severity)
OPENED_TRANSPORTS: Final = ("plaintext", "tls-keys", "tls-intercepted")
"""Transports whose bytes could be had."""
CLAIMED: Final = "claimed"
"""``host_basis`` of a name that is the client's word alone, and that no look-up bears out."""
RECORDER_ACTIONS: Final = (
    "app.install.clean", "app.first-launch", "app.relaunch", "app.remove", "app.idle",
    "vpn.up", "vpn.drop", "vpn.down",
)  # fmt: skip
"""Actions that the recorder itself performs or measures: its own line corroborates them."""
PEER_ACTIONS: Final = (
    "account.create", "app.message.send", "app.attachment.send", "app.message.receive",
)  # fmt: skip
"""Actions that only a line of the peer, naming sender, canary or digest, corroborates."""


def joint_content(contents: AbstractSet[str]) -> Content:
    """Return the content of a whole from that of its parts.

    Parts that differ make it mixed; empty ones do not count.
    """
    parts = contents - {"empty"}
    if not parts:
        return "empty"
    return cast("Content", next(iter(parts))) if len(parts) == 1 else "mixed"
