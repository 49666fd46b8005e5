r"""Escapes of every sort in some bytes: where each begins, how long it is, what it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.entities import html5
from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers.escapes import ENTITY
from audit.identifiers.gates import GATES, to_pattern
from audit.identifiers.lanes import DELIMITER, any_in
from audit.identifiers.layer import WRITTEN_MOST, Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit.identifiers.lanes import Bytes, Places

    Mask = NDArray[np.bool_]

_NIBBLE: Final = np.array(
    [int(chr(byte), 16) if chr(byte) in "0123456789abcdefABCDEF" else 99 for byte in range(256)],
    np.int64,
)
_PLUS: Final = to_pattern(next(gate for gate in GATES if gate.name == "plus"))
_TOKEN: Final = re.compile(rb"[^ \t\r\n\f\v\"'<>&=?#(){}\[\],;|^`\\\0]*")
QUOTED_REACH: Final = 512
"""Bytes from a sure sign of quoted-printable text within which all that looks like it is so."""
_QUOTED_APART: Final = 9
"""Bytes from one encoded byte to the next, where two tell of quoted-printable text."""
_QUOTED_SIZE: Final = 3
_NAME_MOST: Final = 42
_NAME: Final = re.compile(rb"(?:\A|(?<=[\s&;,\"'>]))[A-Za-z_][A-Za-z0-9_.-]{0,40}\Z")
"""A name before the sign that parts it from its value."""
_NAME_LETTER: Final = np.isin(
    np.arange(256),
    np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-", np.uint8),
)
_QUOTED_ALONE: Final = (0x20, 0x3D, 0x09, 0x0A, 0x0D, 0x2E)
"""Bytes of which one alone, encoded, tells of quoted-printable text."""
_BLANK_OR_END: Final = np.frombuffer(b" \t\r\n", np.uint8)
_SOFT_END: Final = re.compile(rb"=[ \t]*\r?\n")
_ENTITY_MOST: Final = 33
"""Bytes of an entity, at most."""
_BRACED: Final = re.compile(rb"\\u\{([0-9A-Fa-f]{1,6})\}|\\U([0-9A-Fa-f]{8})")
_SIMPLE: Final = np.array(
    [
        {98: 8, 102: 12, 110: 10, 114: 13, 116: 9, 48: 0}.get(byte, byte)
        if byte in b"\"'\\/bfnrt0"
        else -1
        for byte in range(256)
    ],
    np.int64,
)
"""Second byte of a two-byte escape -> what it stands for; -1: it is none."""
_CODE_LIMIT: Final = 0x110000


@dataclass(frozen=True, slots=True)
class Units:
    """Escapes of one sort, by place: where each begins, how long it is, and what it stands for."""

    at: Places
    size: Places
    code: Places
    """A byte, or a character's number; -1: nothing."""
    wide: bool
    """Whether numbers are those of characters, to be written in UTF-8."""

    def where(self, mask: Mask) -> Units:
        """Return some of them."""
        return Units(self.at[mask], self.size[mask], self.code[mask], self.wide)


def _digits(array: Bytes, at: Places, count: int) -> tuple[Places, Mask]:
    """Return the number that hexadecimal digits at some offsets stand for, and whether they do."""
    value = np.zeros(len(at), np.int64)
    holds = np.ones(len(at), np.bool_)
    for step in range(count):
        digit = _NIBBLE[array[at + step]]
        holds &= digit < 16
        value = value << 4 | digit & 15
    return value, holds


def percent_units(array: Bytes, signs: Places) -> Units:
    value, holds = _digits(array, signs + 1, 2)
    return Units(signs, np.full(len(signs), 3), value, wide=False).where(holds)


def percent_u_units(array: Bytes, signs: Places) -> Units:
    signs = signs[array[signs + 1] == 0x75]
    value, holds = _digits(array, signs + 2, 4)
    return Units(signs, np.full(len(signs), 6), value, wide=True).where(holds)


def _merge(units: list[Units], *, wide: bool) -> Units:
    at = np.concatenate([unit.at for unit in units])
    order = np.argsort(at, kind="stable")
    size = np.concatenate([unit.size for unit in units])[order]
    code = np.concatenate([unit.code for unit in units])[order]
    return Units(at[order], size, code, wide)


def _signs(layer: Layer) -> Units:
    at = np.flatnonzero(layer.lanes.array == 0x2B)
    return Units(at, np.ones(len(at), np.int64), np.full(len(at), 0x20), wide=False)


