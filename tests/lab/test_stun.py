"""STUN, read by a published library."""

import socket

from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.stun import STUN

from audit.lab.stun import answer_binding
from tests.lab.conftest import LIMIT_S, RunningLab

REQUEST = bytes.fromhex("0001000021 12a442".replace(" ", "")) + b"transaction!"


def test_who_asks_is_told_the_address_it_is_seen_from(lab: RunningLab) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        stream.settimeout(LIMIT_S)
        stream.bind(("127.0.0.1", 0))
        stream.sendto(REQUEST, lab.place("198.51.100.40:3478"))
        answer = STUN(stream.recv(600))
        port = stream.getsockname()[1]
    assert answer.transaction_id == int.from_bytes(b"transaction!", "big")
    mapped = answer.attributes[0]
    assert (mapped.xip, mapped.xport) == ("127.0.0.1", port)
    row = lab.wait_learned(standin="stun", event="datagram")[-1]
    assert row["saw"] == {"mapped_address": "127.0.0.1"}


@given(st.binary(max_size=60))
def test_any_bytes_are_answered_or_ignored(data: bytes) -> None:
    for head in (b"", REQUEST[:8]):
        answer = answer_binding(head + data, "192.0.2.1", 1)
        assert answer is None or answer[8:20] == (head + data)[8:20]
