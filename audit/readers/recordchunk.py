"""Packet records of a capture file, a block at a time, as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

UNDATED: Final = np.iinfo(np.int64).min
"""``ts`` of a record whose time is not known or cannot be written as ns since 1970 in 64 bits."""
TAIL: Final = 64
"""Zero bytes behind the last record of a chunk, so that header fields can be gathered unmasked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One interface description of a capture file."""

    link: int
    """Link type (LINKTYPE_ registry of tcpdump.org)."""
    name: str | None = None
    """``if_name``; ``None``: not stated."""
    snaplen: int = 0
    """Bytes kept of a packet at most; 0: no limit."""
    ticks: int = 1_000_000
    """Ticks a second of decimal time stamps."""
    shift: int | None = None
    """Exponent of power-of-two time stamps; ``None``: ``ticks`` holds."""
    offset_s: int = 0
    """Seconds to add (``if_tsoffset``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChunk:
    """Consecutive packets of a file; arrays run in file order."""

    first: int
    """Number of the first packet, counted from 1 as Wireshark does."""
    base: int
    """Offset of ``data[0]`` in the (inflated) file."""
    data: Bytes
    """The bytes of the file that hold the packets, with ``TAIL`` zero bytes behind."""
    start: Ints
    """Offset of each packet's first byte in ``data``."""
    length: Ints
    """Bytes captured of each packet."""
    wire: Ints
    """Bytes the packet had on the wire."""
    ts: Ints
    """Time, ns since 1970 UTC, or ``UNDATED``."""
    iface: Ints
    """Index in ``CaptureFile.interfaces``; -1: the file names no such interface."""
    owner: Ints | None = None
    """Number of each packet's owner in ``CaptureFile.owners``, -1: none; ``None``: all none."""


def words_at(data: Bytes, at: Ints, count: int, order: str) -> npt.NDArray[np.uint32]:
    """Return ``count`` 32-bit words at each offset, one row an offset; ``order`` is < or >."""
    words = pieces_at(data, at, 4 * count).view(order + "u4")
    return words.astype(np.uint32, copy=False)


def pieces_at(data: Bytes, at: Ints, size: int) -> Bytes:
    """Return ``size`` bytes from each offset on, one row an offset.

    One copy of a whole header is cheaper than gathering three fields one by one.
    """
    every = np.ndarray((max(len(data) - size + 1, 0),), f"V{size}", data, strides=(1,))
    return every[at].view(np.uint8).reshape(len(at), size)


def order_by(ids: npt.NDArray[np.signedinteger]) -> Ints:
    """Return the stable order of small numbers not below 0 (a radix sort of 16 bits at a time)."""
    order: Ints = np.argsort(ids.astype(np.uint16), kind="stable")
    shift = 16
    while len(ids) and int(np.max(ids)) >> shift:
        order = order[np.argsort((ids >> shift).astype(np.uint16)[order], kind="stable")]
        shift += 16
    return order


def numbers_in(data: Bytes, kind: str) -> npt.NDArray[np.unsignedinteger]:
    """Return the numbers of a kind (such as ``>u2``) that begin at every byte, without copying."""
    dtype = np.dtype(kind)
    return np.ndarray((len(data) - dtype.itemsize + 1,), dtype, data, strides=(1,))


def nanoseconds(seconds: Ints, fraction: Ints) -> Ints:
    """Return ns since 1970, ``UNDATED`` where 64 bits cannot hold it."""
    fits = np.abs(seconds) < 9_200_000_000
    total = np.where(fits, seconds, 0) * 1_000_000_000 + fraction
    return np.where(fits, total, UNDATED)
