"""Link layer headers of many packets at once: where the network layer begins, and what it is."""

from __future__ import annotations

from typing import Final

import numpy as np

from audit.readers.recordchunk import Bytes, Ints, Mask, numbers_in

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
ARP: Final = 0x0806
UNKNOWN: Final = -1
"""Ethertype of a packet whose link type is not read or whose header is cut."""
_VLANS: Final = (0x8100, 0x88A8, 0x9100, 0x9200)
_PPPOE: Final = 0x8864
_MPLS: Final = 0x8847
_PPP: Final = {0x0021: IPV4, 0x0057: IPV6}
_FAMILIES: Final = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}
"""Address families as Linux, BSD and Darwin number them in the null and loop headers."""
_PKTAPS: Final = (258, 149)
"""PKTAP, and DLT_USER2 that Darwin writes for it."""
_PKTAP_V2: Final = 0x0008_0000


LINK_TYPES: Final = (0, 1, 9, 10, 12, 14, 101, 104, 108, 113, 149, 228, 229, 258, 276)
"""Link types that are read."""


def be16(data: Bytes, at: Ints) -> Ints:
    """Return the big-endian 16-bit number at each offset."""
    return numbers_in(data, ">u2")[at].astype(np.int64)


def be32(data: Bytes, at: Ints) -> Ints:
    """Return the big-endian 32-bit number at each offset."""
    return numbers_in(data, ">u4")[at].astype(np.int64)


def network_layer(data: Bytes, start: Ints, end: Ints, link: Ints) -> tuple[Ints, Ints]:
    """Return offset and ethertype of the network layer of each packet.

    Link types (registry of tcpdump.org): Ethernet with VLAN, QinQ, SNAP, PPPoE and MPLS, FDDI,
    raw IP, null and loop, PPP, Cisco HDLC, Linux cooked v1 and v2, PKTAP. Others give ``UNKNOWN``.
    """
    if len(link) and bool((link == link[0]).all()):
        return _decode(int(link[0]), data, start, end)
    at = start.copy()
    kind = np.full(len(start), UNKNOWN, dtype=np.int64)
    for number in np.unique(link):
        chosen = link == number
        at[chosen], kind[chosen] = _decode(int(number), data, start[chosen], end[chosen])
    return at, kind


