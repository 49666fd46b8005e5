"""nginx and Apache access logs in the combined and common formats, a block at a time.

No line is looked at by itself unless something is odd about it: where lines, brackets and quotes
stand is asked of all bytes at once, times are told by runs of ten minutes, and what a field holds
by the bytes that decide it. Layout: nginx ``combined``, Apache ``%h %l %u %t "%r" %>s %b``, then
optionally ``"Referer" "User-Agent"``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from audit.readers.logfields import (
    ADDRESS,
    EMAIL,
    TEXT,
    USER_AGENT,
    FieldReader,
    is_mail_at,
)
from audit.readers.logrows import HOUR, Fields, LogRows
from audit.readers.logstream import LineBlock
from audit.readers.logtime import TimeReader

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]

LINE: Final = re.compile(
    rb"(?P<remote_addr>\S+) (?P<ident>\S+) (?P<remote_user>\S+(?: \S+)*?) "
    rb"\[(?P<time_local>[^\]]+)\] "
    rb'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes_sent>\d+|-)'
    rb'(?: "(?P<http_referer>(?:[^"\\]|\\.)*)" "(?P<http_user_agent>(?:[^"\\]|\\.)*)")?\Z'
)
"""One line, as it is read where it is odd."""
_SIXES: Final = re.compile(rb"(?!::ffff:127\.|::\Z)(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]{0,15}\Z")
"""An IPv6 address, as far as its shape tells."""
_PLAIN, _USER, _AGENT, _REFERER, _MAIL, _NO_ADDRESS = 1, 2, 4, 8, 16, 32
_BITS: Final = 64
_LF, _QUOTE, _BRACKET, _PERCENT, _AT, _SPACE, _DASH = 10, 34, 91, 37, 64, 32, 45
_CLOSE: Final = 27
"""Offset of the closing bracket in ``[dd/Mon/yyyy:hh:mm:ss +zzzz]``."""
_PAD: Final = bytes(64)


@dataclass(slots=True)
class WebLog:
    """Reads blocks of one access log into its rows."""

    rows: LogRows
    fields: FieldReader
    times: TimeReader
    odd: Any
    """Called with number and bytes of each line that is of another format."""
    names: dict[int, Fields] = field(default_factory=dict)
    _hours: dict[bytes, float | None] = field(default_factory=dict)

    def read(self, block: LineBlock) -> None:
        """Take the lines of a block."""
        data = block.data if block.data.endswith(b"\n") else block.data + b"\n"
        bytes_ = np.frombuffer(data + _PAD, dtype=np.uint8)
        lines = _Lines(bytes_, len(data))
        good, epoch = self._dated(data, lines)
        flags = self._flags(data, lines, good)
        bad = np.flatnonzero(~good)
        for index in bad.tolist():
            start, end = int(lines.starts[index]), int(lines.ends[index])
            line = data[start:end].removesuffix(b"\r")
            if line.strip():
                self._odd(block.first + index, line)
        if len(bad) < lines.count:
            self._add(block.first, np.flatnonzero(good), epoch, flags)

    def _odd(self, number: int, line: bytes) -> None:
        found = LINE.match(line)
        at = None if found is None else self.times.read(found["time_local"].decode("latin-1"))
        if found is None or at is None:
            self.odd(number, line)
            return
        values = {name: value for name, value in found.groupdict().items() if value is not None}
        values.pop("time_local")
        told = self.fields.fields(values)
        keep = {
            name: what
            for name, what in told.items()
            if name not in {"ident", "status", "bytes_sent"}
        }
        self.rows.add(tuple(sorted(keep.items())), at, at, number)

    def _dated(self, data: bytes, lines: _Lines) -> tuple[NDArray[np.bool_], Numbers]:
        """Return which lines are whole and dated, and seconds since 1970 of each line."""
        eights = lines.eights
        at = lines.bracket
        day, ten = eights[at + 1], eights[at + 9]
        seconds, zone = eights[at + 17], eights[at + 20] & np.uint64(0xFFFFFFFFFFFFFF00)
        good = lines.whole & _digits(seconds)
        runs = np.flatnonzero(
            (day[1:] != day[:-1]) | (ten[1:] != ten[:-1]) | (zone[1:] != zone[:-1])
        )
        begins = np.concatenate(([0], runs + 1))
        base = np.empty(len(begins), dtype=np.int64)
        valid = np.empty(len(begins), dtype=bool)
        for number, index in enumerate(begins.tolist()):
            start = int(at[index])
            key = data[start + 1 : start + 17] + data[start + 21 : start + _CLOSE + 1]
            seconds_of = self._hours.get(key, 0.5)
            if seconds_of == 0.5:
                seconds_of = self._ten_minutes(key)
            valid[number] = seconds_of is not None
            base[number] = 0 if seconds_of is None else int(seconds_of)
        lengths = np.diff(np.append(begins, lines.count))
        good &= np.repeat(valid, lengths)
        epoch = np.repeat(base, lengths)
        for shift, worth in ((0, 60), (16, 10), (24, 1)):
            digit = (seconds >> np.uint64(shift)) & np.uint64(15)
            epoch += digit.astype(np.int64) * worth
        return good, epoch

    def _ten_minutes(self, key: bytes) -> float | None:
        """Read ``dd/Mon/yyyy:hh:m`` and `` +zzzz]``."""
        text = (key[:16] + b"0:00" + key[16:]).decode("latin-1")
        found = self.times.read(text[:-1]) if text.endswith("]") and text[20] == " " else None
        if len(self._hours) > 1 << 16:
            self._hours.clear()
        self._hours[key] = found
        return found

    def _flags(self, data: bytes, lines: _Lines, good: NDArray[np.bool_]) -> Numbers:
        """Return what each line holds; clears ``good`` where the shape decides nothing."""
        text, starts = lines.text, lines.starts
        flags = np.zeros(lines.count, dtype=np.int64)
        is_plain, length = _v4(text, starts)
        is_dashed = (text[starts] == _DASH) & (text[starts + 1] == _SPACE)
        flags[is_plain] = _PLAIN
        self._own(lines, is_plain, length, flags)
        others = np.flatnonzero(good & ~is_plain & ~is_dashed)
        for index in others.tolist():
            start = int(starts[index])
            token = data[start : data.find(b" ", start)]
            if _SIXES.match(token) and token not in self.fields.own and token != b"::1":
                flags[index] |= _PLAIN
            elif not (token.startswith((b"::1", b"127.")) or token in self.fields.own):
                flags[index] |= _NO_ADDRESS
        before = lines.bracket
        flags[(text[before - 2] != _DASH) | (text[before - 3] != _SPACE)] |= _USER
        last = lines.last
        flags[lines.extended & ~((text[last - 1] == _DASH) & (text[last - 2] == _QUOTE))] |= _AGENT
        refers = lines.extended & (text[lines.fifth - 3] != _DASH)
        refers |= lines.extended & (text[lines.fifth - 4] != _QUOTE)
        flags[refers] |= _REFERER
        self._mails(data, lines, flags)
        return flags

    def _own(
        self, lines: _Lines, is_plain: NDArray[np.bool_], length: Numbers, flags: Numbers
    ) -> None:
        """Take back what is the party's own address, this machine's, or nobody's."""
        text, starts = lines.text, lines.starts
        first = (text[starts] == 0x31) & (text[starts + 1] == 0x32) & (text[starts + 2] == 0x37)
        nobody = is_plain & first & (text[starts + 3] == 0x2E)
        nobody |= is_plain & (text[starts] == 0x30) & (text[starts + 1] == 0x2E)
        for own in self.fields.own:
            same = is_plain & (length == len(own))
            for place, letter in enumerate(own):
                same &= text[starts + place] == letter
            nobody |= same
        flags[nobody] &= ~_PLAIN

    def _mails(self, data: bytes, lines: _Lines, flags: Numbers) -> None:
        signs = lines.signs()
        owners = np.searchsorted(lines.ends, signs)
        for position, index in zip(signs.tolist(), owners.tolist(), strict=True):
            if is_mail_at(data, position):
                flags[index] |= _MAIL

    def _add(self, first: int, good: Numbers, epoch: Numbers, flags: Numbers) -> None:
        """Group the lines by hour and fields and hand each group over."""
        when = epoch[good]
        group = (when // HOUR) * _BITS + flags[good]
        order = np.argsort(group, kind="stable")
        ordered = group[order]
        begins = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
        ends = np.append(begins[1:], len(ordered))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            mine = order[begin:end]
            times = when[mine]
            earliest = int(np.argmin(times))
            self.rows.add(
                self._names(int(ordered[begin]) % _BITS),
                float(times[earliest]),
                float(times.max()),
                first + int(good[mine[earliest]]),
                end - begin,
            )
        self.rows.check_clock(when, good + first)

    def _names(self, flags: int) -> Fields:
        if flags not in self.names:
            told = (
                (_PLAIN, "remote_addr", ADDRESS),
                (_NO_ADDRESS, "remote_addr_without_address", TEXT),
                (_USER, "remote_user", TEXT),
                (_REFERER, "http_referer", TEXT),
                (_AGENT, "http_user_agent", USER_AGENT),
                (_AGENT, USER_AGENT, USER_AGENT),
                (_MAIL, EMAIL, EMAIL),
            )
            found = {"request": TEXT} | {name: what for bit, name, what in told if flags & bit}
            self.names[flags] = tuple(sorted(found.items()))
        return self.names[flags]


class _Lines:
    """Where the lines of a block and their parts stand."""

    def __init__(self, text: Bytes, size: int) -> None:
        self.text = text
        body = text[:size]
        marks = np.flatnonzero((body == _LF) | (body == _QUOTE) | (body == _BRACKET))
        letters = text[marks]
        is_end = letters == _LF
        last_mark = np.flatnonzero(is_end)
        self.ends = marks[last_mark]
        self.starts = np.concatenate(([0], self.ends[:-1] + 1))
        self.count = len(self.ends)
        first_mark = np.concatenate(([0], last_mark[:-1] + 1))
        found = last_mark - first_mark
        has = found >= 3
        safe = np.where(has, first_mark, 0)
        self.bracket = np.where(has & (letters[safe] == _BRACKET), marks[safe], 0)
        self.eights: NDArray[np.uint64] = np.ndarray(
            (len(text) - 7,), dtype="<u8", buffer=text.data, strides=(1,)
        )
        # bracket, two quotes, the end; or bracket, six quotes, the end
        quotes = _quote_counts(letters, first_mark, last_mark)
        brackets = found - quotes
        self.last = self.ends - 1 - (text[self.ends - 1] == 13)
        self.extended = (quotes == 6) & (text[self.last] == _QUOTE)
        shaped = self.extended | ((quotes == 2) & _is_digit(text[self.last], dash=True))
        opened = text[self.bracket + _CLOSE + 2] == _QUOTE
        self.whole = has & (self.bracket > self.starts + 3) & shaped & opened & (brackets >= 1)
        self.whole &= self.bracket + _CLOSE + 2 < self.ends
        self.bracket = np.where(self.whole, self.bracket, np.minimum(4, size - 1))
        # the fifth quote opens the user agent; brackets beside the first one lie within quotes
        fifth = np.maximum(last_mark - 2, 0)
        ok = self.extended & (letters[fifth] == _QUOTE)
        self.fifth = np.where(ok, marks[fifth], 4)
        self.whole &= ok | (quotes == 2)
        self._size = size

    def signs(self) -> Numbers:
        """Return where a sign of e-mail stands, plain or percent-encoded."""
        text = self.text
        body = text[: self._size]
        found = np.flatnonzero((body == _AT) | (body == _PERCENT))
        is_sign = (text[found] == _AT) | ((text[found + 1] == 0x34) & (text[found + 2] == 0x30))
        signs: Numbers = found[is_sign]
        return signs


def _quote_counts(letters: Bytes, first: Numbers, last: Numbers) -> Numbers:
    total = np.concatenate(([0], np.cumsum(letters == _QUOTE)))
    counts: Numbers = total[last] - total[first]
    return counts


def _digits(seconds: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether eight bytes read ``m:ss +zz``, or with a minus."""
    parts = [
        ((seconds >> np.uint64(8 * place)) & np.uint64(255)).astype(np.uint8) for place in range(6)
    ]
    good = _is_digit(parts[0]) & (parts[1] == 0x3A) & _is_digit(parts[3]) & (parts[4] == _SPACE)
    good &= (parts[2] >= 0x30) & (parts[2] <= 0x35)
    return np.asarray(good & ((parts[5] == 0x2B) | (parts[5] == _DASH)), dtype=bool)


def _is_digit(letters: Bytes, *, dash: bool = False) -> NDArray[np.bool_]:
    found = (letters >= 0x30) & (letters <= 0x39)
    return np.asarray(found | (letters == _DASH) if dash else found, dtype=bool)


def _v4(text: Bytes, starts: Numbers) -> tuple[NDArray[np.bool_], Numbers]:
    """Return which lines begin with an IPv4 address, and its length."""
    head = text[starts[:, None] + np.arange(16)]
    is_space = head == _SPACE
    length = is_space.argmax(axis=1)
    inside = np.arange(16) < length[:, None]
    is_dot = head == 0x2E
    fine = (is_dot | _is_digit(head)) | ~inside
    plain = (length >= 7) & fine.all(axis=1) & ((is_dot & inside).sum(axis=1) == 3)
    return np.asarray(plain, dtype=bool), length.astype(np.int64)
