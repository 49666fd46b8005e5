"""Packets grouped by their full 5-tuple, with counters; numpy for all packets, Python for none."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from audit.readers.communityid import ICMP6_PAIRS, ICMP_PAIRS
from audit.readers.conversation import FACES, KEY_BYTES, LATE, Conversations
from audit.readers.frames import ICMP, ICMP6, NO_PROTO, TCP, Frames
from audit.readers.knownends import KnownEnds
from audit.readers.recordchunk import UNDATED, Ints, Mask, RecordChunk

_SYN, _ACK = 2, 16
_SCATTERED: Final = 16
"""Lanes a packet from which on a chunk's packets are sorted before they are counted."""


class ConversationTable:
    """Grows chunk by chunk; memory grows with the conversations, not with the packets."""

    def __init__(self) -> None:
        self._ids: dict[bytes, int] = {}
        self._known = KnownEnds()
        self._sums = np.zeros((3, 0), dtype=np.int64)
        """Packets, bytes, payload; by twice the conversation, plus 1 for what side b sent."""
        self._firsts = np.zeros((0, 6), dtype=np.int64)
        self._bits = np.zeros(0, dtype=np.uint64)
        self._owners: dict[int, dict[int, None]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, chunk: RecordChunk, frames: Frames) -> tuple[Ints, Mask]:
        """Count a chunk in; return each packet's conversation (-1: none) and whether a sent it."""
        lane, key = self._known.look_up(frames)
        new = np.flatnonzero((lane < 0) & (frames.proto != NO_PROTO))
        if len(new):
            frames.fill(new)
            words, swapped = _keys(frames, new)
            lane[new] = lanes = 2 * self._lookup(words) + swapped
            self._known.learn(key, new, lanes)
            self._grow()
        known = np.flatnonzero(lane >= 0)
        if len(known) == len(lane):
            self._count(chunk, frames, slice(None), lane)
        elif len(known):
            self._count(chunk, frames, known, lane[known])
        return lane >> 1, (lane & 1) == 0

    def own(self, conversation: Ints, owner: Ints) -> None:
        """Note whom the file names for packets (-1: nobody)."""
        named = (conversation >= 0) & (owner >= 0)
        pairs = np.unique(np.stack([conversation[named], owner[named]]), axis=1)
        for one, number in pairs.T.tolist():
            self._owners.setdefault(one, {})[number] = None

    def join(self, others: Conversations, packets: int) -> Ints:
        """Add what was counted of packets behind these, numbered from 1; return the indices."""
        known = self._ids
        ids = np.asarray(
            [known.setdefault(key.tobytes(), len(known)) for key in others.keys], dtype=np.int64
        )
        self._grow()
        lanes = (2 * ids[:, None] + np.arange(2)).reshape(-1)
        self._sums[:, lanes] += others.sums
        mine, firsts = self._firsts[ids], others.firsts.copy()
        firsts[:, 2] += 2 * packets
        for time, mark in ((0, 2), (4, 5)):
            earlier = firsts[:, time] < mine[:, time]
            for column in (time, mark):
                mine[:, column] = np.where(earlier, firsts[:, column], mine[:, column])
        mine[:, 1] = np.maximum(mine[:, 1], firsts[:, 1])
        self._firsts[ids] = mine
        self._bits[ids] |= others.bits
        return ids

    def join_owners(self, others: Conversations, ids: Ints, owners: Ints) -> None:
        """Note whom the file names for their packets; ``owners``: their numbers here."""
        for one, numbers in others.owners.items():
            named = self._owners.setdefault(int(ids[one]), {})
            named.update(dict.fromkeys(n for n in owners[list(numbers)].tolist() if n >= 0))

    def _lookup(self, words: npt.NDArray[np.uint64]) -> Ints:
        mixed = words[:, 0].copy()
        for column in range(1, words.shape[1]):
            mixed ^= mixed >> np.uint64(29)
            mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + words[:, column]
        _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
        if not (words[first][inverse] == words).all():  # two keys of one hash: sort the whole keys
            _, first, inverse = np.unique(words, axis=0, return_index=True, return_inverse=True)
        ids = np.empty(len(first), dtype=np.int64)
        for place in np.argsort(first, kind="stable"):  # number conversations in order of packets
            key = words[first[place]].tobytes()
            ids[place] = self._ids.setdefault(key, len(self._ids))
        return ids[inverse.reshape(-1)]

    def _grow(self) -> None:
        need, have = len(self._ids), len(self._bits)
        if need > have:
            extra = max(need, 2 * have, 64) - have
            room = np.zeros((3, 2 * extra), dtype=np.int64)
            self._sums = np.concatenate([self._sums, room], axis=1)
            fresh = np.full((extra, 6), LATE, dtype=np.int64)
            fresh[:, 1] = UNDATED
            self._firsts = np.vstack([self._firsts, fresh])
            self._bits = np.concatenate([self._bits, np.zeros(extra, dtype=np.uint64)])

    def _count(self, chunk: RecordChunk, frames: Frames, known: Ints | slice, lane: Ints) -> None:
        ids = lane >> 1
        low, high = 2 * int(np.min(ids)), 2 * int(np.max(ids)) + 2
        if high - low > _SCATTERED * len(lane):  # few packets of a great many conversations
            lanes, at = np.unique(lane, return_inverse=True)
            for row, values in enumerate((None, chunk.wire[known], frames.payload_wire[known])):
                self._sums[row, lanes] += np.bincount(at, values).astype(np.int64)
        else:
            for row, values in enumerate((None, chunk.wire[known], frames.payload_wire[known])):
                sums = np.bincount(lane - low, values, high - low)
                self._sums[row, low:high] += sums.astype(np.int64)
        ts = chunk.ts[known]
        np.maximum.at(self._firsts[:, 1], ids, ts)
        early = ts if int(np.min(ts)) > UNDATED else np.where(ts == UNDATED, LATE - 1, ts)
        maybe = np.flatnonzero(early < self._firsts[ids, 0])
        if len(maybe):
            number = chunk.first + (maybe if isinstance(known, slice) else known[maybe])
            value = 1 - (lane[maybe] & 1) + 2 * number
            self._earliest(0, ids[maybe], early[maybe], value)
        flags = frames.flags[known]
        opening = np.flatnonzero(flags & _SYN)
        if len(opening):
            # SYN-ACK answers the other's SYN
            opener = (1 - (lane[opening] & 1)) ^ ((flags[opening] & _ACK) != 0)
            self._earliest(4, ids[opening], early[opening], opener)
        quiet = (frames.proto[known] == TCP) & (frames.payload_wire[known] == 0)
        self._note_faces(chunk.iface[known], ids, quiet & ((flags & _SYN) == 0))

    def _note_faces(self, faces: Ints, ids: Ints, quiet: Mask) -> None:
        """Set a bit an interface; TCP packets that no program sent are noted apart, 32 higher."""
        faces = (faces & (FACES - 1)) + np.where(quiet, FACES, 0)
        for face in np.flatnonzero(np.bincount(faces)).tolist():
            bit = np.uint64(1 << face)
            of_face = ids[faces == face]
            lacking = of_face[(self._bits[of_face] & bit) == 0]
            self._bits[lacking] |= bit

    def _earliest(self, column: int, ids: Ints, ts: Ints, value: Ints) -> None:
        """Keep in ``column`` the least time and beside it the value of the packet that has it."""
        mark = 2 if column == 0 else 5
        before = self._firsts[ids, column]
        np.minimum.at(self._firsts[:, column], ids, ts)
        wins = np.flatnonzero((ts == self._firsts[ids, column]) & (ts < before))[::-1]
        self._firsts[ids[wins], mark] = value[wins]

    def conversations(self) -> Conversations:
        """Return all conversations in the order of their first packets in the file."""
        count = len(self._ids)
        keys = np.frombuffer(b"".join(self._ids), dtype=np.uint8).reshape(count, KEY_BYTES)
        return Conversations(
            keys=keys,
            sums=self._sums[:, : 2 * count],
            firsts=self._firsts[:count],
            bits=self._bits[:count],
            owners={one: tuple(numbers) for one, numbers in self._owners.items()},
        )