def _decode(link: int, data: Bytes, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    if link == 1:
        return _ethernet(data, start, end)
    if link in {12, 14, 101, 228, 229}:
        return start, _by_version(data, start, end)
    if link in {0, 108}:
        return start + 4, _mapped(_null_family(data, start), _FAMILIES, start + 4 <= end)
    if link == 113:
        return start + 16, np.where(start + 16 <= end, be16(data, start + 14), UNKNOWN)
    if link == 276:
        return start + 20, np.where(start + 20 <= end, be16(data, start), UNKNOWN)
    if link == 10:  # FDDI: frame control and two addresses, then LLC
        return _subnetwork(data, start + 13, end, np.where(start + 13 <= end, 0, UNKNOWN))
    if link in {9, 104}:
        return _point_to_point(data, start, end, cisco=link == 104)
    if link in _PKTAPS:
        return _pktap(data, start, end)
    return start, np.full(len(start), UNKNOWN, dtype=np.int64)


def _ethernet(data: Bytes, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    at = start + 14
    kind = np.where(at <= end, be16(data, start + 12), UNKNOWN)
    odd = np.flatnonzero((kind != IPV4) & (kind != IPV6))
    if len(odd):
        at[odd], kind[odd] = _tagged(data, at[odd], end[odd], kind[odd])
    return at, kind


def _tagged(data: Bytes, at: Ints, end: Ints, kind: Ints) -> tuple[Ints, Ints]:
    """Pass over VLAN tags, SNAP, PPPoE and MPLS."""
    for _ in range(4):
        tagged = np.isin(kind, _VLANS) & (at + 4 <= end)
        if not tagged.any():
            break
        kind[tagged] = be16(data, at[tagged] + 2)
        at[tagged] += 4
    at, kind = _subnetwork(data, at, end, kind)
    over_ppp = (kind == _PPPOE) & (at + 8 <= end)
    if over_ppp.any():
        head = at[over_ppp]
        kind[over_ppp] = _mapped(be16(data, head + 6), _PPP, np.ones(len(head), dtype=bool))
        at[over_ppp] += 8
    return _unlabelled(data, at, end, kind)


def _point_to_point(data: Bytes, start: Ints, end: Ints, *, cisco: bool) -> tuple[Ints, Ints]:
    """PPP (RFC 1661) and Cisco HDLC, which some files keep under the link type of PPP."""
    hdlc = (data[start] == 0x0F) | (data[start] == 0x8F) | cisco
    at = start + np.where(hdlc | (be16(data, start) == 0xFF03), 2, 0)
    whole = at + 2 <= end
    value = be16(data, at)
    kind = np.where(hdlc & whole, value, _mapped(value, _PPP, whole & ~hdlc))
    return _unlabelled(data, at + 2, end, kind)


def _unlabelled(data: Bytes, at: Ints, end: Ints, kind: Ints) -> tuple[Ints, Ints]:
    """Pass over a stack of MPLS labels (RFC 3032); what follows is told by its first nibble."""
    for _ in range(8):
        labelled = np.flatnonzero((kind == _MPLS) & (at + 4 <= end))
        if not len(labelled):
            break
        last = (data[at[labelled] + 2] & 1) == 1
        at[labelled] += 4
        bottom = labelled[last]
        kind[bottom] = _by_version(data, at[bottom], end[bottom])
    return at, kind


def _subnetwork(data: Bytes, at: Ints, end: Ints, kind: Ints) -> tuple[Ints, Ints]:
    """LLC with SNAP (IEEE 802.2) where a length stands instead of an ethertype."""
    snap = (kind >= 0) & (kind < 1536) & (at + 8 <= end)
    if snap.any():
        head = at[snap]
        plain = (be32(data, head) == 0xAAAA0300) & (be16(data, head + 4) == 0)
        kind[snap] = np.where(plain, be16(data, head + 6), UNKNOWN)
        at[snap] += np.where(plain, 8, 0)
    return at, kind


def _by_version(data: Bytes, start: Ints, end: Ints) -> Ints:
    version = data[start] >> 4
    kind = np.where(version == 4, IPV4, np.where(version == 6, IPV6, UNKNOWN))
    return np.where(start < end, kind, UNKNOWN)


def _null_family(data: Bytes, start: Ints) -> Ints:
    big = be32(data, start)
    swapped = (data[start + 1].astype(np.int64) << 8) | data[start]
    return np.where(big < 0x10000, big, swapped)


def _mapped(values: Ints, names: dict[int, int], valid: Mask) -> Ints:
    kind = np.full(len(values), UNKNOWN, dtype=np.int64)
    for value, name in names.items():
        kind[(values == value) & valid] = name
    return kind


def _pktap(data: Bytes, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """PKTAP (bsd/net/pktap.h), little-endian; a flag at 36 tells version 2 with its short header.

    Version 1: u32 length, ..., u32 link type at 8; version 2: u8 length, ..., u16 link type at 6.
    """
    at, kind = start.copy(), np.full(len(start), UNKNOWN, dtype=np.int64)
    words, halves = numbers_in(data, "<u4"), numbers_in(data, "<u2")
    second = (start + 40 <= end) & ((words[start + 36] & _PKTAP_V2) != 0)
    length = np.where(second, data[start], words[start].astype(np.int64))
    inner = np.where(second, halves[start + 6], words[start + 8].astype(np.int64))
    whole = (start + 12 <= end) & (length >= np.where(second, 40, 12)) & (start + length <= end)
    for number in np.unique(inner[whole]):
        if number not in _PKTAPS:
            chosen = whole & (inner == number)
            at[chosen], kind[chosen] = _decode(
                int(number), data, (start + length)[chosen], end[chosen]
            )
    return at, kind