def plus_units(layer: Layer, percent: Units) -> Units:
    """Return the percent escapes and every ``+`` in tokens that hold both."""
    signs = _signs(layer)
    if not len(percent.at) or not len(signs.at):
        return signs.where(np.zeros(len(signs.at), np.bool_))
    ends = layer.lanes.lane(DELIMITER)
    near = np.zeros(len(signs.at), np.bool_)
    behind_ = np.searchsorted(percent.at, signs.at)
    for number in (behind_ - 1, np.minimum(behind_, len(percent.at) - 1)):
        other = percent.at[number]
        low, high = np.minimum(other, signs.at), np.maximum(other, signs.at)
        near |= (number >= 0) & ~any_in(ends, low, high)
    signs = signs.where(near)
    if not len(signs.at):
        return signs
    return _merge([percent, signs], wide=False)


def form_units(layer: Layer) -> Units:
    """Return every ``+`` and percent escape of what looks like the value of a form."""
    ranges = []
    done = 0
    for match in _PLUS.finditer(layer.data):
        if match.start() >= done:
            behind_ = _TOKEN.match(layer.data, match.end())
            done = behind_.end() if behind_ else match.end()
            ranges.append((match.start(), done))
    signs = _signs(layer)
    percent = percent_units(layer.lanes.array, np.flatnonzero(layer.lanes.array == 0x25))
    units = _merge([signs, percent], wide=False)
    low, high = np.array(ranges, np.int64).reshape(-1, 2).T
    number = np.searchsorted(low, units.at, side="right") - 1
    return units.where((number >= 0) & (units.at < high[number] if len(high) else False))


def backslash_units(layer: Layer) -> Units:
    array = layer.lanes.array
    signs = np.flatnonzero(array == 0x5C)
    if len(signs) > 1:  # of a row of backslashes every second one is itself escaped
        head = np.concatenate(([True], np.diff(signs) > 1))
        first = signs[np.maximum.accumulate(np.where(head, np.arange(len(signs)), 0))]
        signs = signs[(signs - first) % 2 == 0]
    after = array[signs + 1]
    simple = _SIMPLE[after]
    size = np.where(simple >= 0, 2, 0)
    code = np.maximum(simple, 0)
    for letter, digits in ((0x75, 4), (0x78, 2)):
        chosen = np.flatnonzero(after == letter)
        value, holds = _digits(array, signs[chosen] + 2, digits)
        size[chosen[holds]] = digits + 2
        code[chosen[holds]] = value[holds]
    octal = np.flatnonzero((after >= 0x30) & (after <= 0x33))
    second, third = (array[signs[octal] + at] for at in (2, 3))
    holds = (second & 0xF8 == 0x30) & (third & 0xF8 == 0x30)
    size[octal[holds]] = 4
    value = (after[octal].astype(np.int64) & 3) << 6 | (second & 7).astype(np.int64) << 3
    code[octal[holds]] = (value | third & 7)[holds]
    units = Units(signs, size, code, wide=True).where(size > 0)
    if b"\\u{" in layer.data or b"\\U" in layer.data:
        heads = set(signs.tolist())
        braced = [
            (match.start(), match.end() - match.start(), int(match[1] or match[2], 16))
            for match in _BRACED.finditer(layer.data)
            if match.start() in heads
        ]
        if braced:
            at, sizes, codes = np.array(braced, np.int64).T
            units = _merge([units, Units(at, sizes, codes, wide=True)], wide=True)
    return units


def quoted_units(layer: Layer) -> Units:
    """Return the encoded bytes and soft line ends of quoted-printable text (RFC 2045 §6.7)."""
    array = layer.lanes.array
    signs = np.flatnonzero(array == 0x3D)
    value, holds = _digits(array, signs + 1, 2)
    at, value = signs[holds], value[holds]
    first, second = array[at + 1], array[at + 2]
    capital = (first < 0x61) & (second < 0x61)
    small = ~((first > 0x40) & (first < 0x61)) & ~((second > 0x40) & (second < 0x61))
    pairs = np.zeros(len(at), np.bool_)
    pairs[:-1] = (at[1:] <= at[:-1] + _QUOTED_APART) & capital[1:] & capital[:-1]
    opens = at[pairs | (np.isin(value, _QUOTED_ALONE) & capital)]
    meant = capital | _in_rows(at, small)
    at, value = at[meant], value[meant]
    lines = _soft_ends(layer, signs)
    units = _merge([Units(at, np.full(len(at), 3), value, wide=False), lines], wide=False)
    gates = np.sort(np.concatenate((opens, lines.at)))
    if not len(gates):
        return units.where(np.zeros(len(units.at), np.bool_))
    after = np.searchsorted(gates, units.at)
    near = gates[np.minimum(after, len(gates) - 1)] - units.at <= QUOTED_REACH
    near |= units.at - gates[np.maximum(after - 1, 0)] <= QUOTED_REACH
    return units.where(near)


