"""A STUN server (RFC 8489): tells whoever asks the address it is seen from."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Final

from audit.lab.learned import Learned
from audit.lab.witness import Witness

COOKIE: Final = 0x2112A442
BINDING_REQUEST: Final = 0x0001
BINDING_SUCCESS: Final = 0x0101
XOR_MAPPED_ADDRESS: Final = 0x0020
SOFTWARE: Final = 0x8022


def answer_binding(data: bytes, address: str, port: int) -> bytes | None:
    """Return the answer to a binding request seen from an IPv4 address, ``None`` for any other."""
    if len(data) < 20:
        return None
    kind, length, cookie = struct.unpack_from(">HHI", data)
    if kind != BINDING_REQUEST or cookie != COOKIE or length % 4 or length != len(data) - 20:
        return None
    raw = int.from_bytes(socket.inet_aton(address), "big") ^ COOKIE
    mapped = struct.pack(">HHBBHI", XOR_MAPPED_ADDRESS, 8, 0, 1, port ^ (COOKIE >> 16), raw)
    software = struct.pack(">HH", SOFTWARE, 8) + b"standin\0"
    body = mapped + software
    return struct.pack(">HHI", BINDING_SUCCESS, len(body), COOKIE) + data[8:20] + body


@dataclass(frozen=True, slots=True)
class StunServer:
    """Answers binding requests and notes them."""

    witness: Witness

    def take_datagram(self, data: bytes, address: str, port: int) -> bytes:
        """Answer one datagram; nothing where it is no binding request."""
        peer = f"{address}:{port}"
        answer = answer_binding(data, address, port)
        if answer is None:
            self.witness.garbage(peer, data, "not a STUN binding request")
            return b""
        self.witness.log.write(
            Learned(
                standin=self.witness.standin,
                event="datagram",
                scheme="udp",
                peer=peer,
                body=data,
                inner={"method": "binding"},
                saw={"mapped_address": address},
            )
        )
        return answer
