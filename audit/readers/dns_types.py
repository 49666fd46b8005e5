"""Names of DNS record types (IANA, DNS Parameters, resource record types)."""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV",
    35: "NAPTR", 39: "DNAME", 41: "OPT", 43: "DS", 46: "RRSIG", 48: "DNSKEY", 52: "TLSA",
    64: "SVCB", 65: "HTTPS", 255: "ANY", 257: "CAA",
}  # fmt: skip


def type_name(number: int) -> str:
    """Return the name of a record type, or its number as text."""
    return _NAMES.get(number, str(number))
