"""The proxy tap: mitmdump as a program of its own, with our add-on."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Final, Literal

from audit.errors import SetupError
from audit.record.proxy_config import CONFIG_VARIABLE, ProxyConfig
from audit.record.workspace import Workspace
from audit.sandbox.channel import JobSpec, Place
from audit.sandbox.program import Program, describe_exit
from audit.sandbox.sandbox import Sandbox, own_environment

READY_LIMIT_S: Final = 30.0
END_LIMIT_S: Final = 10.0
TRANSPARENT_PORT: Final = 8080
"""Port in the gateway's namespace, where nothing else listens."""
_MITMDUMP: Final = "from mitmproxy.tools.main import mitmdump; mitmdump()"
_ADDON: Final = Path(__file__).with_name("proxy_addon.py")
USER: Final = "audit"
_OPTIONS: Final = {
    "ssl_insecure": "true",  # whether the client checks certificates is its own matter
    "block_global": "false",
    "flow_detail": "0",
    "termlog_verbosity": "error",
    "validate_inbound_headers": "false",
    "normalize_outbound_headers": "false",
    "onboarding": "false",
}


class ProxyTap:
    """A running mitmdump."""

    def __init__(
        self,
        sandbox: Sandbox,
        space: Workspace,
        mode: Literal["transparent", "regular"],
        config: ProxyConfig,
    ) -> None:
        """Start it with this configuration of the add-on; raises :class:`SetupError`."""
        self.port: int | None = None
        self.flows = 0
        """Flows written, known at the end."""
        self.errors: list[str] = []
        self._secret = secrets.token_urlsafe(24)
        self.certificate = space.authority / "mitmproxy-ca-cert.pem"
        """The interception authority, in PEM, once it listens."""
        path = space.own / "proxy.json"
        config.write(path)
        place: Place = "gateway" if mode == "transparent" else "outside"
        if mode == "regular":
            space.write("own/authority/config.yaml", f"proxyauth: '{USER}:{self._secret}'\n")
        env = own_environment() | {
            CONFIG_VARIABLE: str(path),
            "MITMPROXY_SSLKEYLOGFILE": str(space.proxy_keys),
            "HOME": str(space.own),
        }
        self.program = Program(
            sandbox,
            "the recording proxy",
            JobSpec(
                argv=_command(mode, space.authority),
                env=env,
                cwd=str(space.own),
                place=place,
                powers="kept",
            ),
            on_line=self._take,
        )

    def _take(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if isinstance(said, dict):
            self.port = said.get("port", self.port)
            self.flows = said.get("flows", self.flows)
            if "error" in said:
                self.errors.append(said["error"])

    @property
    def url(self) -> str:
        """Return the proxy's address with its secret, for the client's environment."""
        return f"http://{USER}:{self._secret}@127.0.0.1:{self.port}"

    def wait_ready(self) -> None:
        """Wait until it listens; raises :class:`SetupError` with its last words."""
        self.program.watch.until(
            lambda: self.port is not None or not self.program.running,
            READY_LIMIT_S,
            "the recording proxy to listen",
        )
        if self.port is None:
            code = self.program.wait(END_LIMIT_S)
            raise SetupError(
                f"the recording proxy {describe_exit(code)} before it listened"
                f"{self.program.last_words()}"
            )

    def stop(self) -> list[str]:
        """End it, letting it write what is open; return what went wrong, a sentence each."""
        was_running = self.program.running or self.port is None
        code = self.program.end(END_LIMIT_S)
        problems = list(dict.fromkeys(self.errors))
        if not was_running or (code and self.port is not None):
            how = describe_exit(code or 0)
            problems.append(f"the recording proxy {how} during the recording")
        self.program.close()
        return problems


def _command(mode: str, authority: Path) -> list[str]:
    command = [sys.executable, "-c", _MITMDUMP, "--mode", mode, "-s", str(_ADDON)]
    if mode == "transparent":
        command += ["--listen-port", str(TRANSPARENT_PORT)]
    else:
        command += ["--listen-host", "127.0.0.1", "--listen-port", "0"]
        command += ["--set", "connection_strategy=lazy"]
    command += ["--set", f"confdir={authority}"]
    for name, value in _OPTIONS.items():
        command += ["--set", f"{name}={value}"]
    return command