def _in_rows(at: Places, held: Mask) -> Mask:
    """Whether encoded bytes stand in a row of three or more that hold."""
    behind = np.zeros(len(at), np.bool_)
    behind[1:] = (np.diff(at) == _QUOTED_SIZE) & held[1:] & held[:-1]
    before = np.append(behind[1:], False)
    twice = behind & before  # the middle one of three
    found: Mask = twice | np.append(twice[1:], False) | np.append(False, twice[:-1])[: len(at)]
    return found


def unnamed_units(layer: Layer, units: Units) -> Units:
    """Return quoted-printable text without the signs that part a name from its value.

    None of them where no name stands before such a sign.
    """
    before = layer.lanes.array[np.maximum(units.at - 1, 0)]
    likely = np.flatnonzero((units.size == _QUOTED_SIZE) & _NAME_LETTER[before])
    named = [
        number
        for number in likely.tolist()
        if _NAME.search(
            layer.data, max(0, int(units.at[number]) - _NAME_MOST), int(units.at[number])
        )
    ]
    kept = np.full(len(units.at), bool(named))
    kept[named] = False
    return units.where(kept)


def _soft_ends(layer: Layer, signs: Places) -> Units:
    """Return the line ends that are none: behind ``=``, and blanks."""
    array = layer.lanes.array
    after = array[signs + 1]
    found = [
        (at, match.end() - at)
        for at in signs[np.isin(after, _BLANK_OR_END)].tolist()
        if (match := _SOFT_END.match(layer.data, at))
    ]
    at, size = np.array(found, np.int64).reshape(-1, 2).T
    return Units(at, size, np.full(len(at), -1), wide=False)


def entity_units(layer: Layer) -> Units:
    """Return the HTML entities: numbers, and names of one character."""
    array = layer.lanes.array
    signs = np.flatnonzero(array == 0x26)
    ends = np.append(np.flatnonzero(array == 0x3B), len(array) + _ENTITY_MOST)
    closed = ends[np.searchsorted(ends, signs)] - signs < _ENTITY_MOST
    found: list[tuple[int, int, int]] = []
    for at in signs[closed].tolist():
        match = ENTITY.match(layer.data, at)
        if match is None:
            continue
        text = match[0][1:]
        if text[:1] == b"#":
            code = int(text[2:-1], 16) if text[1:2] in b"xX" else int(text[1:-1])
        else:
            named = html5.get(text.decode("ascii"), "")
            code = ord(named) if len(named) == 1 else -1
        if code >= 0:
            found.append((match.start(), len(match[0]), code))
    begins, size, code_ = np.array(found, np.int64).reshape(-1, 3).T
    return Units(begins, size, code_, wide=True)


def written(units: Units) -> tuple[NDArray[np.uint8], Places]:
    """Return the bytes that each unit stands for (columns) and how many there are."""
    out = np.zeros((len(units.at), WRITTEN_MOST), np.uint8)
    code = np.where(units.code < _CODE_LIMIT, units.code, 0x3F)
    if not units.wide:
        out[:, 0] = code
        return out, (code >= 0).astype(np.int64)
    high = (code >= 0xD800) & (code < 0xDC00)
    paired = np.zeros(len(code), np.bool_)
    if high.any():
        follows = (code[1:] >= 0xDC00) & (code[1:] < 0xE000)
        follows &= units.at[1:] == units.at[:-1] + units.size[:-1]
        paired[:-1] = high[:-1] & follows
        pair = np.flatnonzero(paired)
        code[pair] = 0x10000 + ((code[pair] - 0xD800) << 10) + code[pair + 1] - 0xDC00
    size = 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000)
    for length in (1, 2, 3, 4):
        chosen = np.flatnonzero(size == length)
        number = code[chosen]
        for step in range(length):
            bits = number >> 6 * (length - 1 - step)
            if step:
                out[chosen, step] = bits & 0x3F | 0x80
            else:
                out[chosen, 0] = bits | (0, 0, 0xC0, 0xE0, 0xF0)[length]
    if paired.any():
        size[np.flatnonzero(paired) + 1] = 0
    return out, size
