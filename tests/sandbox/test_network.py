import socket

import pytest

from audit.sandbox.network import has_ipv6
from audit.sandbox.program import Program
from tests.sandbox.places import job, output, python, wire

pytestmark = pytest.mark.system

SERVE = """
import socket
family = socket.AF_INET6 if {v6} else socket.AF_INET
server = socket.create_server(('', {port}), family=family, dualstack_ipv6={v6})
print('ready', flush=True)
for _ in range({times}):
    client, peer = server.accept()
    client.sendall(repr((peer[0], client.getsockname()[1])).encode())
    client.close()
"""
ASK = "import socket; s = socket.create_connection(({address!r}, {port}), 5); print(s.recv(99).decode())"


def serve(box, place, port, times=1, v6=None):
    heard = []
    v6 = has_ipv6() if v6 is None else v6
    code = SERVE.format(v6=v6, port=port, times=times)
    Program(box, "the server", job(python(code), place), on_line=heard.append)
    box.watch.until(lambda: bool(heard), 20, "the server")


def test_servers_see_the_clients_own_address(box):
    addresses = wire(box)
    serve(box, "internet", 4443)
    seen = output(box, ASK.format(address=addresses.internet_v4, port=4443))
    assert seen.removeprefix("('::ffff:").removeprefix("('").startswith(addresses.client_v4)


@pytest.mark.skipif(not socket.has_ipv6 or not has_ipv6(), reason="no IPv6 here")
def test_servers_see_the_clients_own_ipv6_address(box):
    addresses = wire(box)
    serve(box, "internet", 4443)
    seen = output(box, ASK.format(address=addresses.internet_v6, port=4443))
    assert addresses.client_v6 in seen


def test_the_client_has_the_drawn_mac_and_no_other_link(box):
    addresses = wire(box)
    code = "import socket; print([n for _, n in socket.if_nameindex()]); print(open('/sys/class/net/eth0/address').read())"
    from audit.sandbox.channel import Mount

    names, mac = output(box, code, mounts=[Mount(kind="sysfs", target="/sys")]).splitlines()[:2]
    assert names == "['lo', 'eth0']"
    assert mac == addresses.client_mac


def test_connections_are_redirected_with_their_destination_kept(box):
    wire(box, proxy_port=8080)
    code = (
        "import socket, struct\n"
        "server = socket.create_server(('', 8080))\nprint('ready', flush=True)\n"
        "client, _ = server.accept()\n"
        "port, address = struct.unpack_from('!2xH4s', client.getsockopt(socket.SOL_IP, 80, 16))\n"
        "client.sendall(f'{socket.inet_ntoa(address)}:{port}'.encode())\n"
    )
    heard = []
    Program(box, "the proxy", job(python(code), "gateway"), on_line=heard.append)
    box.watch.until(lambda: bool(heard), 20, "the proxy")
    assert output(box, ASK.format(address="203.0.113.9", port=4443)) == "203.0.113.9:4443"


def test_datagrams_are_not_redirected(box):
    addresses = wire(box, proxy_port=8080)
    code = (
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('', 3478))\n"
        "print('ready', flush=True)\ndata, peer = s.recvfrom(99)\ns.sendto(peer[0].encode(), peer)\n"
    )
    heard = []
    Program(box, "the server", job(python(code), "internet"), on_line=heard.append)
    box.watch.until(lambda: bool(heard), 20, "the server")
    ask = (
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(5)\n"
        f"s.sendto(b'x', ({addresses.internet_v4!r}, 3478))\nprint(s.recvfrom(99)[0].decode())"
    )
    assert output(box, ask) == addresses.client_v4


def test_without_an_internet_the_client_cannot_leave(box):
    wire(box, has_internet=False)
    code = (
        "import socket\ns = socket.socket()\ns.settimeout(3)\n"
        "print(s.connect_ex(('203.0.113.9', 80)) != 0)"
    )
    assert output(box, code) == "True"


def test_frames_look_as_on_a_wire(box):
    """No segment is longer than the link's MTU: offloads are off on both ends."""
    addresses = wire(box)
    code = (
        "import socket\nserver = socket.create_server(('', 7000))\nprint('ready', flush=True)\n"
        "client, _ = server.accept()\nwhile client.recv(1 << 20): pass\n"
    )
    heard = []
    Program(box, "the server", job(python(code), "internet"), on_line=heard.append)
    box.watch.until(lambda: bool(heard), 20, "the server")
    output(
        box,
        f"import socket; s = socket.create_connection(({addresses.internet_v4!r}, 7000), 5); s.sendall(bytes(1 << 20)); s.close()",
    )
    longest = 0
    tap = socket.socket(fileno=box.tap)
    tap.setblocking(False)
    try:
        while True:
            longest = max(longest, len(tap.recv(1 << 17)))
    except BlockingIOError:
        pass
    finally:
        tap.detach()
    assert 1000 < longest <= 1514
