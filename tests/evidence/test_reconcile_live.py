"""A real mitmdump as explicit proxy, and before an upstream one, beside packets of the loopback."""

import contextlib
import http.client
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.evidence.imports import import_files
from tests.evidence.test_reconcile_recordings import records
from tests.readers.live_proxy import echo_server, mitmdump
from tests.readers.loopback import make_certificate

pytestmark = pytest.mark.system
_OUTGOING = 4
"""``PACKET_OUTGOING`` (linux/if_packet.h): on the loopback each packet is seen twice."""


@contextlib.contextmanager
def packets(path: Path) -> Iterator[None]:
    """Write what passes the loopback meanwhile into a pcap file."""
    try:
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    except PermissionError:
        pytest.skip("this process may not open a packet socket")
    tap.bind(("lo", 0))
    tap.settimeout(0.1)
    done = threading.Event()
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1))

        def listen() -> None:
            while not done.is_set():
                with contextlib.suppress(TimeoutError):
                    data, address = tap.recvfrom(1 << 17)
                    now = time.time()
                    if address[2] != _OUTGOING:
                        seconds, part = divmod(int(now * 1_000_000), 1_000_000)
                        file.write(struct.pack("<IIII", seconds, part, len(data), len(data)) + data)

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield
            time.sleep(0.5)
        finally:
            done.set()
            thread.join(10)
            tap.close()


def post(connection: http.client.HTTPConnection, *paths: str) -> int:
    """Send a request to each path over one connection; return the client's port."""
    for path in paths:
        connection.request("POST", path, body=b"hello")
        connection.getresponse().read()
    port = connection.sock.getsockname()[1]
    connection.close()
    return port


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> tuple[Path, dict[str, int]]:
    """Two requests over one connection, one in clear, two by TLS, and one around the proxy."""
    folder = tmp_path_factory.mktemp("explicit")
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    ports = {}
    with (
        echo_server() as plain,
        echo_server(make_certificate(folder)) as secure,
        mitmdump(folder) as proxy,
        packets(folder / "packets.pcap"),
    ):
        ports |= {"plain": plain, "secure": secure}
        url = f"http://127.0.0.1:{plain}"
        ports["two"] = post(http.client.HTTPConnection("127.0.0.1", proxy), f"{url}/a", f"{url}/b")
        ports["one"] = post(http.client.HTTPConnection("127.0.0.1", proxy), f"{url}/c")
        for name in ("tls 1", "tls 2"):
            tunnel = http.client.HTTPSConnection("127.0.0.1", proxy, context=trusting)
            tunnel.set_tunnel("127.0.0.1", secure)
            ports[name] = post(tunnel, "/d")
        ports["around"] = post(http.client.HTTPConnection("127.0.0.1", plain), "/around")
    return folder, ports


def missed_ports(*files: Path) -> list[int]:
    found = import_files(files).coverage["missed_by_proxy"]
    return sorted(int(one["conversation"].partition(" > ")[0].rpartition(":")[2]) for one in found)


def test_what_went_around_an_explicit_proxy_is_missed_and_nothing_else_is(recorded):
    folder, ports = recorded
    assert missed_ports(folder / "packets.pcap", folder / "flows.mitm") == [ports["around"]]


def test_one_flow_out_of_the_dump_is_missed_by_the_conversation_to_the_proxy(recorded, tmp_path):
    folder, ports = recorded
    flows = records((folder / "flows.mitm").read_bytes())
    for number, name in enumerate(["two", "two", "one", "tls 1", "tls 2"]):
        (tmp_path / "flows.mitm").write_bytes(b"".join(flows[:number] + flows[number + 1 :]))
        found = missed_ports(folder / "packets.pcap", tmp_path / "flows.mitm")
        assert found == sorted([ports["around"], ports[name]]), name


def test_the_row_shows_the_server_and_the_proxys_own_connections_are_not_judged(recorded):
    folder, ports = recorded
    found = import_files([folder / "packets.pcap", folder / "flows.mitm"])
    rows = found.tables["conversations"].to_dict("records")
    own = {row["originator_port"]: row for row in rows if row["originator_port"] in ports.values()}
    assert {row["taps"] for port, row in own.items() if port != ports["around"]} == {
        ("proxy", "packets")
    }
    assert own[ports["tls 1"]]["transport"] == "tls-intercepted"
    servers = {ports["plain"], ports["secure"]}
    others = [
        row
        for row in rows
        if row["responder_port"] in servers and row["originator_port"] not in ports.values()
    ]
    assert others
    assert {(row["process"], row["process_basis"]) for row in others} == {("unknown", "declared")}


def test_through_an_upstream_proxy_the_clients_conversation_is_still_the_flows(tmp_path):
    (tmp_path / "upstream").mkdir()
    with echo_server() as plain, mitmdump(tmp_path / "upstream") as upstream:
        mode = ("--mode", f"upstream:http://127.0.0.1:{upstream}")
        with mitmdump(tmp_path, *mode) as proxy, packets(tmp_path / "packets.pcap"):
            url = f"http://127.0.0.1:{plain}/a"
            port = post(http.client.HTTPConnection("127.0.0.1", proxy), url)
    found = import_files([tmp_path / "packets.pcap", tmp_path / "flows.mitm"])
    rows = {row["originator_port"]: row for row in found.tables["conversations"].to_dict("records")}
    assert rows[port]["taps"] == ("proxy", "packets")
    assert rows[port]["seen_as"] == "proxy"
    assert port not in missed_ports(tmp_path / "packets.pcap", tmp_path / "flows.mitm")
    onward = [row for row in rows.values() if row["conversation"].endswith(f":{upstream}")]
    assert {row["process_basis"] for row in onward} == {"declared"}
