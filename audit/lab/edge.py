"""A stand-in for Cloudflare before a real nginx: its headers, its cookie, nothing it need not see.

nginx starts with the first request and runs as one process, without a right that a sandbox lacks.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.lab.messages import Headers, Request, Response, ask, find_header
from audit.lab.website import visitor_header, write_pages
from audit.lab.witness import Witness

NGINX: Final = "nginx"
_PLACES: Final = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
_START_S: Final = 10.0
_HOP_BY_HOP: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "date"}
_CONFIG: Final = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  types {{ text/html html; text/css css; text/javascript js; application/octet-stream AppImage; }}
  default_type application/octet-stream;
  map $http_x_variant $pages {{ default {folder}/clean; violating {folder}/violating; }}
  server {{
    listen {listen}; root $pages; etag off;
    location / {{ index index.html; try_files $uri $uri/index.html =404; }}
    location /api/ {{ proxy_pass http://{newsletter}; proxy_set_header Host $host; }}
  }}
}}
"""


def find_nginx() -> str | None:
    """Return the path of nginx; ``None``: it is not installed."""
    return shutil.which(NGINX, path=_PLACES)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Edge:
    """Answers for the site: asks nginx and marks the answer as Cloudflare does."""

    witness: Witness
    origin: tuple[str, int]
    """Where nginx listens."""
    newsletter: tuple[str, int]
    """Where the site's own program listens."""
    scratch: Path
    """Folder that ends with the lab; nginx has one of its own in it."""
    violating: str
    """Host of the variant that breaks its promises."""
    _folder: Path | None = None
    _process: asyncio.subprocess.Process | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def answer(self, request: Request) -> Response:
        """Pass a request on to nginx."""
        async with self._lock:
            if self._process is None and not await self._start():
                found = Response(status=521, body=b"The origin is down: nginx is not installed.\n")
                return self.witness.request(request, found)
        host = find_header(request.headers, "host").partition(":")[0]
        is_violating = host == self.violating
        try:
            got = await self._ask(request, host, is_violating=is_violating)
        except OSError:
            return self.witness.request(request, Response(status=502, body=b"Bad Gateway\n"))
        kept = tuple((n, v) for n, v in got.headers if n.lower() not in {*_HOP_BY_HOP, "server"})
        marked = kept + self._marks(request, is_violating=is_violating)
        return self.witness.request(
            request, Response(status=got.status, body=got.body, headers=marked)
        )

    def _marks(self, request: Request, *, is_violating: bool) -> Headers:
        """Return Cloudflare's headers, with the cookies that are due."""
        sent = find_header(request.headers, "cookie")
        found: list[tuple[str, str]] = [
            ("Server", "cloudflare"),
            ("CF-RAY", f"{secrets.token_hex(8)}-FRA"),
            ("CF-Cache-Status", "DYNAMIC"),
        ]
        if "__cf_bm=" not in sent:
            bot = f"{secrets.token_urlsafe(32)}-1.0.1.1-{secrets.token_urlsafe(60)}"
            found.append(
                ("Set-Cookie",
                 f"__cf_bm={bot}; Path=/; Max-Age=1800; HttpOnly; Secure; SameSite=None")
            )  # fmt: skip
        if is_violating and "visitor=" not in sent:
            found.append(visitor_header())
        return tuple(found)

    async def _ask(self, request: Request, host: str, *, is_violating: bool) -> Response:
        lines = [f"{request.method} {request.target} HTTP/1.1", f"Host: {host}"]
        dropped = {"host", "connection", "accept-encoding", "content-length", "transfer-encoding"}
        lines += [f"{n}: {v}" for n, v in request.headers if n.lower() not in dropped]
        lines += [f"Content-Length: {len(request.body)}", "Connection: close"]
        lines += ["X-Variant: violating"] if is_violating else []
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        return await ask(self.origin, head + request.body)

    async def _start(self) -> bool:
        program = find_nginx()
        if program is None:
            return False
        self._folder = Path(tempfile.mkdtemp(prefix="nginx-", dir=self.scratch))
        for variant in ("clean", "violating"):
            write_pages(self._folder / variant, violating=variant == "violating")
        config = self._folder / "nginx.conf"
        config.write_text(
            _CONFIG.format(
                folder=self._folder,
                listen="{}:{}".format(*self.origin),
                newsletter="{}:{}".format(*self.newsletter),
            )
        )
        self._process = await asyncio.create_subprocess_exec(
            program, "-e", str(self._folder / "error.log"), "-c", str(config),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(int(_START_S / 0.05)):
            try:
                _, writer = await asyncio.open_connection(*self.origin)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return True
        return False

    def close(self) -> None:
        """End nginx and remove its folder."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
