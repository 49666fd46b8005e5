"""Which of many stretches may be a message of a binary format: their first fields, all at once.

Random bytes pass for the beginning of a message now and then, but hardly for several fields of it.
What passes here is read by the formats' own readers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from audit.identifiers.lanes import Bytes, Places

    Mask = NDArray[np.bool_]
    Step = Callable[[Bytes, Places, Places], tuple[Places, Places, Mask]]
    """(bytes, offsets, items still to come) -> offsets behind an item, items, whether it is one."""

FIELDS: Final = 8
"""Fields of protocol buffers that are followed."""
ITEMS: Final = 24
"""Items of MessagePack and CBOR that are followed."""
FEW: Final = 8
"""Stretches that are read sooner than followed further."""
_VARINT: Final = 10
"""Bytes of a number of variable length, at most."""
_MOST: Final = 1 << 40


def may_be_framed(array: Bytes, starts: Places, ends: Places) -> Mask:
    """Tell which stretches may be MessagePack, CBOR, protocol buffers or multipart.

    Behind the last stretch at least 16 bytes stand.
    """
    first = array[starts]
    found: Mask = _is_grpc(array, starts) | ((first == 0x2D) | (first == 0x0D))
    for begins, go_on, step in (
        (_MSGPACK_FIRST, _MSGPACK_MANY, _msgpack),
        (_CBOR_FIRST, _CBOR_MANY, _cbor),
    ):
        left = np.flatnonzero(~found & begins[first])
        found[left] = _follow(array, starts[left], ends[left], go_on, step)
    left = np.flatnonzero(~found)
    found[left] = _is_protobuf(array, starts[left], ends[left])
    return found


def _is_grpc(array: Bytes, starts: Places) -> Mask:
    """Whether a message may begin with a flag and the high byte of a length (gRPC)."""
    found: Mask = ((array[starts] & 0x7E) == 0) & (array[starts + 1] == 0)
    return found


def _varint(array: Bytes, at: Places) -> tuple[Places, Places, Mask]:
    """Return numbers of variable length, what is behind them, and whether they end in time."""
    value = np.zeros(len(at), np.int64)
    at = at.copy()
    more = np.ones(len(at), np.bool_)
    for step in range(_VARINT):
        byte = array[np.minimum(at, len(array) - 1)].astype(np.int64)
        value += np.where(more, np.minimum(byte & 0x7F, _MOST) << min(7 * step, 40), 0)
        at += more
        more &= byte >= 0x80
        if not more.any():
            break
    return np.minimum(value, _MOST), at, ~more


def _is_protobuf(array: Bytes, starts: Places, ends: Places) -> Mask:
    found = np.zeros(len(starts), np.bool_)
    rows, at = np.arange(len(starts)), starts
    for _ in range(FIELDS):
        if len(rows) < FEW:
            break
        tag, at, valid = _varint(array, at)
        wire = tag & 7
        valid &= (tag >= 8) & np.isin(wire, (0, 1, 2, 5))
        value, behind, ended = _varint(array, at)
        valid &= ended | ((wire != 0) & (wire != 2))
        sizes = np.select(
            [wire == 0, wire == 1, wire == 5], [behind - at, 8, 4], behind - at + value
        )
        at = at + sizes
        valid &= at <= ends[rows]
        done = valid & (at == ends[rows])
        found[rows[done]] = True
        kept = valid & ~done
        rows, at = rows[kept], at[kept]
    found[rows] = True
    return found


def _follow(
    array: Bytes, starts: Places, ends: Places, go_on: NDArray[np.bool_], step: Step
) -> Mask:
    """Whether items, and items in items, can be followed; behind one another may begin."""
    found = np.zeros(len(starts), np.bool_)
    rows, at = np.arange(len(starts)), starts
    left = np.ones(len(starts), np.int64)
    for _ in range(ITEMS):
        if len(rows) < FEW:
            break
        at, left, valid = step(array, at, left)
        limit = ends[rows]
        valid &= (at <= limit) & ((left <= limit - at) | (left >= _MOST))
        over = valid & (left == 0)
        found[rows[over & (at == limit)]] = True
        again = over & (at < limit) & go_on[array[np.minimum(at, len(array) - 1)]]
        left = np.where(again, 1, left)
        kept = (valid & ~over & (at < limit)) | again
        rows, at, left = rows[kept], at[kept], left[kept]
    found[rows] = True
    return found


def _number(array: Bytes, at: Places, size: Places) -> Places:
    """Return big-endian numbers of up to four bytes; longer ones are too large for any stretch."""
    value = np.zeros(len(at), np.int64)
    for step in range(4):
        byte = array[np.minimum(at + step, len(array) - 1)].astype(np.int64)
        value = np.where(step < size, value << 8 | byte, value)
    return np.where(size > 4, _MOST, value)


def _kinds_of_msgpack() -> tuple[NDArray[np.int64], ...]:
    """Return by first byte: bytes of a length, bytes behind it, items, and items a count."""
    widths = np.zeros(256, np.int64)
    sizes = np.zeros(256, np.int64)
    items = np.zeros(256, np.int64)
    many = np.zeros(256, np.int64)
    for code in range(256):
        if 0x80 <= code <= 0x8F:
            items[code] = (code & 15) * 2
        elif 0x90 <= code <= 0x9F:
            items[code] = code & 15
        elif 0xA0 <= code <= 0xBF:
            sizes[code] = code & 31
        elif 0xC4 <= code <= 0xC6:
            widths[code] = 1 << code - 0xC4
        elif 0xC7 <= code <= 0xC9:
            widths[code], sizes[code] = 1 << code - 0xC7, 1
        elif code in (0xCA, 0xCB):
            sizes[code] = 4 << code - 0xCA
        elif 0xCC <= code <= 0xD3:
            sizes[code] = 1 << ((code - 0xCC) & 3)
        elif 0xD4 <= code <= 0xD8:
            sizes[code] = 1 + (1 << code - 0xD4)
        elif 0xD9 <= code <= 0xDB:
            widths[code] = 1 << code - 0xD9
        elif 0xDC <= code <= 0xDF:
            widths[code], many[code] = 2 << (code & 1), 1 + (code >= 0xDE)
    return widths, sizes, items, many


_WIDTHS, _SIZES, _ITEMS, _MANY = _kinds_of_msgpack()
_CODES: Final = np.arange(256)
_MSGPACK_FIRST: Final = ((_CODES >= 0x80) & (_CODES <= 0xBF)) | np.isin(
    _CODES, (0xC4, 0xC5, 0xC6, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF)
)
_MSGPACK_MANY: Final = ((_CODES >= 0x80) & (_CODES < 0xA0)) | (_CODES >= 0xDC) & (_CODES <= 0xDF)
_CBOR_FIRST: Final = (_CODES >> 5 >= 2) & (_CODES >> 5 <= 6)
_CBOR_MANY: Final = (_CODES >> 5 == 4) | (_CODES >> 5 == 5)


def _msgpack(array: Bytes, at: Places, left: Places) -> tuple[Places, Places, Mask]:
    code = array[at]
    width = _WIDTHS[code]
    number = _number(array, at + 1, width)
    many = _MANY[code]
    size = _SIZES[code] + np.where(many == 0, number, 0)
    items = _ITEMS[code] + number * many
    return at + 1 + width + size, left - 1 + items, code != 0xC1


def _cbor(array: Bytes, at: Places, left: Places) -> tuple[Places, Places, Mask]:
    code = array[at]
    major, info = code >> 5, (code & 31).astype(np.int64)
    width = np.where((info >= 24) & (info <= 27), 1 << np.clip(info - 24, 0, 3), 0)
    number = np.where(width > 0, _number(array, at + 1, width), info)
    text = (major == 2) | (major == 3)
    endless = info == 31  # items without a count, or parts of a text: not followed any further
    size = np.where(text & ~endless, number, 0)
    items = np.select([major == 4, major == 5, major == 6], [number, number * 2, 1], 0)
    valid = (info < 28) | (endless & (major >= 2))
    return at + 1 + width + size, left - 1 + np.where(endless, _MOST, items), valid
