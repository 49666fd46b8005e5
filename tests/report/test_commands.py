import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.report.commands import commands_for, onion_layer
from audit.tables.reference import Reference, parse_reference

V4 = "tcp 198.18.3.7:40000 > 198.51.100.20:80"
V6 = "tcp [2001:db8::7]:40000 > [2001:db8:1::20]:80"


REDACTED = "tcp [address:0a1b2c]:40001 > 198.51.100.20:80"


def texts(reference: str, conversation: str | None = None) -> list[str]:
    return [command.text for command in commands_for(parse_reference(reference), conversation)]


def test_packets_show_the_frames_and_the_stream():
    assert texts("packets.pcapng#17,18:tcp.sent@0-5", V4) == [
        "tshark -r packets.pcapng -Y 'frame.number in {17,18}' -x",
        "tshark -r packets.pcapng -q -z \"follow,tcp,hex,$(tshark -r packets.pcapng -Y 'frame.number == 17' -T fields -e tcp.stream)\"",
    ]


def test_decrypted_streams_come_first():
    first, second = texts("packets.pcapng#19,17:tls.sent@0-5")
    assert "follow,tls,hex,$(tshark -r packets.pcapng -Y 'frame.number == 17'" in first
    assert second == "tshark -r packets.pcapng -Y 'frame.number in {17,19}' -x"


def test_many_packets_become_ranges():
    assert texts("packets.pcapng#9,3,4,5,6,11,12:frame") == [
        "tshark -r packets.pcapng -Y 'frame.number in {3..6,9,11,12}' -x"
    ]


def test_flows_are_chosen_by_their_client_port():
    assert texts("flows.mitm#3:request.body", V4) == [
        r"mitmdump -nr flows.mitm --flow-detail 4 '~src ^198\.18\.3\.7:40000$'"
    ]
    assert texts("flows.mitm#3:request.body", V6) == [
        "mitmdump -nr flows.mitm --flow-detail 4 '~src ^2001:db8::7:40000$'"
    ]
    assert texts("flows.mitm#3:request.body", REDACTED) == [
        "mitmdump -nr flows.mitm --flow-detail 4 '~src :40001$'"
    ]
    assert texts("flows.mitm#3") == ["mitmdump -nr flows.mitm --flow-detail 4"]


def test_lines_of_text_files_are_printed():
    assert texts("server/logs/access.log#12,15") == ["sed -n '12p; 15p' server/logs/access.log"]
    assert texts("storage/cookies.bin") == []


@given(st.text(max_size=40), st.text(max_size=60))
def test_no_captured_character_reaches_a_command(file, conversation):
    reference = Reference(file=file + ".pcapng", records=(1,), part="tcp.sent")
    for command in commands_for(reference, conversation):
        assert set(command.text) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-/'{},=\"$()"
        )


@given(st.text(max_size=60) | st.from_regex(r"tcp .{0,20}:\d{1,6} > .*"))
def test_no_captured_character_reaches_a_filter(conversation):
    (command,) = commands_for(Reference(file="flows.mitm", records=(1,)), conversation)
    assert re.fullmatch(
        r"mitmdump -nr flows\.mitm --flow-detail 4( '~src (\^[0-9a-f:.\\]+)?:\d{1,5}\$')?",
        command.text,
    )


@pytest.mark.parametrize(
    "talk",
    [
        "tcp 1.2.3.4:999999 > 5.6.7.8:80",
        "tcp 999.1.1.1:1 > 5.6.7.8:80",
        "tcp [::g]:1 > 5.6.7.8:80",
        "tcp a'b:1 > c:2",
        "tcp [address:zzz]:1 > c:2",
    ],
)
def test_what_is_no_conversation_is_left_out(talk):
    assert texts("flows.mitm#1", talk) == ["mitmdump -nr flows.mitm --flow-detail 4"]


def test_onion_layer_is_the_innermost():
    assert [
        onion_layer(part) for part in ("request.body/onion.1/onion.3", "request.body", None)
    ] == ["3", None, None]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """One HTTP request over IPv4 and one over IPv6, as packets and as flows."""
    code = """
from mitmproxy import io
from mitmproxy.test import tflow
with open("flows.mitm", "wb") as file:
    for address in (("198.18.3.7", 40000), ("198.18.3.7", 40001), ("2001:db8::7", 40000, 0, 0)):
        flow = tflow.tflow(resp=True)
        flow.client_conn.peername = address
        flow.request.content = b"body of " + address[0].encode() + b" port %d" % address[1]
        io.FlowWriter(file).add(flow)
from scapy.all import IP, TCP, Ether, IPv6, wrpcapng
packets = []
for a, b, ip in (("198.18.3.7", "198.51.100.20", IP), ("2001:db8::7", "2001:db8:1::20", IPv6)):
    out, back = ip(src=a, dst=b), ip(src=b, dst=a)
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    packets += [ether / out / TCP(sport=40000, dport=80, flags="S", seq=1), ether / back / TCP(sport=80, dport=40000, flags="SA", seq=1, ack=2),
                ether / out / TCP(sport=40000, dport=80, flags="PA", seq=2, ack=2) / b"POST /needle HTTP/1.1\\r\\nHost: files.example\\r\\n\\r\\n"]
wrpcapng("packets.pcapng", packets)
"""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return tmp_path


def run(command: str, folder: Path) -> str:
    paths = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={"PATH": paths, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.system
@pytest.mark.parametrize(
    ("talk", "body"),
    [
        (V4, "body of 198.18.3.7 port 40000"),
        (V6, "body of 2001:db8::7 port 40000"),
        (REDACTED, "body of 198.18.3.7 port 40001"),
    ],
)
def test_mitmproxy_shows_the_flow_and_no_other(capture, talk, body):
    shown = run(texts("flows.mitm#1:request.body", talk)[0], capture)
    assert body in shown
    assert shown.count("body of") == 1


@pytest.mark.system
@pytest.mark.parametrize(("talk", "record"), [(V4, 3), (V6, 6)])
def test_wireshark_shows_the_bytes(capture, talk, record):
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed: apt-get install tshark")
    commands = texts(f"packets.pcapng#{record}:tcp.sent@0-12", talk)
    assert len(commands) == 2
    for command in commands:
        shown = "".join(
            word
            for line in run(command, capture).splitlines()
            for word in line.split()[1:17]
            if re.fullmatch("[0-9a-f]{2}", word)
        )
        assert b"POST /needle".hex() in shown
