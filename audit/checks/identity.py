"""Which columns tell two findings of one expectation apart, where the check does not say."""

from __future__ import annotations

from typing import Final

IDENTITY: Final[dict[str, tuple[str, ...]]] = {
    "captures": ("capture",),
    "events": ("name",),
    "http_requests": ("recipient", "method", "path"),
    "http_responses": ("recipient", "method", "path"),
    "websocket_messages": ("recipient", "direction"),
    "cookies": ("domain", "name"),
    "web_storage": ("site", "key"),
    "dns_queries": ("name",),
    "tls_handshakes": ("recipient", "sni"),
    "conversations": ("recipient", "proto", "responder_port"),
    "stun_messages": ("recipient", "method"),
    "identifier_hits": ("kind", "recipient", "location"),
    "log_lines": ("source", "dataset"),
    "db_records": ("source", "table"),
    "manifest_entries": ("kind", "name"),
    "settings": ("key",),
    "ui_fields": ("screen", "label"),
    "config_entries": ("source", "kind", "name"),
    "local_files": ("path",),
    "controls": ("name", "tap"),
}
"""Table -> its usual identity: nothing that differs between two recordings of one client."""
