"""A real mitmdump between real sockets on 127.0.0.1."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.readers.loopback import make_certificate

_LIMIT_S = 30.0


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/gone"):
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@contextlib.contextmanager
def echo_server(certificate: tuple[Path, Path] | None = None) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@contextlib.contextmanager
def mitmdump(folder: Path, *options: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-c", "from mitmproxy.tools.main import mitmdump; mitmdump()", "-q",
        "--listen-host", "127.0.0.1", "--listen-port", str(port), "--ssl-insecure",
        "--set", f"confdir={folder / 'conf'}", "-w", str(folder / "flows.mitm"), *options,
    ]  # fmt: skip
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
    finally:
        program.terminate()
        program.wait(_LIMIT_S)


def _wait(port: int) -> None:
    until = time.monotonic() + _LIMIT_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("mitmdump did not listen")


def record(folder: Path) -> Path:
    """Post in clear, by TLS, and to a server that hangs up; return the dump."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    certificate = make_certificate(folder)
    with echo_server() as plain, echo_server(certificate) as secure, mitmdump(folder) as proxy:
        for path in ("/plain", "/gone"):
            clear = http.client.HTTPConnection("127.0.0.1", proxy, timeout=10)
            clear.request("POST", f"http://127.0.0.1:{plain}{path}?q=1", b'{"id": 1}')
            clear.getresponse().read()
            clear.close()
        tunnel = http.client.HTTPSConnection("127.0.0.1", proxy, timeout=10, context=trusting)
        tunnel.set_tunnel("127.0.0.1", secure)
        for number in (1, 2):
            tunnel.request("POST", f"/secure/{number}", b"x" * number)
            tunnel.getresponse().read()
        tunnel.close()
    return folder / "flows.mitm"
