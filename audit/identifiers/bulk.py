"""Long runs of base64, hexadecimal and base32 text, decoded all at once (RFC 4648)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers.beginnings import (
    BEGINNINGS,
    HEAD_LETTERS,
    MARKS,
    NEAR,
    SHORTEST_NAME,
    SURE_TEXT,
)
from audit.identifiers.gates import LONG_RUN, SHORT_RUN
from audit.identifiers.lanes import (
    ALNUM,
    HEX,
    LETTER,
    LOWER32,
    UPPER32,
    ahead,
    any_in,
    behind,
    places,
    runs,
)
from audit.identifiers.layer import GAP, TAIL, Batch, Layer, join, joined_batch
from audit.identifiers.packs import may_be_packed
from audit.identifiers.runs import DIGEST_LETTERS, LONG_NAME, MIME_LINE, from_base32

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit.identifiers.lanes import Bytes, Places

    Mask = NDArray[np.bool_]

_SIX: Final = bytes(
    max(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".find(byte), 0)
    if byte not in b"-_"
    else 62 + b"-_".index(byte)
    for byte in range(256)
)
"""Letter of base64 or base64url -> its six bits."""
_FOUR: Final = bytes(max(b"0123456789abcdef".find(bytes([byte]).lower()), 0) for byte in range(256))
_SHORT_LINE: Final = re.compile(rb"\r?\n[ \t]?(?!--)[A-Za-z0-9+/_-]{1,15}(?![A-Za-z0-9+/_-])")
"""A last line that is no long run itself."""
_UTF8: Final = np.array(
    [
        0 if chr(byte).isascii() and (byte >= 32 or byte in b"\t\r\n\f\x1b") and byte != 127
        else 1 if 0x80 <= byte < 0xC0
        else 2 if 0xC2 <= byte < 0xE0
        else 3 if 0xE0 <= byte < 0xF5
        else 4
        for byte in range(256)
    ],
    np.uint8,
)  # fmt: skip
"""Byte -> 0 ASCII text, 1 a continuation, 2 and 3 the first of two or of more, 4 no text."""
_FOLLOWS: Final = np.array(
    [
        [True, False, True, True, False],
        [True, True, True, True, False],
        [False, True, False, False, False],
        [False, True, False, False, False],
        [False, False, False, False, False],
    ]
)
_DIGEST_LETTERS: Final = np.array(sorted(DIGEST_LETTERS))
_BEGINNINGS: Final = np.isin(np.arange(256), np.array(sorted(BEGINNINGS)))
EQUAL_LINES: Final = 4
"""Lines of one length from which they are one text and not each a text of its own."""


def decode_runs(layer: Layer) -> list[Batch]:
    """Decode every long run as the decoders of runs do, superfluous ways included."""
    starts, ends = layer.long_runs
    if not len(starts):
        return []
    new = layer.is_new(starts, ends)
    starts, ends = starts[new], ends[new]
    if not len(starts):
        return []
    values: Bytes = np.frombuffer(layer.data.translate(_SIX), np.uint8)
    coded = _is_coded(layer, starts, ends)
    blocks, single = _join_lines(layer, starts, ends)
    found = list(blocks)
    own = np.flatnonzero(coded & single)
    low, high = starts[own], ends[own]
    found.append(_base64(values, low, high, low))
    raw = layer.in_binary(low)
    for phase in (1, 2, 3):
        later = low[raw] + phase
        held = high[raw] - later >= SHORT_RUN - 2
        if held.any():
            found.append(_base64(values, later[held], high[raw][held], low[raw][held], whole=False))
    found += _restarts(layer, values, low, high)
    found += _hex(layer, starts, ends)
    found += _base32(layer, starts, ends)
    return [batch for batch in found if len(batch.low)]


def _is_coded(layer: Layer, starts: Places, ends: Places) -> Mask:
    """Whether a run holds letters besides hexadecimal digits and dashes."""
    other = layer.lanes.lane(LETTER) & ~layer.lanes.lane(HEX)
    dashes = np.flatnonzero(layer.lanes.array == 0x2D)
    words = np.zeros(len(layer.lanes.array), np.bool_)
    words[dashes] = True
    packed = np.packbits(words, bitorder="little")
    other.view(np.uint8)[: len(packed)] &= ~packed
    return any_in(other, starts, ends)


def _base64(
    values: Bytes, starts: Places, ends: Places, low: Places, *, whole: bool = True
) -> Batch:
    """Decode stretches of letters; four newline-separated bytes part the results."""
    sizes = ends - starts
    quads = sizes // 4 + (sizes % 4 > 1)
    counts = quads + 1
    firsts = np.cumsum(counts) - counts
    total = int(counts.sum())
    index = np.arange(total) - np.repeat(firsts, counts)
    index *= 4
    index += np.repeat(starts, counts)
    view = np.ndarray((len(values) - 3,), np.dtype("<u4"), values, strides=(1,))
    word = view[index]
    rest = sizes % 4
    tails = (firsts + quads - 1)[rest > 1]
    word[tails] &= np.where(rest[rest > 1] == 2, 0x0000FFFF, 0x00FFFFFF).astype(np.uint32)
    out = np.empty((total, 3), np.uint8)
    out[:, 0] = word << 2 | word >> 12 & 3
    out[:, 1] = word >> 4 & 0xF0 | word >> 18 & 15
    out[:, 2] = word >> 10 & 0xC0 | word >> 24
    out[tails, 2] = 0
    out[(firsts + quads - 1)[rest == 2], 1] = 0
    out[firsts + quads] = 10
    return Batch(
        "run", out.tobytes(), firsts * 3, firsts * 3 + sizes * 3 // 4, low, ends, fields=whole
    )


def _join_lines(layer: Layer, starts: Places, ends: Places) -> tuple[list[Batch], Mask]:
    """Decode base64 in lines; tell which runs are still to be decoded by themselves."""
    single = np.ones(len(starts), np.bool_)
    array = layer.lanes.array
    joined = are_joined(array, starts, ends)
    after = array[np.minimum(ends, len(array) - 1)]
    alone = ~joined & ~np.concatenate(([False], joined[:-1])) & (ends - starts >= MIME_LINE)
    alone &= (after == 0x0A) | (after == 0x0D)
    blocks = [*_line_blocks(joined, ends - starts)]
    blocks += [
        (number, number)
        for number in np.flatnonzero(alone).tolist()
        if _SHORT_LINE.match(layer.data, int(ends[number]))
    ]
    if not blocks:
        return [], single
    texts: list[bytes] = []
    low: list[int] = []
    high: list[int] = []
    for first, last in sorted(blocks):
        begin, end = int(starts[first]), int(ends[last])
        full = ends[last] - starts[last] >= ends[first] - begin
        tail = _SHORT_LINE.match(layer.data, end) if full else None
        end = tail.end() if tail else end
        texts.append(layer.data[begin:end].translate(None, b"\r\n \t"))
        low.append(begin)
        high.append(end)
        size = ends[first] - begin
        equal = (ends[first:last] - starts[first:last] == size).all()
        if last - first >= EQUAL_LINES and size % 4 == 0 and equal:
            single[first : last + 1] = False
    data, begins, upto = join([*texts, TAIL])
    values: Bytes = np.frombuffer(data.translate(_SIX), np.uint8)
    batch = _base64(values, begins[:-1], upto[:-1], np.array(low))
    return [replace(batch, high=np.array(high))], single


def are_joined(array: Bytes, starts: Places, ends: Places) -> Mask:
    """Whether a long line of a run goes on in the next run."""
    joined = np.zeros(len(starts), np.bool_)
    boundary = (array[starts[1:]] == 0x2D) & (array[starts[1:] + 1] == 0x2D)
    close = (starts[1:] - ends[:-1] <= 3) & (ends[:-1] - starts[:-1] >= MIME_LINE)
    near = np.flatnonzero(close & ~boundary)
    gap = starts[near + 1] - ends[near]
    first, second, third = (array[ends[near] + at] for at in range(3))
    line = first == 0x0A
    back = (first == 0x0D) & (second == 0x0A)
    joined[near] = (
        (line & (gap == 1))
        | ((back | (line & _is_blank(second))) & (gap == 2))
        | (back & _is_blank(third) & (gap == 3))
    )
    return joined


def _is_blank(bytes_: Bytes) -> Mask:
    blank: Mask = (bytes_ == 0x20) | (bytes_ == 0x09)
    return blank


def _line_blocks(joined: Mask, sizes: Places) -> Iterator[tuple[int, int]]:
    """Yield the first and last line of each block: it ends behind a line shorter than its first."""
    ends = np.flatnonzero(~joined)
    heads = np.flatnonzero(joined & ~np.concatenate(([False], joined[:-1])))
    for head, stop in zip(heads.tolist(), ends[np.searchsorted(ends, heads)].tolist(), strict=True):
        first = head
        while first < stop:
            shorter = np.flatnonzero(sizes[first + 1 : stop] < sizes[first])
            last = first + 1 + int(shorter[0]) if len(shorter) else stop
            yield first, last
            first = last + 1


def _restarts(layer: Layer, values: Bytes, starts: Places, ends: Places) -> list[Batch]:
    """Decode what begins behind a sign inside a run: a name may stand before encoded text.

    Of the beginnings in one run that are read at the same phase the first shows what the others
    would. Read at the phase of the run itself, they show nothing new but their beginning.
    """
    if not len(starts):
        return []
    letters = layer.lanes.lane(LETTER)
    signs = places(letters & ~layer.lanes.lane(ALNUM) & ahead(letters, 1))
    owner = np.searchsorted(starts, signs, side="right") - 1
    after = signs + 1
    held = (owner >= 0) & (after <= ends[owner] - SHORT_RUN) & (after - starts[owner] <= LONG_NAME)
    owner, after = owner[held], after[held]
    if not len(after):
        return []
    told = _tells(values, after, ends[owner]) | _is_named(layer, starts[owner], after, ends[owner])
    told |= np.isin(ends[owner] - after, _DIGEST_LETTERS)
    owner, after = owner[told], after[told]
    if not len(after):
        return []
    phase = (after - starts[owner]) % 4
    _, first = np.unique(owner * 4 + phase, return_index=True)
    rest = np.setdiff1d(np.arange(len(after)), first)
    rest = rest[ends[owner[rest]] - after[rest] <= NEAR]
    both = np.sort(np.concatenate((first, rest)))
    return [_base64(values, after[both], ends[owner[both]], starts[owner[both]])]


def _is_named(layer: Layer, starts: Places, after: Places, ends: Places) -> Mask:
    """Whether a name stands before a sign, and encoded text behind it, as ``is_name`` tells."""
    capital = layer.lanes.lane(UPPER32) & ~layer.lanes.lane(LOWER32)
    inner = capital & behind(layer.lanes.lane(ALNUM), 1)
    found: Mask = (after - starts > SHORTEST_NAME) & ~any_in(inner, starts + 1, after)
    return found & any_in(inner, after, np.minimum(after + LONG_RUN, ends))


def _tells(values: Bytes, after: Places, ends: Places) -> Mask:
    """Whether base64 text that begins here decodes to text, or to compressed data."""
    size = ends - after
    head = _base64(values, after, np.minimum(ends, after + SURE_TEXT * 4 // 3), after)
    array: Bytes = np.frombuffer(head.data, np.uint8)
    at = head.starts
    near = size <= NEAR
    reads = _reads_as_text(array, at, 4)
    far = np.flatnonzero(~near & reads)
    reads[far] = _reads_as_text(array, at[far], SURE_TEXT)
    found: Mask = reads | ((array[at + 1] == 0) & (array[at + 3] == 0))
    for mark in MARKS:
        match = np.ones(len(at), np.bool_)
        for step, byte in enumerate(mark):
            match &= array[at + step] == byte
        found |= match
    left = np.flatnonzero(~found & _BEGINNINGS[array[at]])
    upto = np.minimum(ends[left], after[left] + HEAD_LETTERS)
    head = _base64(values, after[left], upto, after[left])
    array = np.frombuffer(head.data + TAIL, np.uint8)
    short = size[left] <= HEAD_LETTERS
    for kept, whole in ((short, True), (~short, False)):
        found[left[kept]] = may_be_packed(array, head.starts[kept], head.ends[kept], whole=whole)
    return found


def _reads_as_text(array: Bytes, at: Places, size: int) -> Mask:
    """Whether some bytes may be UTF-8 without control characters, the next ones unseen."""
    found = np.ones(len(at), np.bool_)
    before = np.zeros(len(at), np.uint8)
    for step in range(size):
        kind = _UTF8[array[at + step]]
        found &= _FOLLOWS[before, kind]
        before = kind
    return found


def _hex(layer: Layer, starts: Places, ends: Places) -> list[Batch]:
    low, high = runs(layer.lanes.lane(HEX), LONG_RUN)
    low, high, owner = _own_stretches(low, high, starts, ends)
    if not len(low):
        return []
    values: Bytes = np.frombuffer(layer.data.translate(_FOUR), np.uint8)
    odd = (high - low) % 2 == 1
    begins = np.concatenate((low, low[odd] + 1))
    counts = np.concatenate(((high - low) // 2, (high - low)[odd] // 2))
    owner = np.concatenate((owner, owner[odd]))
    order = np.argsort(owner, kind="stable")
    begins, counts, owner = begins[order], counts[order], owner[order]
    taken = counts + len(GAP)
    firsts = np.cumsum(taken) - taken
    index = np.arange(int(taken.sum())) - np.repeat(firsts, taken)
    index *= 2
    index += np.repeat(begins, taken)
    out = values[index] << 4 | values[index + 1]
    for at in range(len(GAP)):
        out[firsts + counts + at] = GAP[at]
    data = out.tobytes()
    return [Batch("run", data, firsts, firsts + counts, starts[owner], ends[owner], fields=True)]


def _own_stretches(
    low: Places, high: Places, starts: Places, ends: Places
) -> tuple[Places, Places, Places]:
    """Keep stretches of runs that may hold names beside them, and those that are all of one."""
    owner = np.searchsorted(starts, low, side="right") - 1
    size = ends[owner] - starts[owner]
    kept = (size <= LONG_NAME) | (size == high - low)
    return low[kept], high[kept], owner[kept]


def _base32(layer: Layer, starts: Places, ends: Places) -> list[Batch]:
    found: list[bytes] = []
    begins: list[Places] = []
    for class_ in (UPPER32, LOWER32):
        low, high = runs(layer.lanes.lane(class_), LONG_RUN)
        low, high, owner = _own_stretches(low, high, starts, ends)
        begins.append(owner)
        found += [
            from_base32(layer.data[start:end])
            for start, end in zip(low.tolist(), high.tolist(), strict=True)
        ]
    if not found:
        return []
    owner = np.concatenate(begins)
    return [joined_batch("run", found, starts[owner].tolist(), ends[owner].tolist(), fields=True)]