def _keys(frames: Frames, known: Ints) -> tuple[npt.NDArray[np.uint64], Mask]:
    """Return five words a packet, the lesser endpoint first, and whether that is the receiver."""
    proto, sport, dport = frames.proto[known], frames.sport[known], frames.dport[known]
    one_way = np.zeros(len(known), dtype=bool)
    for number, pairs in ((ICMP, ICMP_PAIRS), (ICMP6, ICMP6_PAIRS)):
        messages = proto == number
        if messages.any():
            one_way |= messages
            for kind, answer in pairs.items():
                paired = messages & (sport == kind)
                dport = np.where(paired, answer, dport)
                one_way &= ~paired
    src, dst = frames.src[known], frames.dst[known]
    less, equal = np.zeros(len(known), dtype=bool), np.ones(len(known), dtype=bool)
    for left, right in ((src[:, 0], dst[:, 0]), (src[:, 1], dst[:, 1]), (sport, dport)):
        less |= equal & (right < left)
        equal &= left == right
    swapped = less & ~one_way
    words = np.empty((len(known), 5), dtype=np.uint64)
    words[:, 0:2] = np.where(swapped[:, None], dst, src)
    words[:, 2:4] = np.where(swapped[:, None], src, dst)
    low, high = np.where(swapped, dport, sport), np.where(swapped, sport, dport)
    words[:, 4] = (
        (proto << 35) | (frames.ipv6[known].astype(np.int64) << 34) | ((low + 1) << 17) | (high + 1)
    )
    return words.byteswap().view(np.uint64), swapped
