"""The commands that show the bytes of a piece of evidence in the tools an opponent already has.

A command is offered only where every word of it is ours or of a closed form (a plain file name,
numbers, an address): nothing of a captured value ever reaches a command line. Tried with tshark 4.0
and mitmdump 11 and 12.
"""

from __future__ import annotations

import ipaddress
import re

from audit.report.texts import say
from audit.report.view import Command
from audit.tables.reference import Reference

PACKET_FILES = (".pcapng", ".pcap")
"""Endings of files whose records are packets."""
LINE_FILES = (".jsonl", ".log", ".ndjson", ".csv")
"""Endings of files whose records are lines."""
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\Z")
_ORIGINATOR = re.compile(
    r"(?:tcp|udp|quic) (?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<v4>[0-9.]+)|\[[a-z][a-z0-9_-]*:[0-9a-f]{6}\])"
    r":(?P<port>\d{1,5}) > "
)
"""Start of a conversation; the third form is the client's own address, redacted."""
_ONION = re.compile(r"/onion\.(\d+)")
_MAX_RANGES = 60


def _source_filter(conversation: str | None) -> str:
    """Return mitmproxy's filter for the flows of a conversation's originator, or nothing.

    mitmproxy matches ``~src`` as an expression against ``ADDRESS:PORT``, IPv6 without brackets.
    """
    match = _ORIGINATOR.match(conversation or "")
    if not match:
        return ""
    address = match["v6"] or match["v4"]
    if address is None:
        return f" '~src :{int(match['port'])}$'"
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return ""
    return f" '~src ^{address.replace('.', chr(92) + '.')}:{int(match['port'])}$'"


def onion_layer(part: str | None) -> str | None:
    """Return the number of the innermost onion layer that a part names, ``None`` on the wire."""
    layers = _ONION.findall(part or "")
    return layers[-1] if layers else None


def commands_for(reference: Reference, conversation: str | None) -> tuple[Command, ...]:
    """Return the commands, most exact first; empty where no common tool shows the bytes."""
    if not _FILE.match(reference.file):
        return ()
    if reference.file.endswith(".mitm"):
        text = f"mitmdump -nr {reference.file} --flow-detail 4{_source_filter(conversation)}"
        return (Command(tool=say("command.mitmproxy"), text=text),)
    if reference.file.endswith(PACKET_FILES):
        return _tshark(reference)
    if reference.file.endswith(LINE_FILES) and reference.records:
        lines = "; ".join(f"{line}p" for line in reference.records[:_MAX_RANGES])
        text = f"sed -n '{lines}' {reference.file}"
        return (Command(tool=say("command.text"), text=text),)
    return ()


def _tshark(reference: Reference) -> tuple[Command, ...]:
    """Return the command for the packets, and the one for the whole stream that they are part of.

    The stream is found by its first packet, so the client's address need not be known.
    """
    if not reference.records:
        return ()
    file, chosen = reference.file, ",".join(_ranges(reference.records)[:_MAX_RANGES])
    text = f"tshark -r {file} -Y 'frame.number in {{{chosen}}}' -x"
    commands = [Command(tool=say("command.wireshark"), text=text)]
    layer = (reference.part or "").partition(".")[0]
    if layer in {"tcp", "tls"}:
        first = min(reference.records)
        stream = f"$(tshark -r {file} -Y 'frame.number == {first}' -T fields -e tcp.stream)"
        text = f'tshark -r {file} -q -z "follow,{layer},hex,{stream}"'
        command = Command(tool=say("command.wireshark_stream"), text=text)
        commands.insert(0 if layer == "tls" else 1, command)
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
