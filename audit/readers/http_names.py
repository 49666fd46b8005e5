"""Words of HTTP that say nothing of anybody: names, methods, versions and phrases in common use.

They are not handed to the search: no identifier can hide in a word that everybody sends.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

METHODS: Final = frozenset(
    b"GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PROPFIND REPORT QUERY".split()
)
"""RFC 9110 §9.3, RFC 5789 and others of the IANA registry."""
VERSIONS: Final = frozenset(b"HTTP/1.0 HTTP/1.1 HTTP/2 HTTP/2.0 HTTP/3 HTTP/3.0".split())
PHRASES: Final = frozenset(
    {b"", b"found", b"object not found", b"request timeout", b"request entity too large"}
    | {status.phrase.lower().encode() for status in HTTPStatus}
)
"""Reason phrases, lower case."""
NAMES: Final = frozenset(
    b"""
    accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-headers
    access-control-allow-credentials access-control-allow-methods access-control-allow-origin
    access-control-expose-headers access-control-max-age access-control-request-headers
    access-control-request-method age allow alt-svc authorization cache-control connection
    content-disposition content-encoding content-language content-length content-location
    content-range content-security-policy content-type cookie cross-origin-opener-policy
    cross-origin-resource-policy date dnt dpop early-data etag expect expires from host
    http2-settings if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive
    last-modified link location max-forwards nel origin permissions-policy pragma priority
    proxy-authenticate proxy-authorization proxy-connection range referer referrer-policy refresh
    report-to reporting-endpoints retry-after sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform
    sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-gpc sec-websocket-accept
    sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version server
    server-timing set-cookie strict-transport-security te timing-allow-origin trailer
    transfer-encoding upgrade upgrade-insecure-requests user-agent vary via warning
    www-authenticate x-content-type-options x-forwarded-for x-forwarded-host x-forwarded-proto
    x-frame-options x-powered-by x-request-id x-requested-with x-xss-protection
    """.split()
)
"""Names of headers, lower case: IANA registry of field names, and what browsers and servers add."""
