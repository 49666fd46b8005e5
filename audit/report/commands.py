"""The commands that show the bytes of a piece of evidence in the tools an opponent already has.

A command is offered only where every word of it is ours or of a closed form (a plain file name,
numbers, an address): nothing of a captured value ever reaches a command line. Tried with tshark 4.0
and mitmdump 11 and 12.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from audit.report.texts import say
from audit.report.view import Command
from audit.tables.reference import Reference

_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\Z")
_CONVERSATION = re.compile(
    r"(?P<proto>tcp|udp) (?P<a>\[[0-9a-f:.]+\]|[0-9.]+):(?P<ap>\d{1,5})"
    r" > (?P<b>\[[0-9a-f:.]+\]|[0-9.]+):(?P<bp>\d{1,5})\Z"
)
_ONION = re.compile(r"/onion\.(\d+)")
_MAX_RANGES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conversation:
    proto: str
    ends: tuple[str, str]
    """``address:port``, IPv6 in brackets as Wireshark wants it, originator first."""

    @property
    def originator_in_mitmproxy(self) -> str:
        """As mitmproxy's ``~src`` filter sees it: no brackets, an anchored expression."""
        return "^" + self.ends[0].translate({91: "", 93: ""}).replace(".", r"\.") + "$"


def _parse(text: str | None) -> _Conversation | None:
    match = _CONVERSATION.match(text or "")
    if not match:
        return None
    try:
        for end in "ab":
            ipaddress.ip_address(match[end].strip("[]"))
    except ValueError:
        return None
    ends = (f"{match['a']}:{int(match['ap'])}", f"{match['b']}:{int(match['bp'])}")
    return _Conversation(proto=match["proto"], ends=ends)


def onion_layer(part: str | None) -> str | None:
    """Return the number of the innermost onion layer that a part names, ``None`` on the wire."""
    layers = _ONION.findall(part or "")
    return layers[-1] if layers else None


def commands_for(reference: Reference, conversation: str | None) -> tuple[Command, ...]:
    """Return the commands, most exact first; empty where no common tool shows the bytes."""
    if not _FILE.match(reference.file):
        return ()
    talk = _parse(conversation)
    if reference.file.endswith(".mitm"):
        chosen = f" '~src {talk.originator_in_mitmproxy}'" if talk else ""
        text = f"mitmdump -nr {reference.file} --flow-detail 4{chosen}"
        return (Command(tool=say("command.mitmproxy"), text=text),)
    if reference.file.endswith((".pcapng", ".pcap")):
        return _tshark(reference, talk)
    if reference.file.endswith((".jsonl", ".log", ".ndjson", ".csv")) and reference.records:
        lines = "; ".join(f"{line}p" for line in reference.records[:_MAX_RANGES])
        text = f"sed -n '{lines}' {reference.file}"
        return (Command(tool=say("command.text"), text=text),)
    return ()


def _tshark(reference: Reference, talk: _Conversation | None) -> tuple[Command, ...]:
    commands = []
    ranges = _ranges(reference.records)
    if ranges:
        chosen = ",".join(ranges[:_MAX_RANGES])
        text = f"tshark -r {reference.file} -Y 'frame.number in {{{chosen}}}' -x"
        commands.append(Command(tool=say("command.wireshark"), text=text))
    layer = (reference.part or "").partition(".")[0]
    if talk and layer in {"tcp", "tls"} and talk.proto == "tcp":
        text = (
            f"tshark -r {reference.file} -q -z 'follow,{layer},hex,{talk.ends[0]},{talk.ends[1]}'"
        )
        command = Command(tool=say("command.wireshark_stream"), text=text)
        commands.insert(0 if layer == "tls" else len(commands), command)
    return tuple(commands)


def _ranges(numbers: tuple[int, ...]) -> list[str]:
    """Return sorted numbers as Wireshark's set members: ``17``, ``20..25``."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    members: list[str] = []
    for first, last in runs:
        if last - first > 1:
            members.append(f"{first}..{last}")
        else:
            members += map(str, range(first, last + 1))
    return members
