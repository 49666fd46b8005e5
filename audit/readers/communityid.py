"""Community ID 1.0, seed 0 (the Corelight specification): a short name of a 5-tuple."""

from __future__ import annotations

from binascii import b2a_base64
from hashlib import sha1
from typing import Final

ICMP_PAIRS: Final = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 10: 9, 9: 10, 17: 18, 18: 17}
"""ICMP request type <-> answer type, as the specification pairs them."""
ICMP6_PAIRS: Final = {
    128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135,
    130: 131, 131: 130, 144: 145, 145: 144, 139: 140, 140: 139,
}  # fmt: skip
"""ICMPv6 request type <-> answer type."""


def community_id(
    proto: int, src: bytes, dst: bytes, sport: int | None = None, dport: int | None = None
) -> str:
    """Return the Community ID of a conversation given from either side.

    Addresses are packed (4 or 16 bytes). For ICMP the ports are type and answer type of a pair,
    else type and code: then the direction counts.
    """
    one_way = (proto == 1 and sport not in ICMP_PAIRS) or (proto == 58 and sport not in ICMP6_PAIRS)
    if not one_way and (src, sport or 0) > (dst, dport or 0):
        src, dst, sport, dport = dst, src, dport, sport
    text = b"\0\0" + src + dst + bytes((proto, 0))
    if sport is not None and dport is not None:
        text += sport.to_bytes(2, "big") + dport.to_bytes(2, "big")
    return "1:" + b2a_base64(sha1(text, usedforsecurity=False).digest(), newline=False).decode()
