"""Write a dump of flows through mitmproxy's own writer; one seed, one mix.

    python benchmarks/make_flows.py .cache/bench/flows-mixed-4000.mitm --flows 4000 [--kind calls]

``mixed`` is what a browser and some apps do. Of the flows 85 % are HTTP exchanges (six of ten
HTTP/2, some HTTP/3), four to a connection on average; 4 % WebSocket, 6 % DNS, 3 % TCP, 2 % UDP.
Four of ten requests have a body: JSON, forms, protobuf, gzip, multipart, ciphertext. Answers are
JSON, pages and scripts, mostly compressed, pictures, fonts and nothing. Servers show chains of two
certificates. Identifiers of connections, cookies, dates, entity tags and bodies are drawn anew for
every flow, so few bytes repeat. ``calls`` is an app that talks to its servers: HTTP alone, every
request and answer a JSON object of some 150 bytes.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import random
import zlib
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from uuid import UUID

import brotli
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from mitmproxy import certs, connection, dns, flow, http, tcp, udp, websocket
from mitmproxy.io import FlowWriter
from mitmproxy.proxy.mode_specs import ProxyMode

START = 1_750_000_000.0
CIPHERS = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0",
    "okhttp/4.12.0",
)
WORDS = tuple(
    """
    account address after between chapter country current example figure forward garden
    history letter measure morning nothing number office people picture present question
    reason section several station summer system together travel under value winter
    without yellow young
    """.split()  # noqa: SIM905 - a list of them is one line too long
)


def certificate(name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> certs.Cert:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1 + len(name))
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2035, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certs.Cert(made)


class Mix:
    """Draws flows; holds the connection that the next ones go over."""

    def __init__(self, seed: int, kind: str = "mixed") -> None:
        self.draw = random.Random(seed)
        self.is_calls = kind == "calls"
        self.clock = START
        leaf_key, root_key = (
            ec.generate_private_key(ec.SECP256R1()),
            rsa.generate_private_key(65537, 2048),
        )
        root = certificate("root.example", root_key)
        self.hosts = [
            f"{word}.{kind}.example" for word in WORDS[:12] for kind in ("api", "cdn", "m")
        ]
        self.chains = {host: [certificate(host, leaf_key), root] for host in self.hosts}
        self.open: list[tuple[connection.Client, connection.Server, str, bytes]] = []

    def uuid(self) -> str:
        return str(UUID(int=self.draw.getrandbits(128), version=4))

    def prose(self, size: int) -> str:
        return " ".join(self.draw.choices(WORDS, k=max(1, size // 8)))

    def token(self, size: int = 16) -> str:
        return base64.urlsafe_b64encode(self.draw.randbytes(size)).decode().rstrip("=")

    def connect(
        self, port: int = 443, *, proto: str = "tcp", host: str | None = None
    ) -> tuple[connection.Client, connection.Server, str]:
        """Open a connection; TLS on port 443."""
        host = host or self.draw.choice(self.hosts)
        number = self.hosts.index(host) if host in self.hosts else 99
        address = (f"198.51.100.{number + 1}", port)
        now = self.clock
        client = connection.Client(
            peername=("192.0.2.10", self.draw.randint(32768, 60999)),
            sockname=address,
            id=self.uuid(),
            timestamp_start=now,
            transport_protocol=proto,
            proxy_mode=ProxyMode.parse("transparent"),
        )
        server = connection.Server(address=address, id=self.uuid())
        server.peername, server.sockname = address, ("192.0.2.1", self.draw.randint(32768, 60999))
        server.timestamp_start, server.timestamp_tcp_setup = now + 0.01, now + 0.03
        server.transport_protocol = proto
        if port == 443:
            for end in (client, server):
                end.tls, end.sni, end.tls_version = True, host, "TLSv1.3"
                end.cipher, end.alpn = self.draw.choice(CIPHERS), b"h2"
                end.alpn_offers = [b"h2", b"http/1.1"]
                end.timestamp_tls_setup = now + 0.05
            client.cipher_list = list(CIPHERS) * 4
            server.certificate_list = self.chains[host]
        return client, server, host

    def flow(self) -> flow.Flow:
        """Draw the next flow."""
        self.clock += self.draw.expovariate(20)
        kind = self.draw.choices(("http", "websocket", "dns", "tcp", "udp"), (85, 4, 6, 3, 2))[0]
        made = self.http() if self.is_calls else getattr(self, kind)()
        made.id, made.timestamp_created = self.uuid(), self.clock
        return made

    def http(self) -> http.HTTPFlow:
        if not self.open or self.draw.random() < 0.25:
            version = self.draw.choices((b"HTTP/2.0", b"HTTP/1.1", b"HTTP/3"), (60, 35, 5))[0]
            proto = "udp" if version == b"HTTP/3" else "tcp"
            self.open.append((*self.connect(proto=proto), version))
            del self.open[:-6]
        client, server, host, version = self.draw.choice(self.open)
        made = http.HTTPFlow(client, server)
        made.request = self.request(host, version, server.address)
        made.response = self.response(version)
        return made

    def request(self, host: str, version: bytes, address: tuple[str, int]) -> http.Request:
        draw, headers = self.draw, []
        kind, body = self.sent()
        path = f"/v{draw.randint(1, 4)}/" + "/".join(draw.choices(WORDS, k=draw.randint(1, 4)))
        if draw.random() < 0.4:
            path += f"?id={self.token(12)}&t={int(self.clock * 1000)}&lang=en"
        if version == b"HTTP/1.1":
            headers.append(("Host", host))
        headers += [
            ("user-agent", draw.choice(AGENTS)),
            ("accept", "application/json, text/plain, */*"),
            ("accept-language", "en-US,en;q=0.5"),
            ("accept-encoding", "gzip, deflate, br, zstd"),
            ("referer", f"https://{host}/{draw.choice(WORDS)}"),
            ("sec-fetch-dest", "empty"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-site", "same-origin"),
        ]
        if draw.random() < 0.6:
            headers.append(
                (
                    "cookie",
                    f"sid={self.token(24)}; theme=dark; _ga=GA1.2.{draw.randint(10**8, 10**9)}",
                )
            )
        if draw.random() < 0.5:
            headers.append(("x-request-id", self.uuid()))
        if draw.random() < 0.3:
            headers.append(("authorization", f"Bearer {self.token(48)}"))
        if body:
            headers += [("content-type", kind), ("content-length", str(len(body)))]
        return http.Request(
            host=address[0], port=address[1], method=b"POST" if body else b"GET",
            scheme=b"https", authority=b"" if version == b"HTTP/1.1" else host.encode(),
            path=path.encode(), http_version=version, content=body, trailers=None,
            headers=http.Headers([(n.encode(), v.encode()) for n, v in headers]),
            timestamp_start=self.clock + 0.061234, timestamp_end=self.clock + 0.063456,
        )  # fmt: skip

    def sent(self) -> tuple[str, bytes]:
        draw = self.draw
        if self.is_calls:
            return "application/json", self.record(0)
        kind = draw.choices(("none", "json", "form", "protobuf", "gzip", "multipart", "sealed"),
                            (60, 22, 5, 4, 5, 2, 2))[0]  # fmt: skip
        if kind == "none":
            return "", b""
        if kind == "form":
            return "application/x-www-form-urlencoded", (
                f"name={self.token(6)}&note={self.prose(60).replace(' ', '+')}&v=2".encode()
            )
        if kind == "protobuf":
            text = self.prose(draw.randint(20, 120)).encode()[:120]
            return "application/x-protobuf", (
                b"\x08\x96\x01\x12" + bytes([len(text)]) + text + b"\x1a\x10" + draw.randbytes(16)
            )
        if kind == "multipart":
            mark = self.token(12)
            return f"multipart/form-data; boundary={mark}", (
                f'--{mark}\r\nContent-Disposition: form-data; name="file"\r\n\r\n'.encode()
                + b"\xff\xd8\xff\xe0" + draw.randbytes(6000) + f"\r\n--{mark}--\r\n".encode()
            )  # fmt: skip
        if kind == "sealed":
            return "application/octet-stream", draw.randbytes(draw.randint(300, 3000))
        body = self.record(draw.randint(2, 20))
        return "application/json", gzip.compress(body, 6, mtime=0) if kind == "gzip" else body

    def record(self, count: int) -> bytes:
        """Return some JSON."""
        draw = self.draw
        events = [
            {
                "id": self.uuid(), "at": round(self.clock + n, 3), "name": draw.choice(WORDS),
                "value": draw.randint(0, 10**6), "note": self.prose(40), "ok": draw.random() < 0.5,
            }
            for n in range(count)
        ]  # fmt: skip
        return json.dumps({"device": self.token(), "events": events}).encode()

    def response(self, version: bytes) -> http.Response:
        draw = self.draw
        kind, coding, body = self.received()
        status = 200 if body else draw.choice((204, 304))
        headers = [
            ("date", formatdate(self.clock, usegmt=True)), ("server", "nginx"),
            ("vary", "Accept-Encoding"), ("cache-control", "private, max-age=0"),
            ("strict-transport-security", "max-age=31536000"),
            ("x-content-type-options", "nosniff"), ("etag", f'W/"{self.token(9)}"'),
            ("x-trace", self.token(12)),
        ]  # fmt: skip
        if kind:
            headers += [("content-type", kind), ("content-length", str(len(body)))]
        if coding:
            headers.append(("content-encoding", coding))
        if draw.random() < 0.2:
            headers.append(("set-cookie", f"sid={self.token(24)}; Path=/; Secure; HttpOnly"))
        return http.Response(
            http_version=version, status_code=status,
            reason=b"OK" if version == b"HTTP/1.1" else b"",
            headers=http.Headers([(n.encode(), v.encode()) for n, v in headers]),
            content=body, trailers=None,
            timestamp_start=self.clock + 0.1, timestamp_end=self.clock + 0.123456,
        )  # fmt: skip

    def received(self) -> tuple[str, str, bytes]:
        draw = self.draw
        if self.is_calls:
            return "application/json", "", self.record(1)
        kinds = ("json", "packed", "page", "script", "picture", "font", "none", "sealed")
        kind = draw.choices(kinds, (22, 24, 8, 8, 16, 2, 18, 2))[0]  # fmt: skip
        if kind == "none":
            return "", "", b""
        if kind == "json":
            return "application/json", "", self.record(draw.randint(1, 20))
        if kind == "packed":
            return (
                "application/json",
                "br",
                brotli.compress(self.record(draw.randint(5, 40)), quality=4),
            )
        if kind in ("page", "script"):
            text = self.prose(draw.randint(4000, 40_000)).encode()
            media = "text/html" if kind == "page" else "text/javascript"
            return media, "gzip", gzip.compress(text, 6, mtime=0)
        if kind == "sealed":
            return "application/octet-stream", "", draw.randbytes(draw.randint(500, 4000))
        media, magic = draw.choice(
            (("image/png", b"\x89PNG\r\n\x1a\n"), ("image/jpeg", b"\xff\xd8\xff\xe0"),
             ("image/webp", b"RIFF\x00\x10\x00\x00WEBPVP8 "))
        ) if kind == "picture" else ("font/woff2", b"wOF2")  # fmt: skip
        return media, "", magic + draw.randbytes(draw.randint(1000, 20_000))

    def websocket(self) -> http.HTTPFlow:
        draw = self.draw
        client, server, host = self.connect()
        made = http.HTTPFlow(client, server)
        made.request = self.request(host, b"HTTP/1.1", server.address)
        made.response = http.Response(
            b"HTTP/1.1", 101, b"Switching Protocols", http.Headers([(b"upgrade", b"websocket")]),
            b"", None, self.clock, self.clock,
        )  # fmt: skip
        made.websocket = websocket.WebSocketData(
            messages=[
                websocket.WebSocketMessage(1, up, self.record(1), self.clock + n)
                if draw.random() < 0.8
                else websocket.WebSocketMessage(
                    2, up, zlib.compress(self.record(2)), self.clock + n
                )
                for n in range(draw.randint(2, 24))
                for up in (n % 2 == 0,)
            ]
        )
        return made

    def dns(self) -> dns.DNSFlow:
        message = getattr(dns, "DNSMessage", None) or dns.Message  # mitmproxy 12, and 11
        name = self.draw.choice(self.hosts)
        client, server, _ = self.connect(53, proto="udp", host=name)
        made = dns.DNSFlow(client, server)
        made.request = message(
            timestamp=self.clock, id=self.draw.randint(0, 65535), query=True, op_code=0,
            authoritative_answer=False, truncation=False, recursion_desired=True,
            recursion_available=False, reserved=0, response_code=0,
            questions=[dns.Question(name, 1, 1)], answers=[], authorities=[], additionals=[],
        )  # fmt: skip
        address = bytes([198, 51, 100, self.hosts.index(name) + 1])
        made.response = made.request.succeed([dns.ResourceRecord(name, 1, 1, 60, address)])
        return made

    def tcp(self) -> tcp.TCPFlow:
        client, server, _ = self.connect(5223)
        made = tcp.TCPFlow(client, server)
        made.messages = [
            tcp.TCPMessage(
                n % 2 == 0, self.draw.randbytes(self.draw.randint(20, 1400)), self.clock + n
            )
            for n in range(self.draw.randint(2, 12))
        ]
        return made

    def udp(self) -> udp.UDPFlow:
        client, server, _ = self.connect(3478, proto="udp")
        made = udp.UDPFlow(client, server)
        made.messages = [
            udp.UDPMessage(
                n % 2 == 0, self.draw.randbytes(self.draw.randint(20, 1200)), self.clock + n
            )
            for n in range(self.draw.randint(2, 12))
        ]
        return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--flows", type=int, default=4000)
    parser.add_argument("--kind", choices=("mixed", "calls"), default="mixed")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    mix = Mix(given.seed, given.kind)
    with given.path.open("wb") as file:
        writer = FlowWriter(file)
        for _ in range(given.flows):
            writer.add(mix.flow())


if __name__ == "__main__":
    main()
